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

// n * log2(n) * 256 of each count that a slice can have.
constexpr auto kCosts = [] {
  std::array<std::uint32_t, kMaxSlice + 1> costs{};
  for (std::uint32_t n = 1; n <= kMaxSlice; ++n) costs[n] = n * log2_256(n);
  return costs;
}();

using Histogram = std::array<std::uint32_t, 256>;

std::uint64_t histogram_cost(const Histogram& counts, std::size_t total) {
  if (total <= kMaxSlice) {
    std::uint32_t of_bytes = 0;  // no more than the cost of all, as logarithms rise
    for (const std::uint32_t n : counts) of_bytes += kCosts[n];
    return kCosts[total] - of_bytes;
  }
  std::uint64_t cost = total * log2_256(static_cast<std::uint32_t>(total));
  for (const std::uint32_t n : counts) {
    if (n > 0) cost -= std::uint64_t{n} * log2_256(n);
  }
  return cost;
}

// Greedy matches of 4 bytes and more inside the slice; the rest are literals.
std::uint64_t slice_cost(std::span<const std::byte> slice) {
  std::array<std::uint16_t, 1024> last{};  // the last place of such four bytes
  Histogram counts{};
  std::uint64_t cost = 0;
  std::size_t matched = 0;  // bytes
  const std::byte* const bytes = slice.data();
  const auto load = [&]<class Number>(std::size_t at, Number number) {
    std::memcpy(&number, bytes + at, sizeof number);
    return number;
  };
  std::size_t i = 0;
  const auto add_literal = [&] { ++counts[std::to_integer<std::size_t>(bytes[i++])]; };
  // The first bytes are in place 0. A slot that nothing was put into says 0 too, and misleads nobody: the first bytes
  // have another slot.
  if (i < slice.size()) add_literal();
  while (i + 4 <= slice.size()) {
    const auto here = load(i, std::uint32_t{});
    std::uint16_t& slot = last[(here * 2654435761U) >> 22];
    const std::size_t seen = slot;
    slot = static_cast<std::uint16_t>(i);
    if (load(seen, std::uint32_t{}) != here) {
      add_literal();
      continue;
    }
    const std::size_t first = i;
    i += 4;
    for (std::size_t ahead = seen + 4;; i += 8, ahead += 8) {
      if (i + 8 > slice.size()) {
        for (; i < slice.size() && bytes[i] == bytes[ahead]; ++i) ++ahead;
        break;
      }
      if (const auto differs = load(i, std::uint64_t{}) ^ load(ahead, std::uint64_t{}); differs != 0) {
        i += static_cast<std::size_t>(std::countr_zero(differs)) / 8;
        break;
      }
    }
    matched += i - first;
    cost += kMatchCost;
  }
  while (i < slice.size()) add_literal();
  return cost + histogram_cost(counts, slice.size() - matched);
}

}  // namespace

std::uint64_t literal_cost(std::span<const std::byte> bytes) noexcept {
  // Several counts of each, as equal bytes in a row would wait for each other.
  std::array<std::array<std::uint16_t, 256>, 4> parts{};
  const std::size_t even = bytes.size() / 4 * 4;
  for (std::size_t i = 0; i < even; i += 4) {
    for (std::size_t k = 0; k < 4; ++k) ++parts[k][std::to_integer<std::size_t>(bytes[i + k])];
  }
  for (std::size_t i = even; i < bytes.size(); ++i) ++parts[0][std::to_integer<std::size_t>(bytes[i])];
  Histogram counts;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = std::uint32_t{parts[0][i]} + parts[1][i] + parts[2][i] + parts[3][i];
  }
  return histogram_cost(counts, bytes.size());
}

std::uint64_t most_estimated(std::size_t bytes) noexcept {
  return bytes + bytes / 2048 + 1;
}

std::uint64_t estimate_size(std::span<const std::byte> bytes, std::size_t slices, std::size_t slice_bytes,
                            std::uint64_t enough) noexcept {
  slice_bytes = std::min(slice_bytes, kMaxSlice);
  std::uint64_t cost = 0;
  if (bytes.size() <= slices * slice_bytes) {
    for (std::size_t at = 0; at < bytes.size() && cost / (8 * 256) < enough; at += slice_bytes) {
      cost += slice_cost(bytes.subspan(at, std::min(slice_bytes, bytes.size() - at)));
    }
    return cost / (8 * 256);
  }
  // Per byte of sample, times all bytes: below 2^64 for every block.
  const auto of_all = [&] { return cost / 256 * bytes.size() / (8 * slices * slice_bytes); };
  for (std::size_t s = 0; s < slices && of_all() < enough; ++s) {
    cost += slice_cost(bytes.subspan(s * (bytes.size() - slice_bytes) / (slices - 1), slice_bytes));
  }
  return of_all();
}

}  // namespace mere::codec
