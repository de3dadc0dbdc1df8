#include "format/text_form.hpp"

#include <cstring>

namespace mere::format {

TextForm text_form(std::string_view text) noexcept {
  TextForm form = TextForm::utf8;
  std::size_t i = 0;
  const std::size_t n = text.size();
  const auto byte_at = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  while (i < n) {
    // Most texts are ASCII: eight bytes at a time.
    while (n - i >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, sizeof word);
      if (word & 0x8080808080808080u) break;
      i += 8;
    }
    if (i == n) break;
    const unsigned lead = byte_at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || n - i < length) return TextForm::broken;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte_at(i + k) & 0xc0) != 0x80) return TextForm::broken;
    }
    const unsigned second = byte_at(i + 1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return TextForm::broken;
    }
    if (lead == 0xed && second >= 0xa0) form = TextForm::surrogates;
    i += length;
  }
  return form;
}

}  // namespace mere::format
