#include "container/npy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <mere/array.hpp>
#include <mere/size.hpp>

#include "container/python_literal.hpp"
#include "graph/dtype_parts.hpp"

namespace mere::container {

namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::uint64_t kMostHeaderBytes = std::uint64_t{1} << 20;
constexpr std::size_t kDataAlignment = 64;

using Literal = PythonLiteral;

[[noreturn]] void fail(Reason reason, const std::string& what) {
  throw Error(reason, "npy header: " + what);
}

std::vector<std::int64_t> read_shape(const Literal& literal) {
  if (literal.kind == Literal::Kind::integer)
    return read_shape(Literal{.kind = Literal::Kind::tuple, .text = {}, .members = {literal}});
  if (literal.kind != Literal::Kind::tuple) fail(Reason::bad_record, "a shape that is no tuple");
  if (literal.members.size() > kMaxDims) {
    fail(Reason::shape_overflow,
         "a shape of " + std::to_string(literal.members.size()) + " dimensions, at most 64 are possible");
  }
  std::vector<std::int64_t> shape;
  for (const Literal& dim : literal.members) {
    if (dim.kind != Literal::Kind::integer) fail(Reason::bad_record, "a dimension that is no number");
    if (dim.integer < 0) fail(Reason::shape_overflow, "a dimension of " + std::to_string(dim.integer));
    shape.push_back(dim.integer);
  }
  return shape;
}

Dtype read_descr(const Literal& literal);

// A list of (name, type), (name, type, shape), with (title, name) for a name that has a title. Offsets follow from
// the sizes; a field without a name is padding.
Dtype read_record(const Literal& literal) {
  std::vector<Field> fields;
  Size offset = 0;
  for (const Literal& entry : literal.members) {
    if (entry.kind != Literal::Kind::tuple || entry.members.size() < 2 || entry.members.size() > 3) {
      fail(Reason::bad_record, "a field that is not (name, type) or (name, type, shape)");
    }
    Field field;
    const Literal& name = entry.members[0];
    if (name.kind == Literal::Kind::text) {
      field.name = name.text;
    } else if (name.kind == Literal::Kind::tuple && name.members.size() == 2 &&
               name.members[0].kind == Literal::Kind::text && name.members[1].kind == Literal::Kind::text) {
      field.title = name.members[0].text;
      field.name = name.members[1].text;
    } else {
      fail(Reason::bad_record, "a field whose name is no text");
    }
    field.type = read_descr(entry.members[1]);
    if (entry.members.size() == 3) field.type = Dtype::subarray(field.type, read_shape(entry.members[2]));
    field.offset = offset.get("npy header: record");
    offset = offset + field.type.itemsize();
    if (field.name.empty() && field.title.empty() && field.type.type_class() == TypeClass::raw) continue;
    fields.push_back(std::move(field));
  }
  return Dtype::record(std::move(fields), offset.get("npy header: record"));
}

// Depth is bounded by that of the literal.
Dtype read_descr(const Literal& literal) {
  switch (literal.kind) {
    case Literal::Kind::text:
      // The one small float of ml_dtypes that says it is one; NumPy writes the others as raw bytes.
      if (literal.text == "<f1" || literal.text == "|f1") return Dtype(TypeClass::float8_e5m2, 1);
      return Dtype::parse(literal.text);
    case Literal::Kind::list: return read_record(literal);
    case Literal::Kind::tuple:
      if (literal.members.size() == 2)
        return Dtype::subarray(read_descr(literal.members[0]), read_shape(literal.members[1]));
      break;
    default: break;
  }
  fail(Reason::bad_record, "descr is no element type");
}

// As descr spells it.
std::string descr_text(const Dtype& type);

std::string shape_literal(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::string record_descr(const Dtype& type) {
  std::string text = "[";
  std::uint64_t end = 0;
  const auto pad = [&](std::uint64_t to) {
    if (to > end) text += (text.size() > 1 ? ", " : "") + ("('', '|V" + std::to_string(to - end)) + "')";
  };
  for (const Field& field : type.fields()) {
    if (field.offset < end) {
      throw Error(Reason::not_supported,
                  "npy: fields of " + type.to_text() + " overlap or stand in another order than their bytes");
    }
    pad(field.offset);
    if (text.size() > 1) text += ", ";
    const std::string name = python_repr(field.name);
    text += '(' + (field.title.empty() ? name : '(' + python_repr(field.title) + ", " + name + ')') + ", ";
    if (field.type.type_class() == TypeClass::subarray) {
      text += descr_text(field.type.base()) + ", " + shape_literal(field.type.shape());
    } else {
      text += descr_text(field.type);
    }
    text += ')';
    end = field.offset + field.type.itemsize();
  }
  pad(type.itemsize());
  return text + ']';
}

// Types that NumPy lacks become raw bytes, as NumPy itself writes them.
std::string element_code(const Dtype& type) {
  const std::string text = graph::protocol_text(type);
  return text.empty() ? "|V" + std::to_string(type.itemsize()) : text;
}

std::string descr_text(const Dtype& type) {
  switch (type.type_class()) {
    case TypeClass::record: return record_descr(type);
    case TypeClass::subarray: return '(' + descr_text(type.base()) + ", " + shape_literal(type.shape()) + ')';
    case TypeClass::object: throw Error(Reason::not_supported, "npy: arrays of objects would be pickles");
    default: return python_repr(element_code(type));
  }
}

}  // namespace

bool is_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

NpyHeader read_npy_header(std::span<const std::byte> bytes, bool objects) {
  if (bytes.size() < 10) fail(Reason::truncated, "a file of " + std::to_string(bytes.size()) + " bytes");
  const auto major = static_cast<unsigned>(bytes[6]);
  const auto minor = static_cast<unsigned>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0) {
    fail(Reason::unsupported_version,
         "version " + std::to_string(major) + "." + std::to_string(minor) + ", known are 1.0, 2.0 and 3.0");
  }
  // The length of the header text: 2 bytes in version 1, 4 later.
  std::uint64_t length = 0;
  const std::uint64_t text_offset = major == 1 ? 10 : 12;
  if (bytes.size() < text_offset) fail(Reason::truncated, "a file of " + std::to_string(bytes.size()) + " bytes");
  std::memcpy(&length, bytes.data() + 8, text_offset - 8);
  if (length > kMostHeaderBytes)
    fail(Reason::too_large, "a header of " + std::to_string(length) + " bytes, at most 1 MiB is read");
  if (!range_fits(text_offset, length, bytes.size())) {
    fail(Reason::truncated,
         "a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + text_offset,
                              static_cast<std::size_t>(length));
  const Literal dict = parse_python_literal(text, major < 3);
  if (dict.kind != Literal::Kind::dict) fail(Reason::bad_record, "it is no dict");
  const Literal* descr = nullptr;
  const Literal* order = nullptr;
  const Literal* shape = nullptr;
  for (std::size_t i = 0; i < dict.members.size(); i += 2) {
    const Literal& key = dict.members[i];
    const std::string_view name = key.kind == Literal::Kind::text ? std::string_view(key.text) : std::string_view();
    const Literal** slot = name == "descr"           ? &descr
                           : name == "fortran_order" ? &order
                           : name == "shape"         ? &shape
                                                     : nullptr;
    if (slot == nullptr) fail(Reason::bad_record, "a key other than descr, fortran_order and shape");
    if (*slot != nullptr) fail(Reason::duplicate_key, "key " + std::string(name) + " twice");
    *slot = &dict.members[i + 1];
  }
  if (descr == nullptr || order == nullptr || shape == nullptr) {
    fail(Reason::bad_record, "one of descr, fortran_order and shape is missing");
  }
  if (order->kind != Literal::Kind::boolean) fail(Reason::bad_record, "fortran_order is no bool");
  if (shape->kind != Literal::Kind::tuple) fail(Reason::bad_record, "a shape that is no tuple");

  NpyHeader header;
  header.dtype = read_descr(*descr);
  if (descr->kind == Literal::Kind::text) header.descr = descr->text;
  if (header.dtype.has_objects() && !objects)
    fail(Reason::not_supported, "an array of objects, which the file keeps as a pickle");
  header.shape = read_shape(*shape);
  header.fortran = order->boolean;
  header.data_offset = text_offset + length;
  Size size = header.dtype.itemsize();
  for (const std::int64_t n : header.shape) size = size * Size::from_signed(n);
  header.data_bytes = size.get("npy header: shape " + shape_literal(header.shape));
  const std::uint64_t present = bytes.size() - header.data_offset;
  if (header.dtype.has_objects()) {
    header.data_bytes = present;
    return header;
  }
  if (header.data_bytes != present) {
    fail(header.data_bytes > present ? Reason::truncated : Reason::trailing_bytes,
         "shape " + shape_literal(header.shape) + " of " + header.dtype.to_text() + " needs " +
             std::to_string(header.data_bytes) + " bytes, found " + std::to_string(present));
  }
  return header;
}

std::string npy_header(const Dtype& dtype, std::span<const std::int64_t> shape, bool fortran) {
  std::string text = "{'descr': " + descr_text(dtype) + ", 'fortran_order': " + (fortran ? "True" : "False") +
                     ", 'shape': " + shape_literal(shape) + ", }";
  // Names beyond ASCII are written as UTF-8, which only version 3 has.
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  int major = ascii ? 1 : 3;
  const auto padded = [&](std::size_t fixed) {
    const std::size_t all = fixed + text.size() + 1;
    return (all + kDataAlignment - 1) / kDataAlignment * kDataAlignment - fixed;
  };
  if (major == 1 && padded(10) > 0xffff) major = 2;
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t length = padded(8 + length_bytes);
  std::string out(kMagic);
  out += static_cast<char>(major);
  out += '\0';
  for (std::size_t i = 0; i < length_bytes; ++i) out += static_cast<char>(length >> (8 * i));
  text.resize(length - 1, ' ');
  return out + text + '\n';
}

}  // namespace mere::container
