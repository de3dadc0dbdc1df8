#pragma once
// What bytes will cost once they are compressed, estimated from samples at fixed places: the same number on every
// machine.

#include <cstddef>
#include <cstdint>
#include <span>

namespace mere::codec {

// Order-0 entropy of `bytes` (at most 64 KiB), in 1/256 of a bit.
std::uint64_t literal_cost(std::span<const std::byte> bytes) noexcept;

// Bytes that a codec with matches and entropy coding would need for `bytes`, from `slices` slices of `slice_bytes`
// (at most 4096) each, spread evenly. Where that is `enough` or more, any number that is so: it stops counting there.
std::uint64_t estimate_size(std::span<const std::byte> bytes, std::size_t slices, std::size_t slice_bytes,
                            std::uint64_t enough = ~std::uint64_t{0}) noexcept;

// The most that estimate_size() can give for so many bytes: a literal costs 8 bits, and 1/256 for rounded logarithms; a
// match, of four bytes at least, 20.
std::uint64_t most_estimated(std::size_t bytes) noexcept;

}  // namespace mere::codec
