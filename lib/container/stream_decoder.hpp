#pragma once
// Expands a compressed stream piece by piece: zlib (RFC 1950), gzip (1952), raw deflate (1951) and the LZ4 frame
// format.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace mere::container {

enum class StreamCodec { zlib, gzip, deflate, lz4 };
std::string_view to_text(StreamCodec codec) noexcept;

struct StreamOptions {
  std::uint64_t most_bytes = ~std::uint64_t{0};  // more than this is Error(too_large)
  // More than 64 MiB that are more than 1000 times the bytes they come from are Error(too_large): no model does that.
  bool bound_ratio = true;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // compressed bytes; may throw to stop
};

// Gives the expanded bytes to `take`, at most 1 MiB at a time; returns how many bytes of `stream` it used: one member,
// to the end of its checksum. Holds 10 MiB at most. Messages name the offset in `stream`.
// Throws Error: bad_stream (damaged, cut, a sum differs), too_large, out_of_memory, and what `take` throws.
std::uint64_t decode_stream(StreamCodec codec, std::span<const std::byte> stream, const StreamOptions& options,
                            const std::function<void(std::span<const std::byte>)>& take);

}  // namespace mere::container
