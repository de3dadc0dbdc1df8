#include <mere/dtype.hpp>

#include <algorithm>
#include <complex>
#include <functional>

#include "graph/dtype_parts.hpp"
#include "graph/id_table.hpp"

namespace mere {

struct Dtype::Composite {
  std::vector<Field> fields;
  Dtype base;
  std::vector<std::int64_t> shape;
  std::string name;
  std::uint64_t elements = 1;  // of a subarray
  std::uint64_t parts = 1;     // plain types inside, counted with their repetitions
  std::uint32_t depth = 1;
  bool objects = false, holes = false;
};

namespace {

[[noreturn]] void throw_size_of(TypeClass type_class, std::uint64_t itemsize) {
  throw Error(Reason::bad_type, "element type of class " + std::to_string(static_cast<int>(type_class)) + " with " +
                                    std::to_string(itemsize) + " bytes an element");
}

bool size_is_valid(TypeClass c, std::uint64_t n) {
  switch (c) {
    case TypeClass::boolean: return n == 1;
    case TypeClass::integer:
    case TypeClass::unsigned_integer: return n == 1 || n == 2 || n == 4 || n == 8;
    case TypeClass::real: return n == 2 || n == 4 || n == 8;
    case TypeClass::complex: return n == 8 || n == 16;
    case TypeClass::long_double: return n == 12 || n == 16;
    case TypeClass::complex_long_double: return n == 24 || n == 32;
    case TypeClass::unicode: return n % 4 == 0;
    case TypeClass::datetime:
    case TypeClass::timedelta:
    case TypeClass::object: return n == 8;
    case TypeClass::bfloat16: return n == 2;
    case TypeClass::float8_e4m3fn:
    case TypeClass::float8_e5m2:
    case TypeClass::float8_e4m3fnuz:
    case TypeClass::float8_e5m2fnuz:
    case TypeClass::float8_e4m3b11fnuz:
    case TypeClass::float8_e8m0fnu: return n == 1;
    case TypeClass::bytes:
    case TypeClass::raw:
    case TypeClass::other: return true;
    case TypeClass::record:
    case TypeClass::subarray: return false;  // these have functions of their own
  }
  return false;
}

// Classes whose elements have an order of bytes at all.
bool has_order(TypeClass c, std::uint64_t itemsize) {
  switch (c) {
    case TypeClass::integer:
    case TypeClass::unsigned_integer: return itemsize > 1;
    case TypeClass::real:
    case TypeClass::complex:
    case TypeClass::long_double:
    case TypeClass::complex_long_double:
    case TypeClass::unicode:
    case TypeClass::datetime:
    case TypeClass::timedelta:
    case TypeClass::bfloat16: return true;
    default: return false;
  }
}

bool plain_holes(TypeClass c) {
  return c == TypeClass::long_double || c == TypeClass::complex_long_double;
}

// Sorts, and joins what touches or overlaps.
void merge_ranges(std::vector<graph::ByteRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  std::size_t kept = 0;
  for (const graph::ByteRange& r : ranges) {
    if (r.bytes == 0) continue;
    if (kept != 0 && ranges[kept - 1].offset + ranges[kept - 1].bytes >= r.offset) {
      graph::ByteRange& last = ranges[kept - 1];
      last.bytes = std::max(last.offset + last.bytes, r.offset + r.bytes) - last.offset;
    } else {
      ranges[kept++] = r;
    }
  }
  ranges.resize(kept);
}

}  // namespace

Dtype::Dtype(TypeClass type_class, std::uint64_t itemsize, ByteOrder order)
    : class_(type_class), order_(has_order(type_class, itemsize) ? order : ByteOrder::none), itemsize_(itemsize) {
  if (!size_is_valid(type_class, itemsize)) throw_size_of(type_class, itemsize);
  if (order_ == ByteOrder::none && has_order(type_class, itemsize)) order_ = ByteOrder::little;
}

Dtype Dtype::time(TypeClass datetime_or_timedelta, TimeUnit unit, std::uint32_t multiple, ByteOrder order) {
  if (datetime_or_timedelta != TypeClass::datetime && datetime_or_timedelta != TypeClass::timedelta) {
    throw Error(Reason::bad_type, "a time type of class " + std::to_string(static_cast<int>(datetime_or_timedelta)));
  }
  const auto number = static_cast<int>(unit);
  if (number > 14 || number == 3 || multiple == 0) {
    throw Error(Reason::bad_type,
                "a time type of unit " + std::to_string(number) + ", multiple " + std::to_string(multiple));
  }
  Dtype type(datetime_or_timedelta, 8, order);
  type.unit_ = unit;
  type.multiple_ = multiple;
  return type;
}

Dtype Dtype::record(std::vector<Field> fields, std::uint64_t itemsize, bool aligned) {
  auto made = std::make_shared<Composite>();
  bool native = true;
  std::vector<graph::ByteRange> ranges;
  std::vector<std::string_view> names;
  ranges.reserve(fields.size());
  names.reserve(fields.size());
  made->parts = 0;
  for (const Field& field : fields) {
    if (!range_fits(field.offset, field.type.itemsize(), itemsize)) {
      throw Error(Reason::bad_type, "field " + field.name + " at " + std::to_string(field.offset) + " with " +
                                        std::to_string(field.type.itemsize()) + " bytes, in a record of " +
                                        std::to_string(itemsize));
    }
    names.push_back(field.name);
    ranges.push_back({field.offset, field.type.itemsize()});
    native = native && field.type.native();
    made->objects = made->objects || field.type.has_objects();
    made->holes = made->holes || field.type.has_holes();
    if (const Composite* inner = field.type.composite_.get()) {
      made->depth = std::max(made->depth, inner->depth + 1);
      made->parts += inner->parts;
    }
    ++made->parts;
    if (made->depth > graph::kMaxTypeDepth) {
      throw Error(Reason::too_deep, "element types nested deeper than " + std::to_string(graph::kMaxTypeDepth));
    }
    if (made->parts > graph::kMaxTypeParts) {
      throw Error(Reason::too_large,
                  "an element type with more than " + std::to_string(graph::kMaxTypeParts) + " parts");
    }
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw Error(Reason::bad_type, "a record with two fields named " + std::string(*twice));
  merge_ranges(ranges);
  const bool full = itemsize == 0 || (ranges.size() == 1 && ranges[0].offset == 0 && ranges[0].bytes == itemsize);
  made->holes = made->holes || !full;
  made->fields = std::move(fields);
  Dtype type;
  type.class_ = TypeClass::record;
  type.order_ = native ? ByteOrder::none : ByteOrder::big;
  type.aligned_ = aligned;
  type.itemsize_ = itemsize;
  type.composite_ = std::move(made);
  return type;
}

Dtype Dtype::subarray(Dtype base, std::vector<std::int64_t> shape) {
  if (shape.size() > 64)
    throw Error(Reason::shape_overflow, "a subarray of " + std::to_string(shape.size()) + " dimensions");
  auto made = std::make_shared<Composite>();
  Size elements = 1;
  for (const std::int64_t n : shape) elements = elements * Size::from_signed(n);
  made->elements = elements.get("subarray");
  Dtype type;
  type.itemsize_ = (elements * Size(base.itemsize())).get("subarray");
  if (const Composite* inner = base.composite_.get()) {
    made->depth = inner->depth + 1;
    made->parts = inner->parts + 1;
  }
  if (made->depth > graph::kMaxTypeDepth) {
    throw Error(Reason::too_deep, "element types nested deeper than " + std::to_string(graph::kMaxTypeDepth));
  }
  made->objects = base.has_objects();
  made->holes = base.has_holes() && type.itemsize_ != 0;
  made->shape = std::move(shape);
  type.class_ = TypeClass::subarray;
  type.order_ = base.native() ? ByteOrder::none : ByteOrder::big;
  made->base = std::move(base);
  type.composite_ = std::move(made);
  return type;
}

Dtype Dtype::other(std::string name, std::uint64_t itemsize) {
  Dtype type(TypeClass::other, itemsize);
  auto made = std::make_shared<Composite>();
  made->name = std::move(name);
  type.composite_ = std::move(made);
  return type;
}

const std::vector<Field>& Dtype::fields() const {
  static const std::vector<Field> none;
  return class_ == TypeClass::record && composite_ ? composite_->fields : none;
}

const std::vector<std::int64_t>& Dtype::shape() const {
  static const std::vector<std::int64_t> none;
  return class_ == TypeClass::subarray && composite_ ? composite_->shape : none;
}

const Dtype& Dtype::base() const {
  if (class_ != TypeClass::subarray) throw Error(Reason::wrong_type, to_text() + " is no subarray");
  return composite_->base;
}

const std::string& Dtype::name() const {
  static const std::string none;
  return class_ == TypeClass::other && composite_ ? composite_->name : none;
}

const Field* Dtype::find_field(std::string_view name) const {
  for (const Field& field : fields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

bool Dtype::has_objects() const {
  return class_ == TypeClass::object || (composite_ && composite_->objects);
}

bool Dtype::has_holes() const {
  return plain_holes(class_) || (composite_ && composite_->holes);
}

bool operator==(const Dtype& a, const Dtype& b) {
  if (a.class_ != b.class_ || a.order_ != b.order_ || a.itemsize_ != b.itemsize_ || a.aligned_ != b.aligned_ ||
      a.unit_ != b.unit_ || a.multiple_ != b.multiple_) {
    return false;
  }
  if (a.composite_ == b.composite_) return true;
  if (!a.composite_ || !b.composite_) return false;
  const Dtype::Composite& x = *a.composite_;
  const Dtype::Composite& y = *b.composite_;
  return x.shape == y.shape && x.name == y.name && x.fields.size() == y.fields.size() && x.base == y.base &&
         std::equal(x.fields.begin(), x.fields.end(), y.fields.begin(), [](const Field& f, const Field& g) {
           return f.offset == g.offset && f.name == g.name && f.title == g.title && f.type == g.type;
         });
}

template <>
Dtype Dtype::of<bool>() {
  return Dtype();
}
template <>
Dtype Dtype::of<std::int8_t>() {
  return Dtype(TypeClass::integer, 1);
}
template <>
Dtype Dtype::of<std::int16_t>() {
  return Dtype(TypeClass::integer, 2);
}
template <>
Dtype Dtype::of<std::int32_t>() {
  return Dtype(TypeClass::integer, 4);
}
template <>
Dtype Dtype::of<std::int64_t>() {
  return Dtype(TypeClass::integer, 8);
}
template <>
Dtype Dtype::of<long long>() {
  return Dtype(TypeClass::integer, 8);
}
template <>
Dtype Dtype::of<std::uint8_t>() {
  return Dtype(TypeClass::unsigned_integer, 1);
}
template <>
Dtype Dtype::of<std::uint16_t>() {
  return Dtype(TypeClass::unsigned_integer, 2);
}
template <>
Dtype Dtype::of<std::uint32_t>() {
  return Dtype(TypeClass::unsigned_integer, 4);
}
template <>
Dtype Dtype::of<std::uint64_t>() {
  return Dtype(TypeClass::unsigned_integer, 8);
}
template <>
Dtype Dtype::of<unsigned long long>() {
  return Dtype(TypeClass::unsigned_integer, 8);
}
template <>
Dtype Dtype::of<float>() {
  return Dtype(TypeClass::real, 4);
}
template <>
Dtype Dtype::of<double>() {
  return Dtype(TypeClass::real, 8);
}
template <>
Dtype Dtype::of<long double>() {
  return Dtype(TypeClass::long_double, sizeof(long double));
}
template <>
Dtype Dtype::of<std::complex<float>>() {
  return Dtype(TypeClass::complex, 8);
}
template <>
Dtype Dtype::of<std::complex<double>>() {
  return Dtype(TypeClass::complex, 16);
}
template <>
Dtype Dtype::of<std::byte>() {
  return Dtype(TypeClass::raw, 1);
}

namespace graph {

namespace {

[[noreturn]] void throw_too_many_parts() {
  throw Error(Reason::too_large, "an element type with more than " + std::to_string(kMaxTypeParts) + " parts");
}

void add_covered(const Dtype& type, std::uint64_t at, std::vector<ByteRange>& out) {
  if (type.itemsize() == 0) return;
  if (!type.has_holes()) {
    out.push_back({at, type.itemsize()});
  } else if (type.type_class() == TypeClass::record) {
    for (const Field& field : type.fields()) add_covered(field.type, at + field.offset, out);
  } else if (type.type_class() == TypeClass::subarray) {
    std::vector<ByteRange> one;
    add_covered(type.base(), 0, one);
    const std::uint64_t step = type.base().itemsize();
    if (!one.empty() && type.itemsize() / step > kMaxTypeParts / one.size()) throw_too_many_parts();
    for (std::uint64_t i = 0; !one.empty() && i < type.itemsize() / step; ++i) {
      for (const ByteRange& range : one) out.push_back({at + i * step + range.offset, range.bytes});
    }
  } else {
    // x87 numbers: ten bytes of each count, the last ten where the order of bytes is turned round.
    const std::uint64_t count = type.type_class() == TypeClass::long_double ? 1 : 2;
    const std::uint64_t step = type.itemsize() / count;
    const std::uint64_t skip = type.byte_order() == ByteOrder::big ? step - 10 : 0;
    for (std::uint64_t i = 0; i < count; ++i) out.push_back({at + i * step + skip, 10});
  }
  if (out.size() > kMaxTypeParts) throw_too_many_parts();
}

}  // namespace

std::vector<ByteRange> covered_bytes(const Dtype& type) {
  std::vector<ByteRange> ranges;
  add_covered(type, 0, ranges);
  merge_ranges(ranges);
  return ranges;
}

std::uint64_t hash_of(const Dtype& type) {
  std::uint64_t h =
      mix(static_cast<std::uint64_t>(type.type_class()) << 16 | static_cast<std::uint64_t>(type.byte_order()) << 8 |
              static_cast<std::uint64_t>(type.unit()),
          type.itemsize());
  h = mix(h, type.multiple());
  const std::hash<std::string_view> text_hash;
  if (type.type_class() == TypeClass::record) {
    for (const Field& field : type.fields()) {
      h = mix(h, text_hash(field.name));
      h = mix(h, field.offset);
      h = mix(h, hash_of(field.type));
    }
  } else if (type.type_class() == TypeClass::subarray) {
    for (const std::int64_t n : type.shape()) h = mix(h, static_cast<std::uint64_t>(n));
    h = mix(h, hash_of(type.base()));
  } else if (type.type_class() == TypeClass::other) {
    h = mix(h, text_hash(type.name()));
  }
  return h;
}

std::uint64_t natural_alignment(const Dtype& type) {
  switch (type.type_class()) {
    case TypeClass::integer:
    case TypeClass::unsigned_integer:
    case TypeClass::real:
    case TypeClass::datetime:
    case TypeClass::timedelta:
    case TypeClass::bfloat16: return type.itemsize();
    case TypeClass::complex: return type.itemsize() / 2;
    case TypeClass::long_double: return type.itemsize() == 16 ? 16 : 4;
    case TypeClass::complex_long_double: return type.itemsize() == 32 ? 16 : 4;
    case TypeClass::unicode: return 4;
    case TypeClass::subarray: return natural_alignment(type.base());
    case TypeClass::record: {
      // A packed record asks for nothing: only fields that lie at multiples of their own alignment do.
      std::uint64_t most = 1;
      for (const Field& field : type.fields()) {
        const std::uint64_t own = natural_alignment(field.type);
        if (field.offset % own == 0 && type.itemsize() % own == 0) most = std::max(most, own);
      }
      return most;
    }
    default: return 1;
  }
}

}  // namespace graph
}  // namespace mere
