#pragma once
// Integers beyond 64 bits: two's complement, little-endian, as they stand in a file (docs/format.md 4, int).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mere::graph {

// Without the high bytes that only repeat the sign: at least one byte is left.
std::span<const std::byte> shortest(std::span<const std::byte> twos_complement) noexcept;

// The value, if 64 bits hold it; `bytes` has at least one.
std::optional<std::int64_t> find_int64(std::span<const std::byte> twos_complement) noexcept;

// In decimal. The work grows with the square of the length. Throws Error: too_large (beyond 64 kB).
std::string decimal_text(std::span<const std::byte> twos_complement);

}  // namespace mere::graph
