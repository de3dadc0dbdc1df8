#pragma once
// Compressed joblib files: one stream that holds the pickle and its arrays. Told by the first bytes, as joblib does
// (joblib/compressor.py): zlib, gzip, bz2, lzma, xz, lz4, and the ZF of joblib before 0.10.

#include "importers/registry.hpp"

namespace mere::importers::joblib {

bool matches(std::span<const std::byte> bytes);

// Expands the stream, a large one into a file without a name, so that arrays lie in its map; reads the pickle in it.
// Throws Error: bad_stream, trailing_bytes (a second member), too_large (options.limits), not_supported (the build
// lacks the codec), unknown_format (no pickle inside), system_call, and what pickle::read throws.
Imported read(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::joblib
