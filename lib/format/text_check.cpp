#include "format/text_check.hpp"

#include <cstring>

namespace mere::format {

TextCheck check_text(std::span<const std::byte> text) noexcept {
  TextCheck result = TextCheck::utf8;
  std::size_t i = 0;
  const auto at = [&](std::size_t k) { return static_cast<std::uint8_t>(text[k]); };
  while (i < text.size()) {
    // Most texts are ASCII: eight bytes at once.
    while (text.size() - i >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & 0x8080808080808080) != 0) break;
      i += 8;
    }
    if (i == text.size()) break;
    const std::uint8_t first = at(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - i < length) return TextCheck::broken;
    for (std::size_t k = 1; k < length; ++k) {
      if ((at(i + k) & 0xc0) != 0x80) return TextCheck::broken;
    }
    const std::uint8_t second = at(i + 1);
    // Longer than need be, or above U+10FFFF.
    if ((first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return TextCheck::broken;
    }
    if (first == 0xed && second >= 0xa0) result = TextCheck::surrogates;
    i += length;
  }
  return result;
}

}  // namespace mere::format
