#include "program/unicode/characters.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

namespace mere::program {

namespace {

#include "program/unicode/stop_words.inc"
#include "program/unicode/tables.inc"

constexpr char32_t kSigma = 0x3a3, kFinalSigma = 0x3c2, kSmallSigma = 0x3c3, kDottedCapitalI = 0x130, kDotAbove = 0x307;
// Hangul syllables take apart by arithmetic (Unicode 3.12).
constexpr char32_t kSyllables = 0xac00, kLeading = 0x1100, kVowels = 0x1161, kTrailing = 0x11a7;
constexpr char32_t kSyllableCount = 11172, kVowelCount = 21, kTrailingCount = 28;

// Ranges are pairs of first and last, ascending.
bool in_ranges(std::span<const std::uint32_t> ranges, char32_t c) noexcept {
  const auto above = std::upper_bound(ranges.begin(), ranges.end(), static_cast<std::uint32_t>(c));
  const auto index = above - ranges.begin();
  // Inside a range an odd number of ends is not above c; its last may be c itself.
  return index % 2 == 1 || (index != 0 && ranges[static_cast<std::size_t>(index) - 1] == c);
}

template <bool (*Holds)(char32_t)>
constexpr std::array<bool, 128> of_ascii() {
  std::array<bool, 128> out{};
  for (char32_t c = 0; c < 128; ++c) out[c] = Holds(c);
  return out;
}

constexpr bool ascii_word(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool ascii_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20);
}

constexpr auto kAsciiWords = of_ascii<ascii_word>(), kAsciiSpaces = of_ascii<ascii_space>();

char32_t lower_of(char32_t c) noexcept {
  if (c < 128) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  constexpr std::size_t kCount = std::size(kLower) / 2;
  std::size_t first = 0, last = kCount;
  while (first < last) {
    const std::size_t middle = (first + last) / 2;
    if (kLower[2 * middle] < c) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first < kCount && kLower[2 * first] == c ? kLower[2 * first + 1] : c;
}

// A sigma at the end of a word: a letter with a case before it, none after, but for what is looked past.
bool is_final(const std::u32string& text, std::size_t at) noexcept {
  std::size_t before = at;
  while (before > 0 && in_ranges(kCaseIgnored, text[before - 1])) --before;
  if (before == 0 || !in_ranges(kCased, text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && in_ranges(kCaseIgnored, text[after])) ++after;
  return after == text.size() || !in_ranges(kCased, text[after]);
}

// Where each entry of kPlain begins, by character.
const std::vector<std::pair<char32_t, std::uint32_t>>& plain_entries() {
  static const auto entries = [] {
    std::vector<std::pair<char32_t, std::uint32_t>> list;
    for (std::size_t i = 0; i < std::size(kPlain); i += 1 + (kPlain[i] & 0xff)) {
      list.emplace_back(kPlain[i] >> 8, static_cast<std::uint32_t>(i));
    }
    return list;
  }();
  return entries;
}

}  // namespace

bool is_word(char32_t c) noexcept {
  return c < 128 ? kAsciiWords[c] : in_ranges(kWords, c);
}

bool is_space(char32_t c) noexcept {
  return c < 128 ? kAsciiSpaces[c] : in_ranges(kSpaces, c);
}

bool decode_utf8(std::string_view text, std::u32string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      out.push_back(first);
      ++i;
      continue;
    }
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > text.size() - i) return false;
    char32_t c = first & (0x7fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      c = c << 6 | (next & 0x3f);
    }
    const bool shorter = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
    if (shorter || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
    out.push_back(c);
    i += length;
  }
  return true;
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

void lower_case(const std::u32string& text, std::u32string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == kSigma) {
      out.push_back(is_final(text, i) ? kFinalSigma : kSmallSigma);
    } else if (c == kDottedCapitalI) {
      out.push_back('i');
      out.push_back(kDotAbove);
    } else {
      out.push_back(lower_of(c));
    }
  }
}

void strip_accents(const std::u32string& text, bool ascii_only, std::u32string& out) {
  out.clear();
  const auto add = [&](char32_t c) {
    if (!ascii_only || c < 128) out.push_back(c);
  };
  for (const char32_t c : text) {
    if (c < 128) {
      out.push_back(c);
      continue;
    }
    if (c >= kSyllables && c < kSyllables + kSyllableCount) {
      const char32_t index = c - kSyllables, trailing = index % kTrailingCount;
      add(kLeading + index / (kVowelCount * kTrailingCount));
      add(kVowels + index % (kVowelCount * kTrailingCount) / kTrailingCount);
      if (trailing != 0) add(kTrailing + trailing);
      continue;
    }
    const auto& entries = plain_entries();
    const auto found = std::lower_bound(entries.begin(), entries.end(), c,
                                        [](const auto& entry, char32_t value) { return entry.first < value; });
    if (found == entries.end() || found->first != c) {
      add(c);
      continue;
    }
    const std::uint32_t first = found->second, count = kPlain[first] & 0xff;
    for (std::uint32_t i = 1; i <= count; ++i) add(kPlain[first + i]);
  }
}

std::vector<std::string_view> english_stop_words() {
  return {std::begin(kEnglish), std::end(kEnglish)};
}

}  // namespace mere::program
