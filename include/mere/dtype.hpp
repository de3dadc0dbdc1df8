#pragma once
// Element types: NumPy's, as values. Their form in the file: docs/format.md 5.

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mere/error.hpp>
#include <mere/size.hpp>

namespace mere {

// The numbers are those of the file.
enum class TypeClass : std::uint8_t {
  boolean = 0,              // one byte
  integer = 1,              // signed, 1 2 4 8 bytes
  unsigned_integer = 2,     // 1 2 4 8 bytes
  real = 3,                 // IEEE 754, 2 4 8 bytes
  complex = 4,              // two reals, 8 16 bytes
  long_double = 5,          // x87 extended in 12 or 16 bytes: 10 of them count, the rest is written as zero
  complex_long_double = 6,  // two of those
  bytes = 7,                // NumPy S: fixed length, zero padded
  unicode = 8,              // NumPy U: fixed length, 4 bytes a code point
  raw = 9,                  // NumPy V: fixed length, no meaning
  datetime = 10,            // int64 counts of (multiple x unit) since 1970
  timedelta = 11,           // int64 counts of (multiple x unit)
  object = 12,              // a node each
  record = 13,              // named fields at offsets
  subarray = 14,            // a shape of a base type
  bfloat16 = 15,
  float8_e4m3fn = 16,
  float8_e5m2 = 17,
  float8_e4m3fnuz = 18,
  float8_e5m2fnuz = 19,
  float8_e4m3b11fnuz = 20,
  float8_e8m0fnu = 21,
  other = 22,  // known by name and size alone, carried raw
};

// The numbers are those of the file.
enum class ByteOrder : std::uint8_t { little = 0, big = 1, none = 2 };

// NumPy's datetime units, by NumPy's numbers (3 was business days).
enum class TimeUnit : std::uint8_t {
  year = 0,
  month = 1,
  week = 2,
  day = 4,
  hour = 5,
  minute = 6,
  second = 7,
  millisecond = 8,
  microsecond = 9,
  nanosecond = 10,
  picosecond = 11,
  femtosecond = 12,
  attosecond = 13,
  generic = 14,
};

struct Field;

// A value; copies are cheap (structured types share their fields). Safe to share between threads.
class MERE_API Dtype {
 public:
  Dtype() = default;  // boolean

  // The element type of T: bool, fixed-width integers, float, double, long double, std::complex of those, std::byte.
  template <class T>
  static Dtype of();

  // A plain type. Throws Error: bad_type (a size that the class does not have).
  Dtype(TypeClass type_class, std::uint64_t itemsize, ByteOrder order = ByteOrder::little);

  static Dtype time(TypeClass datetime_or_timedelta, TimeUnit unit, std::uint32_t multiple,
                    ByteOrder order = ByteOrder::little);
  // Fields keep their given order; they may overlap and leave gaps. Throws Error: bad_type (a field ends past
  // itemsize).
  static Dtype record(std::vector<Field> fields, std::uint64_t itemsize, bool aligned = false);
  static Dtype subarray(Dtype base, std::vector<std::int64_t> shape);
  static Dtype other(std::string name, std::uint64_t itemsize);

  // NumPy's array-protocol text: "<f8", "|S5", ">M8[25s]", "|b1". Throws Error: unknown_type.
  static Dtype parse(std::string_view text);

  TypeClass type_class() const { return class_; }
  ByteOrder byte_order() const { return order_; }
  std::uint64_t itemsize() const { return itemsize_; }
  TimeUnit unit() const { return unit_; }
  std::uint32_t multiple() const { return multiple_; }
  bool aligned() const { return aligned_; }        // records: NumPy's align=True
  const std::vector<Field>& fields() const;        // empty unless a record
  const std::vector<std::int64_t>& shape() const;  // subarray
  const Dtype& base() const;                       // subarray; throws wrong_type else
  const std::string& name() const;                 // other
  const Field* find_field(std::string_view name) const;

  bool native() const { return order_ != ByteOrder::big; }  // true where no byte needs mending; records: all fields
  bool has_objects() const;                                 // object, or a record or subarray that holds one
  // True if some byte of an element is covered by no value (padding): such bytes are written as zero.
  bool has_holes() const;

  // As NumPy prints it: "float64", ">f8", "[('a', '<i4'), ('b', '<f8', (3,))]".
  std::string to_text() const;

  MERE_API friend bool operator==(const Dtype& a, const Dtype& b);

 private:
  struct Composite;  // fields, or base and shape, or a name
  TypeClass class_ = TypeClass::boolean;
  ByteOrder order_ = ByteOrder::none;
  TimeUnit unit_ = TimeUnit::generic;
  bool aligned_ = false;
  std::uint32_t multiple_ = 1;
  std::uint64_t itemsize_ = 1;
  std::shared_ptr<const Composite> composite_;
};

struct Field {
  std::string name;
  Dtype type;
  std::uint64_t offset = 0;
  std::string title;  // NumPy's second name of a field; usually empty
};

// True if `type` is exactly what a T in memory is (class, size and native byte order).
template <class T>
bool is_type(const Dtype& type) {
  return type == Dtype::of<T>();
}

template <>
MERE_API Dtype Dtype::of<bool>();
template <>
MERE_API Dtype Dtype::of<std::int8_t>();
template <>
MERE_API Dtype Dtype::of<std::int16_t>();
template <>
MERE_API Dtype Dtype::of<std::int32_t>();
template <>
MERE_API Dtype Dtype::of<std::int64_t>();
template <>
MERE_API Dtype Dtype::of<std::uint8_t>();
template <>
MERE_API Dtype Dtype::of<std::uint16_t>();
template <>
MERE_API Dtype Dtype::of<std::uint32_t>();
template <>
MERE_API Dtype Dtype::of<std::uint64_t>();
template <>
MERE_API Dtype Dtype::of<float>();
template <>
MERE_API Dtype Dtype::of<double>();
template <>
MERE_API Dtype Dtype::of<long double>();
template <>
MERE_API Dtype Dtype::of<long long>();
template <>
MERE_API Dtype Dtype::of<unsigned long long>();
template <>
MERE_API Dtype Dtype::of<std::complex<float>>();
template <>
MERE_API Dtype Dtype::of<std::complex<double>>();
template <>
MERE_API Dtype Dtype::of<std::byte>();

}  // namespace mere
