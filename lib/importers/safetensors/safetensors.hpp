#pragma once
// .safetensors files become a dict of name and array, in the order of their bytes; what they say about themselves
// becomes metadata.

#include "importers/registry.hpp"

namespace mere::importers::safetensors {

bool matches(std::span<const std::byte> bytes);

// Arrays lie in the file itself. Throws Error: what container::read_safetensors_header throws.
Imported read(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::safetensors
