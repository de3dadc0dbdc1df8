#include "graph/strided_copy.hpp"

#include <algorithm>
#include <cstring>

namespace mere::graph {

namespace {

template <std::size_t N>
void copy_fixed(const std::byte* from, std::int64_t stride, std::uint64_t count, std::byte* to) {
  for (std::uint64_t i = 0; i < count; ++i, from += stride, to += N) std::memcpy(to, from, N);
}

}  // namespace

StridedBytes::StridedBytes(const std::byte* first, std::span<const std::int64_t> shape,
                           std::span<const std::int64_t> strides, std::uint64_t itemsize, bool fortran,
                           std::span<const ByteRange> covered)
    : first_(first), itemsize_(itemsize), covered_(covered) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t d = fortran ? shape.size() - 1 - i : i;
    if (shape[d] == 1) continue;
    if (!levels_.empty() && levels_.back().stride == strides[d] * shape[d]) {
      levels_.back().count *= shape[d];
      levels_.back().stride = strides[d];
    } else {
      levels_.push_back({shape[d], strides[d]});
    }
  }
  if (levels_.empty()) levels_.push_back({1, static_cast<std::int64_t>(itemsize)});
  plan_scatter();
}

void StridedBytes::plan_scatter() {
  low_ = reinterpret_cast<std::uintptr_t>(first_);
  for (const Level& level : levels_) {
    Level turned = level;
    if (turned.stride < 0) {
      low_ += static_cast<std::uintptr_t>((turned.count - 1) * turned.stride);
      turned.stride = -turned.stride;
    }
    if (turned.stride != 0 && turned.count > 1) outer_.push_back(turned);
  }
  std::stable_sort(outer_.begin(), outer_.end(), [](const Level& a, const Level& b) { return a.stride > b.stride; });
  // Dimensions that leave no gap between their steps are one run of bytes.
  solid_ = itemsize_;
  while (covered_.empty() && !outer_.empty() && static_cast<std::uint64_t>(outer_.back().stride) <= solid_) {
    solid_ += static_cast<std::uint64_t>((outer_.back().count - 1) * outer_.back().stride);
    outer_.pop_back();
  }
  reach_.assign(outer_.size() + 1, solid_);
  for (std::size_t i = outer_.size(); i-- > 0;) {
    reach_[i] = reach_[i + 1] + static_cast<std::uint64_t>((outer_[i].count - 1) * outer_[i].stride);
    if (__builtin_mul_overflow(scatter_steps_, static_cast<std::uint64_t>(outer_[i].count), &scatter_steps_)) {
      scatter_steps_ = UINT64_MAX;
    }
  }
}

void StridedBytes::copy_elements(const std::byte* from, std::int64_t stride, std::uint64_t count, std::byte* to) const {
  if (stride == static_cast<std::int64_t>(itemsize_)) {
    std::memcpy(to, from, static_cast<std::size_t>(count * itemsize_));
    return;
  }
  switch (itemsize_) {
    case 1: return copy_fixed<1>(from, stride, count, to);
    case 2: return copy_fixed<2>(from, stride, count, to);
    case 4: return copy_fixed<4>(from, stride, count, to);
    case 8: return copy_fixed<8>(from, stride, count, to);
    case 16: return copy_fixed<16>(from, stride, count, to);
    default:
      for (std::uint64_t i = 0; i < count; ++i, from += stride, to += itemsize_) {
        std::memcpy(to, from, static_cast<std::size_t>(itemsize_));
      }
  }
}

void StridedBytes::gather(std::uint64_t offset, std::span<std::byte> out) const {
  // Where element `offset / itemsize` lies, as one index a level.
  std::array<std::int64_t, kMaxDims> index{};
  std::uint64_t rest = offset / itemsize_;
  const std::byte* row = first_;
  for (std::size_t d = levels_.size(); d-- > 0;) {
    const auto count = static_cast<std::uint64_t>(levels_[d].count);
    index[d] = static_cast<std::int64_t>(rest % count);
    rest /= count;
    if (d + 1 < levels_.size()) row += index[d] * levels_[d].stride;
  }
  const Level inner = levels_.back();
  std::int64_t at = index[levels_.size() - 1];
  std::byte* to = out.data();
  std::uint64_t left = out.size();
  std::uint64_t skip = offset % itemsize_;
  while (left != 0) {
    if (at == inner.count) {
      at = 0;
      for (std::size_t d = levels_.size() - 1; d-- > 0;) {
        row += levels_[d].stride;
        if (++index[d] < levels_[d].count) break;
        row -= levels_[d].stride * levels_[d].count;
        index[d] = 0;
      }
    }
    const std::byte* from = row + at * inner.stride;
    const std::uint64_t whole =
        skip == 0 ? std::min<std::uint64_t>(static_cast<std::uint64_t>(inner.count - at), left / itemsize_) : 0;
    if (whole == 0) {
      // A part of an element, at either end.
      const std::uint64_t bytes = std::min(itemsize_ - skip, left);
      std::memcpy(to, from + skip, static_cast<std::size_t>(bytes));
      to += bytes;
      left -= bytes;
      skip = 0;
      ++at;
    } else {
      copy_elements(from, inner.stride, whole, to);
      to += whole * itemsize_;
      left -= whole * itemsize_;
      at += static_cast<std::int64_t>(whole);
    }
  }
  if (!covered_.empty()) zero_holes(offset, out);
}

void StridedBytes::zero_holes(std::uint64_t offset, std::span<std::byte> out) const {
  // Holes of one element, then of all that `out` touches.
  const auto zero = [&](std::uint64_t element, std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t from = std::max(element + begin, offset);
    const std::uint64_t to = std::min(element + end, offset + out.size());
    if (from < to) std::memset(out.data() + (from - offset), 0, static_cast<std::size_t>(to - from));
  };
  for (std::uint64_t element = offset - offset % itemsize_; element < offset + out.size(); element += itemsize_) {
    std::uint64_t done = 0;
    for (const ByteRange& range : covered_) {
      zero(element, done, range.offset);
      done = range.offset + range.bytes;
    }
    zero(element, done, itemsize_);
  }
}

void StridedBytes::scatter(std::uintptr_t window, std::span<std::byte> out) const {
  scatter_level(0, low_, window, out);
}

// As deep as the array has dimensions: 64 at most.
void StridedBytes::scatter_level(std::size_t level, std::uintptr_t at, std::uintptr_t window,
                                 std::span<std::byte> out) const {
  const std::uintptr_t window_end = window + out.size();
  if (level < outer_.size()) {
    const auto stride = static_cast<std::uintptr_t>(outer_[level].stride);
    const auto count = static_cast<std::uint64_t>(outer_[level].count);
    // The first step whose end lies beyond the window's begin, and the first whose begin lies beyond its end.
    const std::uintptr_t end_of_first = at + reach_[level + 1];
    const std::uint64_t from = end_of_first > window ? 0 : (window - end_of_first) / stride + 1;
    const std::uint64_t to = at >= window_end ? 0 : std::min<std::uint64_t>(count, (window_end - at - 1) / stride + 1);
    for (std::uint64_t i = from; i < to; ++i) scatter_level(level + 1, at + i * stride, window, out);
    return;
  }
  const auto copy = [&](std::uintptr_t begin, std::uintptr_t end) {
    begin = std::max(begin, window);
    end = std::min(end, window_end);
    if (begin < end) std::memcpy(out.data() + (begin - window), reinterpret_cast<const std::byte*>(begin), end - begin);
  };
  if (covered_.empty()) {
    copy(at, at + solid_);
  } else {
    for (const ByteRange& range : covered_) copy(at + range.offset, at + range.offset + range.bytes);
  }
}

}  // namespace mere::graph
