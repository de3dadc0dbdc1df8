#include "element_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "time_text.hpp"

namespace mere::command {

namespace {

// Records in records: NumPy's own limit on nesting is about this.
constexpr int kMaxTypeDepth = 64;
// Elements without bytes cost a file nothing: their number has limits of its own, of an array and of a subarray.
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 36;
constexpr std::uint64_t kMaxSubarrayElements = std::uint64_t{1} << 24;

// The bytes of one number, least significant first.
struct Number {
  std::byte bytes[16] = {};

  Number(std::span<const std::byte> from, bool big_endian) {
    const std::size_t size = std::min<std::size_t>(from.size(), sizeof bytes);
    std::copy_n(from.begin(), size, bytes);
    if (big_endian) std::reverse(bytes, bytes + size);
  }
  template <class T>
  T as() const {
    return detail::load_value<T>(bytes, false);
  }
};

// A small binary float: sign, `exponent_bits`, `mantissa_bits`, with IEEE's subnormals.
double small_float(unsigned bits, int exponent_bits, int mantissa_bits, int bias) {
  const unsigned mantissa = bits & ((1u << mantissa_bits) - 1);
  const unsigned exponent = (bits >> mantissa_bits) & ((1u << exponent_bits) - 1);
  const bool negative = ((bits >> (mantissa_bits + exponent_bits)) & 1) != 0;
  const int scale = static_cast<int>(exponent == 0 ? 1 : exponent) - bias - mantissa_bits;
  const double value =
      std::ldexp(static_cast<double>(exponent == 0 ? mantissa : mantissa | (1u << mantissa_bits)), scale);
  return negative ? -value : value;
}

// The value of a float of 16 or 8 bits; `type_class` is real (float16), bfloat16 or one of the float8 variants.
double narrow_float(TypeClass type_class, unsigned bits) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto ieee = [&](int exponent_bits, int mantissa_bits, int bias) {
    const unsigned all_ones = (1u << exponent_bits) - 1;
    if (((bits >> mantissa_bits) & all_ones) == all_ones) {
      if ((bits & ((1u << mantissa_bits) - 1)) != 0) return kNaN;
      return ((bits >> (mantissa_bits + exponent_bits)) & 1) != 0 ? -kInfinity : kInfinity;
    }
    return small_float(bits, exponent_bits, mantissa_bits, bias);
  };
  switch (type_class) {
    case TypeClass::real: return ieee(5, 10, 15);
    case TypeClass::bfloat16: return ieee(8, 7, 127);
    case TypeClass::float8_e5m2: return ieee(5, 2, 15);
    case TypeClass::float8_e4m3fn: return (bits & 0x7f) == 0x7f ? kNaN : small_float(bits, 4, 3, 7);
    case TypeClass::float8_e4m3fnuz: return bits == 0x80 ? kNaN : small_float(bits, 4, 3, 8);
    case TypeClass::float8_e5m2fnuz: return bits == 0x80 ? kNaN : small_float(bits, 5, 2, 16);
    case TypeClass::float8_e4m3b11fnuz: return bits == 0x80 ? kNaN : small_float(bits, 4, 3, 11);
    case TypeClass::float8_e8m0fnu: return bits == 0xff ? kNaN : std::ldexp(1.0, static_cast<int>(bits) - 127);
    default: return kNaN;
  }
}

// An x87 extended number: 64 bits of mantissa, 15 of exponent, sign.
void write_long_double(JsonWriter& json, const Number& number) {
  const auto mantissa = number.as<std::uint64_t>();
  const auto top = detail::load_value<std::uint16_t>(number.bytes + 8, false);
  const int exponent = top & 0x7fff;
  const bool negative = (top & 0x8000) != 0;
  if (exponent == 0x7fff) {
    const bool infinite = (mantissa << 1) == 0;
    json.value(infinite ? (negative ? "-Infinity" : "Infinity") : "NaN");
    return;
  }
  const long double size = std::ldexp(static_cast<long double>(mantissa), (exponent == 0 ? 1 : exponent) - 16383 - 63);
  char text[128];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, negative ? -size : size);
  std::string shortest(text, end.ptr);
  if (shortest.find_first_of(".e") == std::string::npos) shortest += ".0";
  json.raw(shortest);
}

void write_real(JsonWriter& json, std::span<const std::byte> bytes, bool big) {
  const Number number(bytes, big);
  switch (bytes.size()) {
    case 2: json.value(narrow_float(TypeClass::real, number.as<std::uint16_t>())); return;
    case 4: json.value(number.as<float>()); return;
    default: json.value(number.as<double>()); return;
  }
}

void write_unicode(JsonWriter& json, std::span<const std::byte> bytes, bool big) {
  std::string text;
  std::size_t end = 0;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    auto c = Number(bytes.subspan(at, 4), big).as<std::uint32_t>();
    if (c > 0x10ffff) c = 0xfffd;
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else if (c < 0x800) {
      text += static_cast<char>(0xc0 | (c >> 6));
      text += static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
      text += static_cast<char>(0xe0 | (c >> 12));
      text += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      text += static_cast<char>(0x80 | (c & 0x3f));
    } else {
      text += static_cast<char>(0xf0 | (c >> 18));
      text += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
      text += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      text += static_cast<char>(0x80 | (c & 0x3f));
    }
    if (c != 0) end = text.size();
  }
  json.value(std::string_view(text).substr(0, end));
}

void write_bytes(JsonWriter& json, std::span<const std::byte> bytes) {
  json.begin_object(JsonWriter::Layout::line);
  json.key("@bytes");
  json.base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  json.end();
}

void write_time(JsonWriter& json, const Dtype& dtype, const Number& number) {
  const auto count = number.as<std::int64_t>();
  if (count == std::numeric_limits<std::int64_t>::min()) {
    json.value("NaT");
  } else if (dtype.type_class() == TypeClass::datetime) {
    json.value(datetime_text(count, dtype.multiple(), dtype.unit()));
  } else {
    json.begin_object(JsonWriter::Layout::line);
    json.key("@timedelta");
    json.begin_array();
    json.raw(product_text(count, dtype.multiple()));
    json.value(unit_text(dtype.unit()));
    json.end();
    json.end();
  }
}

void write_integer(JsonWriter& json, const Number& number, std::uint64_t size, bool is_signed) {
  switch (size) {
    case 1:
      return is_signed ? json.value(int{number.as<std::int8_t>()}) : json.value(unsigned{number.as<std::uint8_t>()});
    case 2:
      return is_signed ? json.value(int{number.as<std::int16_t>()}) : json.value(unsigned{number.as<std::uint16_t>()});
    case 4:
      return is_signed ? json.value(int{number.as<std::int32_t>()}) : json.value(unsigned{number.as<std::uint32_t>()});
    default: return is_signed ? json.value(number.as<std::int64_t>()) : json.value(number.as<std::uint64_t>());
  }
}

void write_typed(JsonWriter& json, const Dtype& dtype, std::span<const std::byte> bytes, int depth);

void write_nested(JsonWriter& json, const Dtype& dtype, const std::byte* first, const Dims& shape, const Dims& strides,
                  int depth) {
  const std::size_t ndim = shape.size();
  const std::span<const std::int64_t> extents = shape;
  const auto itemsize = static_cast<std::size_t>(dtype.itemsize());
  if (ndim == 0) return write_typed(json, dtype, {first, itemsize}, depth);
  Size count = 1;
  for (std::int64_t n : extents) count = count * Size::from_signed(std::max<std::int64_t>(1, n));
  if (!count.fits(depth == 0 ? kMaxElements : kMaxSubarrayElements)) {
    throw Error(Reason::too_large, "shape " + shape.to_text() + " has too many elements to write out");
  }
  std::vector<std::int64_t> index(ndim, 0);
  std::size_t level = 0;  // arrays open so far, less one
  json.begin_array(JsonWriter::Layout::line);
  // An odometer over the index: `level` is the dimension that turns.
  for (std::ptrdiff_t offset = 0;;) {
    if (index[level] == extents[level]) {
      json.end();
      offset -= static_cast<std::ptrdiff_t>(index[level] * strides[level]);
      index[level] = 0;
      if (level == 0) return;
      --level;
    } else if (level + 1 < ndim) {
      json.begin_array(JsonWriter::Layout::line);
      ++level;
      continue;
    } else {
      write_typed(json, dtype, {first + offset, itemsize}, depth);
    }
    ++index[level];
    offset += static_cast<std::ptrdiff_t>(strides[level]);
  }
}

// Strides of a C-ordered array of `shape`.
Dims c_strides(std::span<const std::int64_t> shape, std::uint64_t itemsize) {
  Dims strides(shape.size());
  Size step = itemsize;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = static_cast<std::int64_t>(step.get("a subarray's stride"));
    step = step * Size::from_signed(std::max<std::int64_t>(1, shape[i]));
  }
  return strides;
}

void write_record(JsonWriter& json, const Dtype& dtype, std::span<const std::byte> bytes, int depth) {
  json.begin_object(JsonWriter::Layout::line);
  for (const Field& field : dtype.fields()) {
    if (!range_fits(field.offset, field.type.itemsize(), bytes.size())) {
      throw Error(Reason::bad_type,
                  "field " + field.name + " ends past its record of " + std::to_string(bytes.size()) + " bytes");
    }
    json.key(field.name);
    write_typed(json, field.type, bytes.subspan(field.offset, field.type.itemsize()), depth + 1);
  }
  json.end();
}

void write_subarray(JsonWriter& json, const Dtype& dtype, std::span<const std::byte> bytes, int depth) {
  Size size = dtype.base().itemsize();
  Dims shape(dtype.shape().size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    shape[i] = dtype.shape()[i];
    size = size * Size::from_signed(shape[i]);
  }
  if (!size.fits(bytes.size())) throw Error(Reason::bad_type, "a subarray is longer than its element");
  write_nested(json, dtype.base(), bytes.data(), shape, c_strides(shape, dtype.base().itemsize()), depth + 1);
}

void write_typed(JsonWriter& json, const Dtype& dtype, std::span<const std::byte> bytes, int depth) {
  if (depth > kMaxTypeDepth) throw Error(Reason::too_deep, "an element type is nested more than 64 deep");
  if (bytes.size() != dtype.itemsize()) {
    throw Error(Reason::bad_type,
                "an element of " + std::to_string(dtype.itemsize()) + " bytes has " + std::to_string(bytes.size()));
  }
  const bool big = dtype.byte_order() == ByteOrder::big;
  switch (dtype.type_class()) {
    case TypeClass::boolean: return json.value(bytes[0] != std::byte{0});
    case TypeClass::integer: return write_integer(json, Number(bytes, big), bytes.size(), true);
    case TypeClass::unsigned_integer: return write_integer(json, Number(bytes, big), bytes.size(), false);
    case TypeClass::real: return write_real(json, bytes, big);
    case TypeClass::long_double: return write_long_double(json, Number(bytes, big));
    case TypeClass::complex:
    case TypeClass::complex_long_double: {
      const std::size_t half = bytes.size() / 2;
      json.begin_object(JsonWriter::Layout::line);
      json.key("@complex");
      json.begin_array();
      for (const std::span<const std::byte> part : {bytes.first(half), bytes.subspan(half)}) {
        if (dtype.type_class() == TypeClass::complex) {
          write_real(json, part, big);
        } else {
          write_long_double(json, Number(part, big));
        }
      }
      json.end();
      return json.end();
    }
    case TypeClass::bytes: {
      std::size_t end = bytes.size();
      while (end > 0 && bytes[end - 1] == std::byte{0}) --end;
      return write_bytes(json, bytes.first(end));
    }
    case TypeClass::unicode: return write_unicode(json, bytes, big);
    case TypeClass::datetime:
    case TypeClass::timedelta: return write_time(json, dtype, Number(bytes, big));
    case TypeClass::record: return write_record(json, dtype, bytes, depth);
    case TypeClass::subarray: return write_subarray(json, dtype, bytes, depth);
    case TypeClass::bfloat16:
      return json.value(narrow_float(dtype.type_class(), Number(bytes, big).as<std::uint16_t>()));
    case TypeClass::float8_e4m3fn:
    case TypeClass::float8_e5m2:
    case TypeClass::float8_e4m3fnuz:
    case TypeClass::float8_e5m2fnuz:
    case TypeClass::float8_e4m3b11fnuz:
    case TypeClass::float8_e8m0fnu:
      return json.value(narrow_float(dtype.type_class(), static_cast<unsigned>(bytes[0])));
    case TypeClass::raw:
    case TypeClass::object:
    case TypeClass::other: return write_bytes(json, bytes);
  }
  throw Error(Reason::unknown_type, "element type class " + std::to_string(static_cast<int>(dtype.type_class())));
}

}  // namespace

void write_element(JsonWriter& json, const Dtype& dtype, std::span<const std::byte> element) {
  write_typed(json, dtype, element, 0);
}

void write_elements(JsonWriter& json, const Dtype& dtype, const std::byte* first, const Dims& shape,
                    const Dims& strides) {
  write_nested(json, dtype, first, shape, strides, 0);
}

std::string elements_text(const Dtype& dtype, const std::byte* first, const Dims& shape, const Dims& strides,
                          std::uint64_t limit) {
  std::string text;
  std::uint64_t count = 1;
  for (std::int64_t n : shape) {
    if (n == 0) return text;
    // Saturates: only what is below `limit` matters.
    count = count > limit                                      ? count
            : (Size(count) * Size::from_signed(n)).fits(limit) ? count * static_cast<std::uint64_t>(n)
                                                               : limit + 1;
  }
  for (std::uint64_t i = 0; i < std::min(count, limit); ++i) {
    std::ptrdiff_t offset = 0;
    std::uint64_t rest = i;
    for (std::size_t d = shape.size(); d-- > 0;) {
      const auto n = static_cast<std::uint64_t>(shape[d]);
      offset += static_cast<std::ptrdiff_t>(rest % n) * static_cast<std::ptrdiff_t>(strides[d]);
      rest /= n;
    }
    if (i > 0) text += ", ";
    std::string element;
    JsonWriter json(element);
    write_element(json, dtype, {first + offset, static_cast<std::size_t>(dtype.itemsize())});
    element.pop_back();  // the end of its line
    text += element;
  }
  return text;
}

}  // namespace mere::command
