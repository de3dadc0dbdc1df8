#include "json_writer.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "printable_text.hpp"

namespace mere::command {

namespace {

template <class Real>
std::string real_text(Real value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  char text[64];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  std::string number(text, end.ptr);
  // "1" would come back as an integer, and "-0" lose its sign.
  if (number.find_first_of(".e") == std::string::npos) number += ".0";
  return number;
}

void append_escape(std::string& out, char32_t unit) {
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(unit));
  out += escape;
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const char32_t c = point.value;
    if (point.form == CodePoint::Form::invalid) {
      append_escape(out, 0xfffd);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (point.form == CodePoint::Form::surrogate || steers_terminal(c)) {
      append_escape(out, c);
    } else {
      out.append(text.substr(at, point.length));
    }
    at += point.length;
  }
  out += '"';
  return out;
}

void JsonWriter::before_member() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (frames_.empty()) return;
  Frame& frame = frames_.back();
  if (frame.layout == Layout::line) {
    if (!frame.empty) sink_(", ");
  } else {
    sink_(frame.empty ? "\n" : ",\n");
    sink_(std::string(frames_.size() * 2, ' '));
  }
  frame.empty = false;
}

void JsonWriter::begin(char open, char close, Layout layout) {
  before_member();
  if (!frames_.empty() && frames_.back().layout == Layout::line) layout = Layout::line;
  sink_({&open, 1});
  frames_.push_back({close, layout, true});
}

void JsonWriter::end() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  if (frame.layout == Layout::lines && !frame.empty) {
    sink_("\n");
    sink_(std::string(frames_.size() * 2, ' '));
  }
  sink_({&frame.close, 1});
  if (frames_.empty()) sink_("\n");
}

void JsonWriter::key(std::string_view name) {
  before_member();
  sink_(json_string(name));
  sink_(": ");
  after_key_ = true;
}

void JsonWriter::value(double v) {
  raw(real_text(v));
}
void JsonWriter::value(float v) {
  raw(real_text(v));
}
void JsonWriter::value(std::string_view text) {
  raw(json_string(text));
}

void JsonWriter::raw(std::string_view json) {
  before_member();
  sink_(json);
  if (frames_.empty()) sink_("\n");
}

void JsonWriter::base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text = "\"";
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8) | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i <= bytes.size() ? kDigits[(group >> (18 - 6 * i)) & 63] : '=';
    }
  }
  raw(text + "\"");
}

}  // namespace mere::command
