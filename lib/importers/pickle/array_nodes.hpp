#pragma once
// NumPy's arrays as nodes over the bytes of the stream.

#include <memory>
#include <span>
#include <vector>

#include <mere/graph.hpp>

#include "importers/pickle/meanings.hpp"
#include "importers/pickle/numpy_types.hpp"
#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

// All throw Error: bad_record, out_of_bounds, shape_overflow, unknown_type ...
class ArrayNodes {
 public:
  // `owner` keeps the stream's bytes alive.
  ArrayNodes(const Values& values, NumpyTypes& types, Graph& graph, std::shared_ptr<const void> owner)
      : values_(values), types_(types), graph_(graph), owner_(std::move(owner)), data_used_(values.size()) {}

  // Of numpy.ndarray: from its state, or from _reconstruct alone, which makes an array of no elements.
  NodeId from_state(const Call& call);
  // numpy.core.numeric._frombuffer(buffer, dtype, shape, order) of protocol 5, with axis_order from NumPy 2.3 on.
  // Arrays over one buffer share it.
  NodeId from_buffer(const Call& call);
  // The mask of a masked array.
  NodeId mask(const Call& call);
  NodeId from_raw(const RawArray& array);
  // NumPy lists the elements in C order, also of an array in Fortran order.
  NodeId of_objects(const Call& call, std::span<const NodeId> elements);

 private:
  RawBytes bytes_of(const Call& call, const Dtype& type, std::span<const std::int64_t> shape, ValueId data) const;
  NodeId over(const Call& call, const Dtype& type, std::span<const std::int64_t> shape, ValueId fortran, ValueId data);

  const Values& values_;
  NumpyTypes& types_;
  Graph& graph_;
  std::shared_ptr<const void> owner_;
  std::vector<bool> data_used_;  // bytes that an array lies in already, by value
};

}  // namespace mere::importers::pickle
