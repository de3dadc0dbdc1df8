#pragma once
// .npy files become one array, .npz files a dict of name and array.

#include "importers/registry.hpp"

namespace mere::importers::npy {

bool matches_npy(std::span<const std::byte> bytes);
// Throws Error: what container::read_npy_header throws.
Imported read_npy(const Source& source, const ImportOptions& options);

bool matches_npz(std::span<const std::byte> bytes);
// Stored members are used where they lie, deflated ones in an anonymous file.
// Throws Error: what the zip and npy containers throw; unknown_format (a member that is no .npy).
Imported read_npz(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::npy
