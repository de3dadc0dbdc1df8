#include "graph/big_integer.hpp"

#include <algorithm>

#include <mere/error.hpp>

namespace mere::graph {

namespace {

constexpr std::size_t kMaxDecimalBytes = 64 << 10;

bool is_negative(std::span<const std::byte> bytes) {
  return (bytes.back() & std::byte{0x80}) != std::byte{0};
}

}  // namespace

std::span<const std::byte> shortest(std::span<const std::byte> twos_complement) noexcept {
  std::size_t n = twos_complement.size();
  while (n > 1) {
    const std::byte top = twos_complement[n - 1];
    const bool next_is_negative = (twos_complement[n - 2] & std::byte{0x80}) != std::byte{0};
    if (top != (next_is_negative ? std::byte{0xff} : std::byte{0})) break;
    --n;
  }
  return twos_complement.first(n);
}

std::optional<std::int64_t> find_int64(std::span<const std::byte> twos_complement) noexcept {
  const std::span<const std::byte> bytes = shortest(twos_complement);
  if (bytes.empty() || bytes.size() > 8) return std::nullopt;
  std::uint64_t value = is_negative(bytes) ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return static_cast<std::int64_t>(value);
}

std::string decimal_text(std::span<const std::byte> twos_complement) {
  if (twos_complement.size() > kMaxDecimalBytes) {
    throw Error(Reason::too_large, "an integer of " + std::to_string(twos_complement.size()) +
                                       " bytes is not written in decimal; the most is " +
                                       std::to_string(kMaxDecimalBytes));
  }
  if (twos_complement.empty()) return "0";
  const bool negative = is_negative(twos_complement);
  // The magnitude in 32-bit limbs, lowest first.
  std::vector<std::uint32_t> limbs((twos_complement.size() + 3) / 4 + 1);
  std::uint32_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < limbs.size() * 4; ++i) {
    std::uint32_t byte = i < twos_complement.size() ? std::to_integer<std::uint32_t>(twos_complement[i])
                         : negative                 ? 0xffu
                                                    : 0u;
    if (negative) {
      byte = (~byte & 0xffu) + carry;
      carry = byte >> 8;
    }
    limbs[i / 4] |= (byte & 0xffu) << (i % 4 * 8);
  }
  std::string digits;  // backwards
  while (!limbs.empty()) {
    std::uint64_t rest = 0;
    for (std::size_t i = limbs.size(); i-- > 0;) {
      const std::uint64_t whole = rest << 32 | limbs[i];
      limbs[i] = static_cast<std::uint32_t>(whole / 1000000000);
      rest = whole % 1000000000;
    }
    while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
    for (int d = 0; d < 9 && (rest != 0 || !limbs.empty()); ++d) {
      digits += static_cast<char>('0' + rest % 10);
      rest /= 10;
    }
  }
  if (digits.empty()) digits = "0";
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace mere::graph
