// Element types as texts: NumPy's array-protocol words in, NumPy's str(dtype) out.

#include <algorithm>
#include <charconv>
#include <mere/dtype.hpp>

#include "graph/dtype_parts.hpp"

namespace mere {

namespace {

constexpr std::string_view kUnits[] = {"Y",  "M",  "W",  "",   "D",  "h",  "m",      "s",
                                       "ms", "us", "ns", "ps", "fs", "as", "generic"};

struct NamedClass {
  std::string_view name;
  TypeClass type_class;
  std::uint64_t itemsize;
};
// Those that ml_dtypes adds: known by name, since their array-protocol words say only "raw bytes".
constexpr NamedClass kSmallFloats[] = {
    {"bfloat16", TypeClass::bfloat16, 2},
    {"float8_e4m3fn", TypeClass::float8_e4m3fn, 1},
    {"float8_e5m2", TypeClass::float8_e5m2, 1},
    {"float8_e4m3fnuz", TypeClass::float8_e4m3fnuz, 1},
    {"float8_e5m2fnuz", TypeClass::float8_e5m2fnuz, 1},
    {"float8_e4m3b11fnuz", TypeClass::float8_e4m3b11fnuz, 1},
    {"float8_e8m0fnu", TypeClass::float8_e8m0fnu, 1},
};

[[noreturn]] void throw_unknown(std::string_view text) {
  throw Error(Reason::unknown_type, "element type \"" + std::string(text.substr(0, 80)) + "\"");
}

// A decimal number that is the whole of `digits`.
bool parse_number(std::string_view digits, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size();
}

Dtype parse_time(std::string_view text, TypeClass type_class, std::string_view rest, ByteOrder order) {
  if (rest.substr(0, 1) != "8") throw_unknown(text);
  rest.remove_prefix(1);
  if (rest.empty()) return Dtype::time(type_class, TimeUnit::generic, 1, order);
  if (rest.size() < 3 || rest.front() != '[' || rest.back() != ']') throw_unknown(text);
  rest = rest.substr(1, rest.size() - 2);
  const std::size_t digits = rest.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) throw_unknown(text);
  std::uint64_t multiple = 1;
  if (digits != 0 && (!parse_number(rest.substr(0, digits), multiple) || multiple == 0 || multiple > 0x7fffffff)) {
    throw_unknown(text);
  }
  rest.remove_prefix(digits);
  for (std::size_t i = 0; i < std::size(kUnits); ++i) {
    if (!kUnits[i].empty() && kUnits[i] == rest) {
      return Dtype::time(type_class, static_cast<TimeUnit>(i), static_cast<std::uint32_t>(multiple), order);
    }
  }
  throw_unknown(text);
}

char order_mark(const Dtype& type) {
  switch (type.byte_order()) {
    case ByteOrder::little: return '<';
    case ByteOrder::big: return '>';
    case ByteOrder::none: return '|';
  }
  return '|';
}

std::string unit_text(const Dtype& type) {
  if (type.unit() == TimeUnit::generic) return {};
  const std::string multiple = type.multiple() == 1 ? "" : std::to_string(type.multiple());
  return "[" + multiple + std::string(kUnits[static_cast<std::size_t>(type.unit())]) + "]";
}

// Kind letter and size without the mark: "f8", "S5", "M8[s]".
std::string protocol_word(const Dtype& type) {
  const std::string size = std::to_string(type.itemsize());
  switch (type.type_class()) {
    case TypeClass::boolean: return "b1";
    case TypeClass::integer: return "i" + size;
    case TypeClass::unsigned_integer: return "u" + size;
    case TypeClass::real:
    case TypeClass::long_double: return "f" + size;
    case TypeClass::complex:
    case TypeClass::complex_long_double: return "c" + size;
    case TypeClass::bytes: return "S" + size;
    case TypeClass::unicode: return "U" + std::to_string(type.itemsize() / 4);
    case TypeClass::datetime: return "M8" + unit_text(type);
    case TypeClass::timedelta: return "m8" + unit_text(type);
    case TypeClass::object: return "O";
    case TypeClass::raw: return "V" + size;
    default: break;
  }
  for (const NamedClass& small : kSmallFloats) {
    if (small.type_class == type.type_class()) return std::string(small.name);
  }
  return type.name().empty() ? "V" + size : type.name();
}

// The name that NumPy gives a plain type of native order; empty if it has none.
std::string native_name(const Dtype& type) {
  const std::string bits = std::to_string(type.itemsize() * 8);
  switch (type.type_class()) {
    case TypeClass::boolean: return "bool";
    case TypeClass::integer: return "int" + bits;
    case TypeClass::unsigned_integer: return "uint" + bits;
    case TypeClass::real:
    case TypeClass::long_double: return "float" + bits;
    case TypeClass::complex:
    case TypeClass::complex_long_double: return "complex" + bits;
    case TypeClass::datetime: return "datetime64" + unit_text(type);
    case TypeClass::timedelta: return "timedelta64" + unit_text(type);
    case TypeClass::object: return "object";
    case TypeClass::bytes:
    case TypeClass::unicode:
    case TypeClass::raw: return {};
    default: return protocol_word(type);
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

// In Python's quoting, for texts in names of fields.
std::string quoted(const std::string& text) {
  const char quote = text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr char hex[] = "0123456789abcdef";
      out += "\\x";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + quote;
}

// Alignment as NumPy counts it for align=True; NumPy's records are aligned only if made so.
std::uint64_t numpy_alignment(const Dtype& type) {
  switch (type.type_class()) {
    case TypeClass::integer:
    case TypeClass::unsigned_integer:
    case TypeClass::real:
    case TypeClass::datetime:
    case TypeClass::timedelta:
    case TypeClass::object:
    case TypeClass::bfloat16: return type.itemsize();
    case TypeClass::complex: return type.itemsize() / 2;
    case TypeClass::long_double: return type.itemsize() == 16 ? 16 : 4;
    case TypeClass::complex_long_double: return type.itemsize() == 32 ? 16 : 4;
    case TypeClass::unicode: return 4;
    case TypeClass::subarray: return numpy_alignment(type.base());
    case TypeClass::record: {
      std::uint64_t most = 1;
      if (type.aligned()) {
        for (const Field& field : type.fields()) most = std::max(most, numpy_alignment(field.type));
      }
      return most;
    }
    default: return 1;
  }
}

// True if the fields follow each other in order with no gaps but those of align=True.
bool packed(const Dtype& type) {
  std::uint64_t at = 0, most = 1;
  for (const Field& field : type.fields()) {
    if (type.aligned()) {
      const std::uint64_t alignment = numpy_alignment(field.type);
      most = std::max(most, alignment);
      at = Size(at).round_up(alignment).get("record");
    }
    if (field.offset != at) return false;
    at += field.type.itemsize();
  }
  return Size(at).round_up(most).get("record") == type.itemsize();
}

void append_text(const Dtype& type, bool inner, std::string& out);

// How a type stands inside a record: "'<f8'", "('<f8', (3,))", "[...]".
void append_format(const Dtype& type, std::string& out) {
  if (type.type_class() == TypeClass::record || type.type_class() == TypeClass::subarray) {
    append_text(type, true, out);
    return;
  }
  std::string word = protocol_word(type);
  if (type.type_class() == TypeClass::boolean) word = "?";
  if (type.itemsize() == 0 && (word == "S0" || word == "V0" || word == "U0")) word.pop_back();
  const char mark = order_mark(type);
  out += '\'';
  if (mark != '|') out += mark;
  out += word;
  out += '\'';
}

void append_list_form(const Dtype& type, std::string& out) {
  out += '[';
  for (const Field& field : type.fields()) {
    if (out.back() != '[') out += ", ";
    out += '(';
    out += field.title.empty() ? quoted(field.name) : "(" + quoted(field.title) + ", " + quoted(field.name) + ")";
    out += ", ";
    if (field.type.type_class() == TypeClass::subarray) {
      append_format(field.type.base(), out);
      out += ", " + shape_text(field.type.shape());
    } else {
      append_format(field.type, out);
    }
    out += ')';
  }
  out += ']';
}

void append_dict_form(const Dtype& type, bool inner, std::string& out) {
  const std::vector<Field>& fields = type.fields();
  bool titled = false;
  out += "{'names': [";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out += (i ? ", " : "") + quoted(fields[i].name);
    titled = titled || !fields[i].title.empty();
  }
  out += "], 'formats': [";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i) out += ", ";
    append_format(fields[i].type, out);
  }
  out += "], 'offsets': [";
  for (std::size_t i = 0; i < fields.size(); ++i) out += (i ? ", " : "") + std::to_string(fields[i].offset);
  if (titled) {
    out += "], 'titles': [";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      out += i ? ", " : "";
      out += fields[i].title.empty() ? "None" : quoted(fields[i].title);
    }
  }
  out += "], 'itemsize': " + std::to_string(type.itemsize());
  if (type.aligned() && !inner) out += ", 'aligned': True";
  out += '}';
}

void append_text(const Dtype& type, bool inner, std::string& out) {
  if (type.type_class() == TypeClass::record) {
    // NumPy says align=True only of the outermost record.
    if ((inner || !type.aligned()) && packed(type)) {
      append_list_form(type, out);
    } else {
      append_dict_form(type, inner, out);
    }
  } else if (type.type_class() == TypeClass::subarray) {
    out += '(';
    append_format(type.base(), out);
    out += ", " + shape_text(type.shape()) + ")";
  } else {
    std::string name = type.native() ? native_name(type) : std::string();
    out += name.empty() ? order_mark(type) + protocol_word(type) : name;
  }
}

}  // namespace

Dtype Dtype::parse(std::string_view text) {
  std::string_view rest = text;
  ByteOrder order = ByteOrder::little;
  if (!rest.empty() && (rest[0] == '<' || rest[0] == '>' || rest[0] == '|' || rest[0] == '=')) {
    if (rest[0] == '>') order = ByteOrder::big;
    rest.remove_prefix(1);
  }
  for (const NamedClass& small : kSmallFloats) {
    if (rest == small.name) return Dtype(small.type_class, small.itemsize, order);
  }
  if (rest.empty()) throw_unknown(text);
  const char letter = rest[0];
  rest.remove_prefix(1);
  if (letter == 'M') return parse_time(text, TypeClass::datetime, rest, order);
  if (letter == 'm') return parse_time(text, TypeClass::timedelta, rest, order);
  if (letter == '?' && rest.empty()) return Dtype();
  if (letter == 'O' && (rest.empty() || rest == "8")) return Dtype(TypeClass::object, 8);
  std::uint64_t size = 0;
  if (!parse_number(rest, size)) throw_unknown(text);
  if (size > 0x7fffffff) throw Error(Reason::shape_overflow, "element type \"" + std::string(text) + "\" is too large");
  try {
    switch (letter) {
      case 'b': return Dtype(TypeClass::boolean, size);
      case 'i': return Dtype(TypeClass::integer, size, order);
      case 'u': return Dtype(TypeClass::unsigned_integer, size, order);
      case 'f': return Dtype(size > 8 ? TypeClass::long_double : TypeClass::real, size, order);
      case 'c': return Dtype(size > 16 ? TypeClass::complex_long_double : TypeClass::complex, size, order);
      case 'S':
      case 'a': return Dtype(TypeClass::bytes, size);
      case 'U': return Dtype(TypeClass::unicode, size * 4, order);
      case 'V': return Dtype(TypeClass::raw, size);
      default: break;
    }
  } catch (const Error&) {
    throw_unknown(text);
  }
  throw_unknown(text);
}

std::string graph::protocol_text(const Dtype& type) {
  const TypeClass c = type.type_class();
  if (c == TypeClass::record) return "|V" + std::to_string(type.itemsize());
  if (c >= TypeClass::subarray) return {};
  return order_mark(type) + protocol_word(type);
}

std::string Dtype::to_text() const {
  std::string out;
  append_text(*this, false, out);
  return out;
}

}  // namespace mere
