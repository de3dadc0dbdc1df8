// Paths to and from text: docs/format.md 8.

#include <charconv>

#include "graph/path.hpp"
#include "graph/read.hpp"

namespace mere::graph {

namespace {

bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_word(char c) {
  return starts_word(c) || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text) {
  if (text.empty() || !starts_word(text[0])) return false;
  for (const char c : text) {
    if (!in_word(c)) return false;
  }
  return true;
}

struct PartWord {
  std::string_view word;
  std::uint8_t part;
};
constexpr PartWord kPartWords[] = {
    {"type", format::kPartType},     {"args", format::kPartArgs},   {"kwargs", format::kPartKwargs},
    {"state", format::kPartState},   {"items", format::kPartItems}, {"entries", format::kPartEntries},
    {"setter", format::kPartSetter}, {"info", kPartInfo},           {"bytes", kPartBytes},
};

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 63));
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

// A surrogate in three bytes at the begin of `text`, or 0.
std::uint32_t surrogate_at(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xed' || (text[1] & 0x60) != 0x20 || (text[1] & 0x80) == 0 ||
      (text[2] & 0xc0) != 0x80)
    return 0;
  return 0xd000u | (static_cast<std::uint32_t>(text[1]) & 63u) << 6 | (static_cast<std::uint32_t>(text[2]) & 63u);
}

void append_escape(std::uint32_t code, std::string& out) {
  constexpr char hex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += hex[code >> shift & 15];
}

}  // namespace

// In JSON quoting, a high surrogate and a low one behind it mean one character: such texts have no name.
bool has_name(std::string_view text) {
  for (std::size_t i = 0; i + 6 <= text.size(); ++i) {
    const std::uint32_t high = surrogate_at(text.substr(i));
    if (high >= 0xd800 && high < 0xdc00 && surrogate_at(text.substr(i + 3)) >= 0xdc00) return false;
  }
  return true;
}

void append_name(std::string_view name, std::string& path) {
  if (is_word(name)) {
    if (!path.empty()) path += '.';
    path += name;
    return;
  }
  path += "[\"";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      path += '\\';
      path += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      path += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      append_escape(byte, path);
    } else if (const std::uint32_t surrogate = surrogate_at(name.substr(i))) {
      append_escape(surrogate, path);
      i += 2;
    } else {
      path += c;
    }
  }
  path += "\"]";
}

void PathReader::fail(std::string_view expected) const {
  throw Error(Reason::bad_argument, "path \"" + std::string(path_.substr(0, 300)) + "\": expected " +
                                        std::string(expected) + " at character " + std::to_string(at_));
}

std::string_view PathReader::take_word() {
  const std::size_t begin = at_;
  if (at_ < path_.size() && starts_word(path_[at_])) {
    while (at_ < path_.size() && in_word(path_[at_])) ++at_;
  }
  return path_.substr(begin, at_ - begin);
}

std::string_view PathReader::take_root() {
  if (path_.empty() || path_[0] != '@') return {};
  at_ = 1;
  const std::string_view word = take_word();
  if (word == "program" || word == "metadata") return word;
  at_ = 0;
  return {};
}

std::uint64_t PathReader::take_number(char closing) {
  std::uint64_t value = 0;
  const char* begin = path_.data() + at_;
  const auto [end, error] = std::from_chars(begin, path_.data() + path_.size(), value);
  if (error != std::errc()) fail("a number or a string in quotes");
  at_ += static_cast<std::size_t>(end - begin);
  if (at_ == path_.size() || path_[at_] != closing) fail(std::string("'") + closing + "'");
  ++at_;
  return value;
}

void PathReader::take_string(PathStep& step) {
  ++at_;  // the quote
  const std::size_t begin = at_;
  decoded_.clear();
  bool escaped = false;
  const auto take_hex = [&]() {
    std::uint32_t code = 0;
    if (path_.size() - at_ < 4) fail("four hexadecimal digits");
    const auto [end, error] = std::from_chars(path_.data() + at_, path_.data() + at_ + 4, code, 16);
    if (error != std::errc() || end != path_.data() + at_ + 4) fail("four hexadecimal digits");
    at_ += 4;
    return code;
  };
  while (true) {
    if (at_ == path_.size()) fail("'\"'");
    const char c = path_[at_];
    if (c == '"') break;
    if (c != '\\') {
      if (static_cast<unsigned char>(c) < 0x20) fail("an escape, not a control character");
      if (escaped) decoded_ += c;
      ++at_;
      continue;
    }
    if (!escaped) decoded_.assign(path_, begin, at_ - begin);
    escaped = true;
    ++at_;
    if (at_ == path_.size()) fail("an escape");
    const char kind = path_[at_++];
    switch (kind) {
      case '"':
      case '\\':
      case '/': decoded_ += kind; break;
      case 'b': decoded_ += '\b'; break;
      case 'f': decoded_ += '\f'; break;
      case 'n': decoded_ += '\n'; break;
      case 'r': decoded_ += '\r'; break;
      case 't': decoded_ += '\t'; break;
      case 'u': {
        std::uint32_t code = take_hex();
        if (code >= 0xd800 && code < 0xdc00 && path_.substr(at_, 2) == "\\u") {
          const std::size_t back = at_;
          at_ += 2;
          const std::uint32_t low = take_hex();
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          } else {
            at_ = back;
          }
        }
        append_utf8(code, decoded_);
        break;
      }
      default: --at_; fail("one of \" \\ / b f n r t u");
    }
  }
  step.name = escaped ? std::string_view(decoded_) : path_.substr(begin, at_ - begin);
  ++at_;
  if (at_ == path_.size() || path_[at_] != ']') fail("']'");
  ++at_;
}

bool PathReader::take_step(PathStep& step) {
  if (at_ == path_.size()) return false;
  const char c = path_[at_];
  if (c == '.' || (first_ && at_ == 0 && starts_word(c))) {
    if (c == '.') ++at_;
    step.how = PathStep::How::name;
    step.name = take_word();
    if (step.name.empty()) fail("a name");
  } else if (c == '[') {
    ++at_;
    if (at_ < path_.size() && path_[at_] == '"') {
      step.how = PathStep::How::name;
      take_string(step);
    } else {
      step.how = PathStep::How::index;
      step.index = take_number(']');
    }
  } else if (c == '{') {
    ++at_;
    step.how = PathStep::How::entry;
    step.index = take_number('}');
    if (path_.substr(at_, 4) == "@key" && (at_ + 4 == path_.size() || !in_word(path_[at_ + 4]))) {
      at_ += 4;
      step.how = PathStep::How::key;
    }
  } else if (c == '@') {
    ++at_;
    const std::size_t begin = at_;
    const std::string_view word = take_word();
    step.how = PathStep::How::part;
    step.part = 0;
    for (const PartWord& known : kPartWords) {
      if (known.word == word) step.part = known.part;
    }
    if (step.part == 0) {
      at_ = begin;
      fail("type, args, kwargs, state, items, entries, setter, info or bytes");
    }
  } else {
    fail("'.', '[', '{' or '@'");
  }
  first_ = false;
  return true;
}

namespace {

// The text key of a dict's entry, if the path can name it.
std::optional<std::string_view> name_of_entry(const format::Image& image, const format::NodeRecord& dict,
                                              std::uint64_t entry) {
  const format::NodeRecord key = image.node(image.link(dict.b + 2 * entry));
  if (key.kind != static_cast<std::uint8_t>(Kind::text)) return std::nullopt;
  const std::string_view text = text_of(image, key);
  if (!has_name(text)) return std::nullopt;
  return text;
}

void append_entry(std::uint64_t child, std::string& path) {
  path += '{' + std::to_string(child / 2) + '}';
  if (child % 2 == 0) path += "@key";
}

// The name that leads from an object through its state to a value: empty if there is none.
std::optional<std::string_view> name_in_state(const format::Image& image, const ChainLink& object,
                                              const ChainLink& last) {
  const format::NodeRecord dict = image.node(last.node);
  if (dict.kind != static_cast<std::uint8_t>(Kind::dict) || last.child % 2 == 0) return std::nullopt;
  const auto name = name_of_entry(image, dict, last.child / 2);
  if (!name) return std::nullopt;
  const format::NodeRecord record = image.node(object.node);
  if (find_in_state(image, object.node, record, *name) != image.link(dict.b + last.child)) return std::nullopt;
  return name;
}

// The bit of an object's part number `child`.
std::uint8_t part_number(const format::NodeRecord& object, std::uint64_t child) {
  std::uint8_t part = format::kPartType;
  for (std::uint8_t flags = object.flags; part != 0; part = static_cast<std::uint8_t>(part << 1)) {
    if ((flags & part) == 0) continue;
    if (child-- == 0) return part;
  }
  return 0;
}

// Appends the step that begins the chain; returns how many links it took.
std::size_t append_step(const format::Image& image, std::span<const ChainLink> chain, std::string& path) {
  const ChainLink& link = chain[0];
  const format::NodeRecord record = image.node(link.node);
  switch (kind_of(image, link.node, record)) {
    case Kind::dict: {
      if (link.child % 2 == 1) {
        const auto name = name_of_entry(image, record, link.child / 2);
        if (name && find_entry(image, link.node, record, *name) == link.child / 2) {
          append_name(*name, path);
          return 1;
        }
      }
      append_entry(link.child, path);
      return 1;
    }
    case Kind::set:
    case Kind::frozenset: path += '{' + std::to_string(link.child) + '}'; return 1;
    case Kind::opaque: path += link.child == 0 ? "@info" : "@bytes"; return 1;
    case Kind::object: break;
    default: path += '[' + std::to_string(link.child) + ']'; return 1;
  }
  const std::uint8_t part = part_number(record, link.child);
  if (part == format::kPartState && chain.size() > 1) {
    for (const std::size_t last : {std::size_t{1}, std::size_t{2}}) {
      if (last >= chain.size()) break;
      if (const auto name = name_in_state(image, link, chain[last])) {
        append_name(*name, path);
        return last + 1;
      }
      if (image.node(chain[1].node).kind != static_cast<std::uint8_t>(Kind::tuple)) break;
    }
  }
  if (part == format::kPartItems && chain.size() > 1) {
    path += '[' + std::to_string(chain[1].child) + ']';
    return 2;
  }
  if (part == format::kPartEntries && chain.size() > 1) {
    append_entry(chain[1].child, path);
    return 2;
  }
  for (const PartWord& known : kPartWords) {
    if (known.part == part) path += '@' + std::string(known.word);
  }
  return 1;
}

}  // namespace

void append_chain(const format::Image& image, std::span<const ChainLink> chain, std::string& path) {
  while (!chain.empty()) chain = chain.subspan(append_step(image, chain, path));
}

}  // namespace mere::graph
