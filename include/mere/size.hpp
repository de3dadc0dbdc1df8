#pragma once
// Checked sizes: the one type through which every size, count, offset and dimension that comes from a file goes.
// Arithmetic that would wrap gives an invalid size, which stays invalid; nothing can be read out of it.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mere/error.hpp>

namespace mere {

// Throws Error(reason) "<what>: the size does not fit in 64 bits".
[[noreturn]] MERE_API void throw_size(Reason reason, std::string_view what);

class Size {
 public:
  constexpr Size() = default;
  constexpr Size(std::uint64_t value) : value_(value) {}  // implicit on purpose: literals and counts mix freely

  // A dimension or stride from a file: negative is invalid.
  static constexpr Size from_signed(std::int64_t value) {
    Size s(static_cast<std::uint64_t>(value));
    s.valid_ = value >= 0;
    return s;
  }

  constexpr bool valid() const { return valid_; }

  // The number. Throws Error(reason) if any step that led here wrapped.
  constexpr std::uint64_t get(std::string_view what, Reason reason = Reason::shape_overflow) const {
    if (!valid_) throw_size(reason, what);
    return value_;
  }

  // True if the size is valid and not above `bound`: the only comparison, so that no wrapped number is compared.
  constexpr bool fits(std::uint64_t bound) const { return valid_ && value_ <= bound; }

  friend constexpr Size operator+(Size a, Size b) {
    Size r;
    r.valid_ = !__builtin_add_overflow(a.value_, b.value_, &r.value_) && a.valid_ && b.valid_;
    return r;
  }
  friend constexpr Size operator-(Size a, Size b) {
    Size r;
    r.valid_ = !__builtin_sub_overflow(a.value_, b.value_, &r.value_) && a.valid_ && b.valid_;
    return r;
  }
  friend constexpr Size operator*(Size a, Size b) {
    Size r;
    r.valid_ = !__builtin_mul_overflow(a.value_, b.value_, &r.value_) && a.valid_ && b.valid_;
    return r;
  }
  // Rounded up to a multiple of `unit`, a power of two.
  constexpr Size round_up(std::uint64_t unit) const {
    Size r = *this + Size(unit - 1);
    r.value_ &= ~(unit - 1);
    return r;
  }

 private:
  std::uint64_t value_ = 0;
  bool valid_ = true;
};

// True if `length` bytes at `offset` lie inside `total`. No sum, which could wrap.
constexpr bool range_fits(std::uint64_t offset, std::uint64_t length, std::uint64_t total) {
  return offset <= total && length <= total - offset;
}

}  // namespace mere
