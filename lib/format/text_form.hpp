#pragma once
// Whether bytes are UTF-8 as str nodes hold it (docs/format.md 4).

#include <cstdint>
#include <string_view>

namespace mere::format {

// UTF-8 in its shortest form; surrogates: the same, but with lone surrogates in three bytes each; broken: neither.
enum class TextForm : std::uint8_t { utf8, surrogates, broken };

TextForm text_form(std::string_view text) noexcept;

}  // namespace mere::format
