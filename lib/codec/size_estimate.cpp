#include "codec/size_estimate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace mere::codec {
namespace {

constexpr std::size_t kMaxSlice = 4096;
constexpr std::uint64_t kMatchCost = 20 * 256;  // length and distance, about

// log2(n) * 256, rounded down: by squaring, in integers, so that no maths library has a say.
constexpr std::uint32_t log2_256(std::uint32_t n) {
  std::uint32_t whole = static_cast<std::uint32_t>(std::bit_width(n)) - 1;
  std::uint64_t x = static_cast<std::uint64_t>(n) << (31 - whole);  // 1.31 fixed point, in [1, 2)
  std::uint32_t fraction = 0;
  for (int i = 0; i < 8; ++i) {
    x = x * x >> 31;
    fraction <<= 1;
    if (x >= std::uint64_t{1} << 32) {
      x >>= 1;
      fraction |= 1;
    }
  }
  return whole << 8 | fraction;
}

constexpr auto kLogs = [] {
  std::array<std::uint16_t, kMaxSlice + 1> logs{};
  for (std::uint32_t n = 1; n <= kMaxSlice; ++n) logs[n] = static_cast<std::uint16_t>(log2_256(n));
  return logs;
}();

std::uint64_t log_of(std::uint32_t n) {
  return n <= kMaxSlice ? kLogs[n] : log2_256(n);
}

std::uint64_t histogram_cost(const std::array<std::uint32_t, 256>& counts, std::uint32_t total) {
  std::uint64_t cost = total == 0 ? 0 : total * log_of(total);
  for (const std::uint32_t n : counts) {
    if (n > 0) cost -= n * log_of(n);
  }
  return cost;
}

// Greedy matches of 4 bytes and more inside the slice; the rest are literals.
std::uint64_t slice_cost(std::span<const std::byte> slice) {
  std::array<std::uint16_t, 1024> last{};  // place + 1 of the last such four bytes
  std::array<std::uint32_t, 256> counts{};
  std::uint32_t literals = 0;
  std::uint64_t cost = 0;
  std::size_t i = 0;
  const auto four = [&](std::size_t at) {
    std::uint32_t value;
    std::memcpy(&value, slice.data() + at, 4);
    return value;
  };
  while (i < slice.size()) {
    if (i + 4 <= slice.size()) {
      const std::uint32_t here = four(i);
      std::uint16_t& slot = last[(here * 2654435761U) >> 22];
      const std::size_t seen = slot;
      slot = static_cast<std::uint16_t>(i + 1);
      if (seen != 0 && four(seen - 1) == here) {
        std::size_t length = 4;
        while (i + length < slice.size() && slice[seen - 1 + length] == slice[i + length]) ++length;
        cost += kMatchCost;
        i += length;
        continue;
      }
    }
    ++counts[std::to_integer<std::size_t>(slice[i])];
    ++literals;
    ++i;
  }
  return cost + histogram_cost(counts, literals);
}

}  // namespace

std::uint64_t literal_cost(std::span<const std::byte> bytes) noexcept {
  std::array<std::uint32_t, 256> counts{};
  for (const std::byte b : bytes) ++counts[std::to_integer<std::size_t>(b)];
  return histogram_cost(counts, static_cast<std::uint32_t>(bytes.size()));
}

std::uint64_t estimate_size(std::span<const std::byte> bytes, std::size_t slices, std::size_t slice_bytes) noexcept {
  slice_bytes = std::min(slice_bytes, kMaxSlice);
  if (bytes.size() <= slices * slice_bytes) {
    std::uint64_t cost = 0;
    for (std::size_t at = 0; at < bytes.size(); at += slice_bytes) {
      cost += slice_cost(bytes.subspan(at, std::min(slice_bytes, bytes.size() - at)));
    }
    return cost / (8 * 256);
  }
  std::uint64_t cost = 0;
  for (std::size_t s = 0; s < slices; ++s) {
    cost += slice_cost(bytes.subspan(s * (bytes.size() - slice_bytes) / (slices - 1), slice_bytes));
  }
  // Per byte of sample, times all bytes: below 2^64 for every block.
  return cost / 256 * bytes.size() / (8 * slices * slice_bytes);
}

}  // namespace mere::codec
