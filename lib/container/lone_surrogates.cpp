#include "container/lone_surrogates.hpp"

#include <array>
#include <charconv>
#include <vector>

namespace mere::container {

namespace {

constexpr std::uint32_t kFirstSurrogate = 0xd800, kSurrogates = 0x800;
// Private characters, as many as there are surrogates in each block.
constexpr std::uint32_t kFirstBlock = 0xe000;
constexpr std::size_t kBlocks = 3;

// The code unit of the escape \uXXXX at `at`.
std::optional<std::uint32_t> escape_at(std::string_view json, std::size_t at) {
  if (at > json.size() || json.size() - at < 6 || json[at] != '\\' || json[at + 1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = json.data() + at + 6;
  const auto [stopped, error] = std::from_chars(json.data() + at + 2, end, unit, 16);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return unit;
}

bool is_surrogate(std::uint32_t unit) {
  return unit >= kFirstSurrogate && unit < kFirstSurrogate + kSurrogates;
}

}  // namespace

std::optional<LoneSurrogates> LoneSurrogates::find(std::string_view json) {
  std::vector<std::size_t> places;
  std::array<bool, kBlocks> taken{};
  const auto take = [&](std::uint32_t unit) {
    if (unit >= kFirstBlock && unit < kFirstBlock + kBlocks * kSurrogates)
      taken[(unit - kFirstBlock) / kSurrogates] = true;
  };
  for (std::size_t at = 0; at < json.size();) {
    const auto byte = static_cast<unsigned char>(json[at]);
    if (byte == 0xee || byte == 0xef) {
      // U+E000 to U+FFFF: the second byte has the six bits that say the block.
      const auto next = at + 1 < json.size() ? static_cast<unsigned char>(json[at + 1]) : 0u;
      take((byte & 0xfu) << 12 | (next & 0x3fu) << 6);
    }
    if (byte != '\\') {
      ++at;
      continue;
    }
    const std::optional<std::uint32_t> unit = escape_at(json, at);
    if (!unit) {
      at += 2;
      continue;
    }
    take(*unit);
    if (is_surrogate(*unit)) {
      const std::optional<std::uint32_t> other = *unit < 0xdc00 ? escape_at(json, at + 6) : std::nullopt;
      if (other && *other >= 0xdc00 && is_surrogate(*other)) {
        at += 12;
        continue;
      }
      places.push_back(at);
    }
    at += 6;
  }
  if (places.empty()) return std::nullopt;
  LoneSurrogates found;
  for (std::size_t block = 0; block < kBlocks && found.first_ == 0; ++block) {
    if (!taken[block]) found.first_ = kFirstBlock + static_cast<std::uint32_t>(block) * kSurrogates;
  }
  if (found.first_ == 0) return std::nullopt;
  found.text_ = json;
  constexpr char kDigits[] = "0123456789abcdef";
  for (const std::size_t place : places) {
    const std::uint32_t stand_in = *escape_at(json, place) - kFirstSurrogate + found.first_;
    for (std::size_t i = 0; i < 4; ++i) found.text_[place + 2 + i] = kDigits[stand_in >> (12 - 4 * i) & 15];
  }
  return found;
}

void LoneSurrogates::restore(std::string& utf8) const {
  for (std::size_t at = 0; at + 2 < utf8.size(); ++at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(utf8[at + i]); };
    if (byte(0) != 0xee && byte(0) != 0xef) continue;
    const std::uint32_t character = (byte(0) & 0xfu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
    if (character < first_ || character >= first_ + kSurrogates) continue;
    const std::uint32_t surrogate = character - first_ + kFirstSurrogate;
    utf8[at] = static_cast<char>(0xe0 | surrogate >> 12);
    utf8[at + 1] = static_cast<char>(0x80 | (surrogate >> 6 & 0x3f));
    utf8[at + 2] = static_cast<char>(0x80 | (surrogate & 0x3f));
  }
}

}  // namespace mere::container
