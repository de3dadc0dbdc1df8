#include "container/python_literal.hpp"

#include <charconv>

#include <mere/error.hpp>

#include "container/utf8.hpp"
#include "format/text_form.hpp"

namespace mere::container {

namespace {

constexpr int kMostDepth = 32;

class Parser {
 public:
  Parser(std::string_view text, bool latin1) : text_(text), latin1_(latin1) {}

  PythonLiteral parse() {
    PythonLiteral value = literal(0);
    skip_space();
    if (at_ != text_.size()) fail("more than one literal");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Reason::bad_record, "npy header, byte " + std::to_string(at_) + ": " + what);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  // Bounded by kMostDepth.
  PythonLiteral literal(int depth) {
    if (depth > kMostDepth) {
      throw Error(Reason::too_deep,
                  "npy header, byte " + std::to_string(at_) + ": more than 32 brackets inside each other");
    }
    skip_space();
    if (at_ == text_.size()) fail("a literal is missing");
    PythonLiteral value;
    const char c = text_[at_];
    if (c == '\'' || c == '"') {
      value.kind = PythonLiteral::Kind::text;
      value.text = quoted();
    } else if (c == '(' || c == '[') {
      ++at_;
      sequence(value, c == '(' ? ')' : ']', depth);
    } else if (c == '{') {
      ++at_;
      value.kind = PythonLiteral::Kind::dict;
      while (!take('}')) {
        value.members.push_back(literal(depth + 1));
        if (!take(':')) fail("a key without a value");
        value.members.push_back(literal(depth + 1));
        if (!take(',')) {
          if (!take('}')) fail("a dict that does not end");
          break;
        }
      }
    } else if (take_word("True") || take_word("False")) {
      value.kind = PythonLiteral::Kind::boolean;
      value.boolean = text_[at_ - 2] == 'u';
    } else if (!take_word("None")) {
      value.kind = PythonLiteral::Kind::integer;
      value.integer = number();
    }
    return value;
  }

  // A bracket is open. One member without a comma in round brackets is that member, as in Python.
  void sequence(PythonLiteral& value, char end, int depth) {
    value.kind = end == ')' ? PythonLiteral::Kind::tuple : PythonLiteral::Kind::list;
    bool comma = false;
    while (!take(end)) {
      value.members.push_back(literal(depth + 1));
      if (take(',')) {
        comma = true;
        continue;
      }
      if (!take(end)) fail("a sequence that does not end");
      break;
    }
    if (end == ')' && value.members.size() == 1 && !comma) {
      PythonLiteral only = std::move(value.members[0]);
      value = std::move(only);
    }
  }

  std::int64_t number() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fail("a number beyond 64 bits");
    if (error != std::errc()) fail("no literal that such a header has");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2
    return value;
  }

  std::string quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (true) {
      if (at_ == text_.size() || text_[at_] == '\n') fail("a text that does not end");
      const char c = text_[at_++];
      if (c == quote) {
        if (format::text_form(out) == format::TextForm::broken) fail("a text that is not UTF-8");
        return out;
      }
      if (c == '\\') {
        escape(out);
      } else if (latin1_) {
        append_utf8(out, static_cast<unsigned char>(c));
      } else {
        out += c;
      }
    }
  }

  void escape(std::string& out) {
    if (at_ == text_.size()) fail("a text that does not end");
    const char c = text_[at_++];
    switch (c) {
      case '\\':
      case '\'':
      case '"': out += c; return;
      case 'n': out += '\n'; return;
      case 'r': out += '\r'; return;
      case 't': out += '\t'; return;
      case 'x': append_utf8(out, hex(2)); return;
      case 'u': append_utf8(out, hex(4)); return;
      case 'U': append_utf8(out, hex(8)); return;
      default: fail("an escape that is not read");
    }
  }

  std::uint32_t hex(std::size_t digits) {
    std::uint32_t value = 0;
    if (text_.size() - at_ < digits) fail("an escape that is cut");
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + digits, value, 16);
    if (error != std::errc() || end != text_.data() + at_ + digits || value > 0x10ffff)
      fail("an escape that is no number");
    at_ += digits;
    return value;
  }

  std::string_view text_;
  bool latin1_;
  std::size_t at_ = 0;
};

}  // namespace

PythonLiteral parse_python_literal(std::string_view text, bool latin1) {
  return Parser(text, latin1).parse();
}

std::string python_repr(std::string_view utf8) {
  constexpr char kDigits[] = "0123456789abcdef";
  const char quote = utf8.find('\'') != std::string_view::npos && utf8.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + quote;
}

}  // namespace mere::container
