#pragma once
// Bytes of arrays that lie at strides: gathered into one run, or laid out as they lie in memory. Padding stays zero.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mere/array.hpp>
#include "graph/dtype_parts.hpp"

namespace mere::graph {

// An array as its bytes are copied: dimensions of one element left out, those that follow each other joined.
class StridedBytes {
 public:
  // `first` is element 0...0. `fortran`: the run of bytes is in Fortran order. `covered` (of one element; empty: all)
  // and the memory outlive this. No dimension is 0.
  StridedBytes(const std::byte* first, std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
               std::uint64_t itemsize, bool fortran, std::span<const ByteRange> covered);

  // `out.size()` bytes from byte `offset` on of the elements written one after the other; what no value covers is zero.
  void gather(std::uint64_t offset, std::span<std::byte> out) const;

  // Those bytes that lie in memory from `window` on, into their place in `out`. Bytes of `out` that the array does not
  // cover are left as they are.
  void scatter(std::uintptr_t window, std::span<std::byte> out) const;

  // The steps that a scatter over all of it takes.
  std::uint64_t scatter_steps() const noexcept { return scatter_steps_; }

 private:
  struct Level {
    std::int64_t count, stride;
  };
  void plan_scatter();
  void scatter_level(std::size_t level, std::uintptr_t at, std::uintptr_t window, std::span<std::byte> out) const;
  void copy_elements(const std::byte* from, std::int64_t stride, std::uint64_t count, std::byte* to) const;
  void zero_holes(std::uint64_t offset, std::span<std::byte> out) const;

  const std::byte* first_;
  std::uint64_t itemsize_;
  std::span<const ByteRange> covered_;
  std::vector<Level> levels_;  // outermost first; at least one

  // For scatter: strides not negative, large ones first, down to a solid run of bytes.
  std::uintptr_t low_ = 0;
  std::vector<Level> outer_;
  std::vector<std::uint64_t> reach_;  // bytes from the first to past the last, of everything inside level i
  std::uint64_t solid_ = 0;           // bytes of the run
  std::uint64_t scatter_steps_ = 1;
};

}  // namespace mere::graph
