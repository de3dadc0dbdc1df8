#pragma once
// Text from files, made safe for a terminal: what steers one (control bytes, line and direction marks) is escaped.

#include <cstddef>
#include <string>
#include <string_view>

namespace mere::command {

// One step through a text that should be UTF-8.
struct CodePoint {
  enum class Form { valid, surrogate, invalid };  // surrogate: a lone one, as three bytes (docs/format.md 4, str)
  char32_t value = 0;                             // invalid: the byte
  std::size_t length = 1;
  Form form = Form::invalid;
};

// The code point at `at`, which is less than text.size().
CodePoint code_point_at(std::string_view text, std::size_t at);

// True for what may move a terminal's cursor, change its state or hide text: C0, DEL, C1, line separators and marks of
// direction.
bool steers_terminal(char32_t value);

// `text` with everything that is not plain to see as \xNN or \uNNNN; backslashes stay as they are.
std::string printable(std::string_view text);

// printable(text), cut after `width` code points, with "..." in place of the rest.
std::string printable(std::string_view text, std::size_t width);

// True if every byte of `text` belongs to a code point, lone surrogates included.
bool is_text(std::string_view text);

}  // namespace mere::command
