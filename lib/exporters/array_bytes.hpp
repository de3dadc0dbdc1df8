#pragma once
// The bytes of an array of a graph as another format wants them: one run, in C or Fortran order, piece by piece.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <mere/array.hpp>
#include "graph/dtype_parts.hpp"
#include "graph/store.hpp"
#include "graph/strided_copy.hpp"

namespace mere::exporters {

class ArrayBytes {
 public:
  // `node` is an array of anything but objects; elements that are arrays themselves, which NumPy has only inside of
  // records, are further dimensions here. Fortran order is kept where an array has it and not C order too;
  // `fortran`, if given, asks for an order. The store and the array's memory outlive this.
  ArrayBytes(const Graph::Store& store, NodeId node, std::optional<bool> fortran = std::nullopt);

  const Dtype& type() const { return *type_; }
  std::span<const std::int64_t> shape() const { return shape_; }
  bool fortran() const { return fortran_; }
  std::uint64_t size() const { return size_; }
  // The run as it lies in memory, if it does and no padding has to be cleared.
  std::optional<std::span<const std::byte>> direct() const;
  // Gives the run to `take`, at most 1 MiB at a time, in order.
  void read(const std::function<void(std::span<const std::byte>)>& take) const;

 private:
  const Dtype* type_;
  Dims shape_, strides_;
  const std::byte* first_;
  bool fortran_, dense_;
  std::uint64_t size_;
  std::vector<graph::ByteRange> covered_;  // empty: every byte holds a value
};

}  // namespace mere::exporters
