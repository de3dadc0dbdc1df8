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
// (at most 4096) each, spread evenly.
std::uint64_t estimate_size(std::span<const std::byte> bytes, std::size_t slices, std::size_t slice_bytes) noexcept;

}  // namespace mere::codec
