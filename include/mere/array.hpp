#pragma once
// Arrays of an open model: views that borrow, typed and strided, and Array<T>, which holds its memory or its map.
// Layout in the file: docs/format.md 5.

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mere/dtype.hpp>

namespace mere {

namespace format {
class Image;
}

inline constexpr std::size_t kMaxDims = 64;

// A shape, or strides in bytes: up to 64 numbers, eight of them without an allocation.
class MERE_API Dims {
 public:
  Dims() = default;
  explicit Dims(std::size_t count);
  Dims(std::initializer_list<std::int64_t> values);
  Dims(const Dims& other);
  Dims(Dims&& other) noexcept
      : count_(std::exchange(other.count_, 0)), few_(other.few_), more_(std::move(other.more_)) {}
  Dims& operator=(const Dims& other);
  Dims& operator=(Dims&& other) noexcept {
    count_ = std::exchange(other.count_, 0);
    few_ = other.few_;
    more_ = std::move(other.more_);
    return *this;
  }

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::int64_t* data() { return more_ ? more_.get() : few_.data(); }
  const std::int64_t* data() const { return more_ ? more_.get() : few_.data(); }
  std::int64_t& operator[](std::size_t i) { return data()[i]; }
  std::int64_t operator[](std::size_t i) const { return data()[i]; }
  const std::int64_t* begin() const { return data(); }
  const std::int64_t* end() const { return data() + count_; }
  operator std::span<const std::int64_t>() const { return {data(), count_}; }
  std::string to_text() const;  // "(3, 4)", "(5,)", "()"
  MERE_API friend bool operator==(const Dims& a, const Dims& b);

 private:
  std::size_t count_ = 0;
  std::array<std::int64_t, 8> few_{};
  std::unique_ptr<std::int64_t[]> more_;
};

namespace detail {

// Reads a T at `p`, which need not be aligned; mends the byte order if `swap`.
template <class T>
T load_value(const std::byte* p, bool swap) {
  T value;
  if (!swap) {
    std::memcpy(&value, p, sizeof value);
  } else {
    std::byte mended[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) mended[i] = p[sizeof(T) - 1 - i];
    std::memcpy(&value, mended, sizeof value);
  }
  return value;
}
template <>
inline bool load_value<bool>(const std::byte* p, bool) {
  return *p != std::byte{0};
}
// The byte order of a complex number is that of its two parts.
template <>
inline std::complex<float> load_value<std::complex<float>>(const std::byte* p, bool swap) {
  return {load_value<float>(p, swap), load_value<float>(p + sizeof(float), swap)};
}
template <>
inline std::complex<double> load_value<std::complex<double>>(const std::byte* p, bool swap) {
  return {load_value<double>(p, swap), load_value<double>(p + sizeof(double), swap)};
}

}  // namespace detail

// Values of one type at strides, in C order: of an array, or of one field of it. Borrows; two loads an element.
// Elements are values, not references: fields need not be aligned.
template <class T>
class Values {
 public:
  Values() = default;
  Values(const std::byte* first, Dims shape, Dims strides, bool swap)
      : first_(first), shape_(std::move(shape)), strides_(std::move(strides)), swap_(swap) {
    for (std::int64_t n : shape_) size_ *= static_cast<std::size_t>(n);
    // Rows that follow each other without a gap are one row: most arrays become a single stride.
    flat_ = true;
    std::int64_t expected = 0;
    for (std::size_t i = shape_.size(); i-- > 0;) {
      if (shape_[i] == 1) continue;
      if (expected == 0) {
        stride_ = strides_[i];
      } else if (strides_[i] != expected) {
        flat_ = false;
      }
      expected = strides_[i] * shape_[i];
    }
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Dims& shape() const { return shape_; }
  const Dims& strides() const { return strides_; }

  // Element i in C order; i < size().
  T operator[](std::size_t i) const {
    if (flat_) return detail::load_value<T>(first_ + static_cast<std::ptrdiff_t>(i) * stride_, swap_);
    std::ptrdiff_t offset = 0;
    for (std::size_t d = shape_.size(); d-- > 0;) {
      const auto n = static_cast<std::size_t>(shape_[d]);
      offset += static_cast<std::ptrdiff_t>(i % n) * strides_[d];
      i /= n;
    }
    return detail::load_value<T>(first_ + offset, swap_);
  }
  // Element by one index a dimension, each within its shape.
  template <class... Index>
  T operator()(Index... index) const {
    const std::ptrdiff_t at[] = {static_cast<std::ptrdiff_t>(index)...};
    std::ptrdiff_t offset = 0;
    for (std::size_t d = 0; d < sizeof...(index); ++d) offset += at[d] * strides_[d];
    return detail::load_value<T>(first_ + offset, swap_);
  }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    Iterator() = default;
    Iterator(const Values* values, std::size_t index) : values_(values), index_(index) {}
    T operator*() const { return (*values_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++index_;
      return old;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    const Values* values_ = nullptr;
    std::size_t index_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }

 private:
  const std::byte* first_ = nullptr;
  Dims shape_, strides_;
  bool swap_ = false;
  bool flat_ = true;
  std::int64_t stride_ = sizeof(T);
  std::size_t size_ = 1;
};

// One array of an open model. Two words, borrowed: lives while a handle on the model does.
class MERE_API ArrayView {
 public:
  ArrayView() = default;
  ArrayView(const format::Image* image, std::uint32_t node) : image_(image), node_(node) {}

  Dtype dtype() const;
  std::size_t ndim() const;
  Dims shape() const;
  Dims strides() const;          // in bytes
  std::uint64_t size() const;    // elements
  std::uint64_t nbytes() const;  // size() * itemsize, whatever the strides
  bool c_contiguous() const;
  bool f_contiguous() const;
  bool is_mapped() const;  // false: compressed, and not expanded: only copy() reads it

  // The element at index 0...0; other elements lie at strides(), all inside the map.
  // Throws Error: not_mapped, out_of_bounds, shape_overflow.
  const std::byte* data() const;

  // The bytes, in C order without a gap. Throws Error: not_mapped, not_contiguous.
  std::span<const std::byte> bytes() const;

  // A span of T over the map: native order, aligned, C-contiguous. Throws Error: wrong_type, not_native, not_aligned,
  // not_contiguous, not_mapped; each message names copy().
  template <class T>
  std::span<const T> span() const {
    const std::byte* first = typed_data(Dtype::of<T>(), alignof(T), true);
    return {reinterpret_cast<const T*>(first), static_cast<std::size_t>(size())};
  }

  // Every element, as values at strides; byte order mended. Throws Error: wrong_type, not_mapped.
  template <class T>
  Values<T> values() const {
    bool swap = false;
    const std::byte* first = value_data(Dtype::of<T>(), swap);
    return Values<T>(first, shape(), strides(), swap);
  }

  // One field of every element. Throws Error: no_path (no such field), wrong_type, not_mapped.
  template <class T>
  Values<T> field(std::string_view name) const {
    bool swap = false;
    const std::byte* first = field_data(name, Dtype::of<T>(), swap);
    return Values<T>(first, shape(), strides(), swap);
  }

  // All elements in C order into memory of the caller, native or not as stored; decompresses if need be.
  // `out` has nbytes() bytes. Throws Error: bad_argument, checksum, bad_stream.
  void copy_to(std::span<std::byte> out) const;

  // All elements in C order, byte order mended. Throws Error: wrong_type.
  template <class T>
  std::vector<T> copy() const {
    static_assert(!std::is_same_v<T, bool>, "a std::vector<bool> holds bits: take values<bool>(), or copy_to() bytes");
    const bool swap = check_copy(Dtype::of<T>());
    std::vector<T> out(static_cast<std::size_t>(size()));
    copy_to(std::as_writable_bytes(std::span<T>(out)));
    if (swap) {
      for (T& value : out) value = detail::load_value<T>(reinterpret_cast<const std::byte*>(&value), true);
    }
    return out;
  }

  const format::Image* image() const { return image_; }
  std::uint32_t node_id() const { return node_; }

  // Used by span() and as_xtensor(): the first element, after all checks; `contiguous` asks for C order too.
  const std::byte* typed_data(const Dtype& type, std::size_t alignment, bool contiguous) const;

 private:
  const std::byte* value_data(const Dtype& type, bool& swap) const;
  const std::byte* field_data(std::string_view name, const Dtype& type, bool& swap) const;
  bool check_copy(const Dtype& type) const;

  const format::Image* image_ = nullptr;
  std::uint32_t node_ = 0xffffffff;
};

// A typed array in C order that holds what it lies in: its own memory, the caller's, or the map of a model.
// A member of records: dumped as an array, and mapped when loaded. Copies share the memory.
template <class T>
class Array {
 public:
  using value_type = T;
  Array() : shape_{0} {}

  // Owns `values`; one dimension, or the given shape. Throws Error: wrong_shape.
  explicit Array(std::vector<T> values) : Array(std::move(values), Dims()) {}
  Array(std::vector<T> values, Dims shape) {
    static_assert(!std::is_same_v<T, bool>, "a std::vector<bool> holds bits: borrow() a span of bool");
    if (shape.empty()) shape = Dims{static_cast<std::int64_t>(values.size())};
    check(shape, values.size());
    auto kept = std::make_shared<const std::vector<T>>(std::move(values));
    data_ = kept->data();
    size_ = kept->size();
    shape_ = std::move(shape);
    owner_ = std::move(kept);
  }
  // Borrows `values`: they must outlive this and its copies, or be held by `owner`.
  static Array borrow(std::span<const T> values, Dims shape = {}, std::shared_ptr<const void> owner = nullptr) {
    if (shape.empty()) shape = Dims{static_cast<std::int64_t>(values.size())};
    check(shape, values.size());
    Array a;
    a.data_ = values.data();
    a.size_ = values.size();
    a.shape_ = std::move(shape);
    a.owner_ = std::move(owner);
    return a;
  }

  const Dims& shape() const { return shape_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const { return data_; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  std::span<const T> span() const { return {data_, size_}; }
  operator std::span<const T>() const { return span(); }
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  static void check(const Dims& shape, std::size_t count) {
    Size product = 1;
    for (std::int64_t n : shape) product = product * Size::from_signed(n);
    if (product.get("shape", Reason::wrong_shape) != count) {
      throw Error(Reason::wrong_shape,
                  "shape " + shape.to_text() + " does not hold " + std::to_string(count) + " values");
    }
  }
  const T* data_ = nullptr;
  std::size_t size_ = 0;
  Dims shape_;
  std::shared_ptr<const void> owner_;
};

}  // namespace mere
