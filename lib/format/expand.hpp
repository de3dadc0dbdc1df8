#pragma once
// From one .mere file to another with the same columns and other blocks: expansion, other codecs, other alignment.
// The content id stays.

#include "format/image.hpp"
#include "format/writer.hpp"

namespace mere::format {

// Copies the columns that are the same under every codec. Throws Error: corrupt (an id or length out of range).
Columns copy_columns(const Image& image);

// Reads, decodes and checks against its sum every block of `image`; writes by `options`. Memory as
// write_file(). Throws Error: corrupt, too_large (more than `limit_bytes` raw).
WriteResult rewrite(const Image& image, const WriteOptions& options, os::Sink& sink, std::uint64_t limit_bytes);

// The size rewrite() without codecs would give, or more; from the directory and blocks alone.
std::uint64_t expanded_bytes(const Image& image);

}  // namespace mere::format
