#include "printable_text.hpp"

#include <cstdio>

namespace mere::command {

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1, CodePoint::Form::valid};
  std::size_t length = 0;
  char32_t value = 0;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
    value = first & 0x1f;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    value = first & 0x0f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    value = first & 0x07;
  }
  if (length == 0 || length > text.size() - at) return {first, 1, CodePoint::Form::invalid};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {first, 1, CodePoint::Form::invalid};
    value = (value << 6) | (byte(at + i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10ffff) return {first, 1, CodePoint::Form::invalid};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  return {value, length, surrogate ? CodePoint::Form::surrogate : CodePoint::Form::valid};
}

bool steers_terminal(char32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x61c || value == 0x200e || value == 0x200f ||
         (value >= 0x2028 && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069) || value == 0xfeff;
}

namespace {

void append_printable(std::string& out, std::string_view text, const CodePoint& point, std::size_t at) {
  char escape[16];
  switch (point.form) {
    case CodePoint::Form::valid:
      if (!steers_terminal(point.value)) {
        out.append(text.substr(at, point.length));
        return;
      }
      if (point.value == '\n') {
        out += "\\n";
      } else if (point.value == '\t') {
        out += "\\t";
      } else {
        std::snprintf(escape, sizeof escape, point.value < 0x100 ? "\\x%02x" : "\\u%04x",
                      static_cast<unsigned>(point.value));
        out += escape;
      }
      return;
    case CodePoint::Form::surrogate:
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(point.value));
      out += escape;
      return;
    case CodePoint::Form::invalid:
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(point.value));
      out += escape;
      return;
  }
}

}  // namespace

std::string printable(std::string_view text) {
  return printable(text, text.size());
}

std::string printable(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    if (count >= width) return out + "...";
    const CodePoint point = code_point_at(text, at);
    append_printable(out, text, point, at);
    at += point.length;
  }
  return out;
}

bool is_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.form == CodePoint::Form::invalid) return false;
    at += point.length;
  }
  return true;
}

}  // namespace mere::command
