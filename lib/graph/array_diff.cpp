#include "graph/array_diff.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "graph/read.hpp"
#include "graph/strided_copy.hpp"

namespace mere::graph {

namespace {

constexpr std::uint64_t kChunkBytes = 1 << 20;
constexpr std::size_t kMaxParts = 1024;

// A value inside an element: the element itself, or a field.
struct Part {
  std::string field;
  Dtype type;
  std::uint64_t offset = 0;
  std::uint64_t repeats = 1;  // of a subarray
};

void add_parts(const Dtype& type, const std::string& field, std::uint64_t offset, std::uint64_t repeats,
               std::vector<Part>& parts) {
  if (type.itemsize() == 0 || parts.size() > kMaxParts) return;
  if (type.type_class() == TypeClass::record && repeats == 1) {
    for (const Field& f : type.fields()) {
      add_parts(f.type, field.empty() ? f.name : field + "." + f.name, offset + f.offset, 1, parts);
    }
  } else if (type.type_class() == TypeClass::subarray) {
    add_parts(type.base(), field, offset, repeats * (type.itemsize() / type.base().itemsize()), parts);
  } else {
    parts.push_back({field, type, offset, repeats});
  }
}

// The elements of an array in C order, a chunk at a time.
class ElementReader {
 public:
  explicit ElementReader(const ArrayView& view)
      : image_(*view.image()), array_(resolve_array(image_, view.node_id(), image_.node(view.node_id()))) {
    dense_ = is_dense(array_, false);
    data_ = find_data(image_, array_);
    if (data_ == nullptr && !dense_) {
      held_.reset(new (std::nothrow) std::byte[static_cast<std::size_t>(array_.nbytes)]);
      if (!held_) throw Error::out_of_memory();
      view.copy_to(std::span(held_.get(), static_cast<std::size_t>(array_.nbytes)));
      data_ = held_.get();
      dense_ = true;
    }
    if (data_ != nullptr && !dense_) {
      strided_ = std::make_unique<StridedBytes>(data_, array_.shape, array_.strides, array_.itemsize, false,
                                                std::span<const ByteRange>());
    }
  }

  // `bytes` of the elements from byte `offset` on; until the next call.
  const std::byte* read(std::uint64_t offset, std::size_t bytes) {
    if (data_ != nullptr && dense_) return data_ + offset;
    chunk_.resize(bytes);
    if (strided_) {
      strided_->gather(offset, chunk_);
    } else {
      image_.read_buffer(array_.buffer, array_.first + offset, chunk_);
    }
    return chunk_.data();
  }

 private:
  const format::Image& image_;
  ResolvedArray array_;
  bool dense_ = false;
  const std::byte* data_ = nullptr;
  std::unique_ptr<std::byte[]> held_;
  std::unique_ptr<StridedBytes> strided_;
  std::vector<std::byte> chunk_;
};

long double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  long double value = exponent == 0 ? std::ldexp(static_cast<long double>(fraction), -24)
                                    : std::ldexp(static_cast<long double>(fraction + 1024), exponent - 25);
  if (exponent == 31) {
    value = fraction ? std::numeric_limits<long double>::quiet_NaN() : std::numeric_limits<long double>::infinity();
  }
  return bits & 0x8000 ? -value : value;
}

long double real_value(const std::byte* bytes, std::uint64_t size, bool swap) {
  switch (size) {
    case 2: return half_value(detail::load_value<std::uint16_t>(bytes, swap));
    case 4: return detail::load_value<float>(bytes, swap);
    default: return detail::load_value<double>(bytes, swap);
  }
}

}  // namespace

bool read_number(const Dtype& type, const std::byte* bytes, long double& real, long double& imaginary) {
  const bool swap = type.byte_order() == ByteOrder::big;
  imaginary = 0;
  switch (type.type_class()) {
    case TypeClass::boolean: real = *bytes != std::byte{0}; return true;
    case TypeClass::integer:
    case TypeClass::timedelta:
    case TypeClass::datetime:
      switch (type.itemsize()) {
        case 1: real = detail::load_value<std::int8_t>(bytes, swap); break;
        case 2: real = detail::load_value<std::int16_t>(bytes, swap); break;
        case 4: real = detail::load_value<std::int32_t>(bytes, swap); break;
        default: real = static_cast<long double>(detail::load_value<std::int64_t>(bytes, swap));
      }
      return true;
    case TypeClass::unsigned_integer:
      switch (type.itemsize()) {
        case 1: real = detail::load_value<std::uint8_t>(bytes, swap); break;
        case 2: real = detail::load_value<std::uint16_t>(bytes, swap); break;
        case 4: real = detail::load_value<std::uint32_t>(bytes, swap); break;
        default: real = static_cast<long double>(detail::load_value<std::uint64_t>(bytes, swap));
      }
      return true;
    case TypeClass::real: real = real_value(bytes, type.itemsize(), swap); return true;
    case TypeClass::complex: {
      const std::uint64_t half = type.itemsize() / 2;
      real = real_value(bytes, half, swap);
      imaginary = real_value(bytes + half, half, swap);
      return true;
    }
    case TypeClass::bfloat16: {
      const auto bits = static_cast<std::uint32_t>(detail::load_value<std::uint16_t>(bytes, swap)) << 16;
      float value;
      std::memcpy(&value, &bits, sizeof value);
      real = value;
      return true;
    }
    case TypeClass::long_double:
      if (swap || type.itemsize() != sizeof(long double)) return false;
      real = detail::load_value<long double>(bytes, false);
      return true;
    default: return false;
  }
}

namespace {

// Takes one pair of unlike values into the maxima.
void add_distance(const Dtype& type, const std::byte* a, const std::byte* b, ElementDifference& made) {
  long double ar, ai, br, bi;
  if (!read_number(type, a, ar, ai) || !read_number(type, b, br, bi)) return;
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  double absolute = kInfinite, relative = kInfinite;
  const long double distance = std::hypot(ar - br, ai - bi);
  const long double larger = std::max(std::hypot(ar, ai), std::hypot(br, bi));
  if (ar == br && ai == bi) {
    absolute = relative = 0;
  } else if (std::isfinite(distance)) {
    absolute = static_cast<double>(distance);
    relative = static_cast<double>(distance / larger);
  }
  made.max_absolute = std::max(made.max_absolute.value_or(0), absolute);
  made.max_relative = std::max(made.max_relative.value_or(0), relative);
}

std::vector<std::int64_t> index_of(std::uint64_t element, const Dims& shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    const auto n = static_cast<std::uint64_t>(shape[d]);
    index[d] = static_cast<std::int64_t>(element % n);
    element /= n;
  }
  return index;
}

}  // namespace

std::vector<ElementDifference> diff_elements(const ArrayView& first, const ArrayView& second) {
  const Dtype type = first.dtype();
  const Dims shape = first.shape();
  const std::uint64_t itemsize = type.itemsize();
  const std::uint64_t elements = first.size();
  if (elements == 0 || itemsize == 0) return {};
  std::vector<Part> parts;
  add_parts(type, "", 0, 1, parts);
  if (parts.size() > kMaxParts) parts = {{"", Dtype(TypeClass::raw, itemsize), 0, 1}};
  std::vector<ElementDifference> made(parts.size());
  ElementReader a(first), b(second);
  // Encoded blocks are decoded once if chunks are blocks; elements larger than that are compared alone.
  const std::uint64_t chunk = std::max<std::uint64_t>(1, kChunkBytes / itemsize);
  for (std::uint64_t at = 0; at < elements; at += chunk) {
    const std::uint64_t count = std::min(chunk, elements - at);
    const auto bytes = static_cast<std::size_t>(count * itemsize);
    const std::byte* x = a.read(at * itemsize, bytes);
    const std::byte* y = b.read(at * itemsize, bytes);
    if (std::memcmp(x, y, bytes) == 0) continue;
    for (std::uint64_t e = 0; e < count; ++e, x += itemsize, y += itemsize) {
      if (std::memcmp(x, y, static_cast<std::size_t>(itemsize)) == 0) continue;
      for (std::size_t p = 0; p < parts.size(); ++p) {
        const Part& part = parts[p];
        const auto size = static_cast<std::size_t>(part.type.itemsize());
        for (std::uint64_t r = 0; r < part.repeats; ++r) {
          const std::uint64_t offset = part.offset + r * size;
          if (std::memcmp(x + offset, y + offset, size) == 0) continue;
          if (made[p].differing++ == 0) made[p].first_index = index_of(at + e, shape);
          add_distance(part.type, x + offset, y + offset, made[p]);
        }
      }
    }
  }
  std::vector<ElementDifference> found;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    if (made[p].differing == 0) continue;
    made[p].field = parts[p].field;
    made[p].values = elements * parts[p].repeats;
    found.push_back(std::move(made[p]));
  }
  return found;
}

}  // namespace mere::graph
