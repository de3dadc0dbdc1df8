#pragma once
// Compressed joblib files: one stream that holds the pickle and its arrays. Told by the first bytes, as joblib does
// (joblib/compressor.py).

#include "importers/registry.hpp"

namespace mere::importers::joblib {

bool matches(std::span<const std::byte> bytes);

// Expands the stream into an anonymous file, so that arrays lie in its map, and reads the pickle in it.
// Throws Error: bad_stream, trailing_bytes (a second member), too_large (options.limits.expanded_bytes), not_supported
// (a codec that is known but not read), unknown_format (no pickle inside), and what pickle::read throws.
Imported read(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::joblib
