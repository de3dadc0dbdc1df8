#pragma once
// .npy files become one array, .npz files a dict of name and array. Arrays of objects are pickles, and judged as such.

#include "importers/registry.hpp"

namespace mere::importers::npy {

bool matches_npy(std::span<const std::byte> bytes);
// Throws Error: what container::read_npy_header and, for arrays of objects, pickle::read throw.
Imported read_npy(const Source& source, const ImportOptions& options);

bool matches_npz(std::span<const std::byte> bytes);
// Stored members are used where they lie, compressed ones in an anonymous file.
// Throws Error: as read_npy; what the zip container throws; unknown_format (a member that is no .npy).
Imported read_npz(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::npy
