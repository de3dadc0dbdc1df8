#pragma once
// Expands a compressed stream piece by piece: zlib (RFC 1950), gzip (1952), raw deflate (1951), the LZ4 frame format,
// bzip2, xz and the older .lzma format ("alone").

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace mere::container {

enum class StreamCodec { zlib, gzip, deflate, lz4, bz2, xz, lzma };
std::string_view to_text(StreamCodec codec) noexcept;
// In this build: bz2 needs libbz2, xz and lzma need liblzma.
bool has_codec(StreamCodec codec) noexcept;

struct StreamOptions {
  std::uint64_t most_bytes = ~std::uint64_t{0};  // more than this is Error(too_large)
  // More than 64 MiB that are more than `most_ratio` times the bytes they come from are Error(too_large): no model does
  // that by itself. 0: no bound.
  bool bound_ratio = true;
  std::uint64_t most_ratio = 1000;
  std::uint64_t decoder_bytes = std::uint64_t{80} << 20;  // what xz and lzma may ask for; level 9 needs 65 MiB
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // compressed bytes; may throw to stop
};

// Gives the expanded bytes to `take`, at most 1 MiB at a time; returns how many bytes of `stream` it used: one member,
// to the end of its checksum. Holds 10 MiB at most, and `decoder_bytes` for xz and lzma. Messages name the offset in
// `stream`. Throws Error: bad_stream (damaged, cut, a sum differs), too_large, not_supported (the build lacks the
// codec, or knows no such check of xz), out_of_memory, and what `take` throws.
std::uint64_t decode_stream(StreamCodec codec, std::span<const std::byte> stream, const StreamOptions& options,
                            const std::function<void(std::span<const std::byte>)>& take);

}  // namespace mere::container
