#pragma once
// All that an array's view tells, read in one go: for whoever makes views of many arrays.

#include <cstddef>
#include <cstdint>
#include <optional>

#include <mere/array.hpp>
#include <mere/node.hpp>

namespace mere {

struct ArrayLayout {
  std::uint32_t type_id = 0;  // equal ids: equal types, within one file
  Dtype dtype;
  Dims shape, strides;  // strides in bytes
  std::uint64_t elements = 0;
  bool is_mapped = false;           // false: compressed, only ArrayView::copy() reads it
  const std::byte* data = nullptr;  // element 0...0 in the map; null: not mapped, or no elements
};

// Of the arrays of one file; remembers the type read last. Borrows the model. Not safe to share between threads.
class MERE_API ArrayLayouts {
 public:
  explicit ArrayLayouts(const format::Image* image) : image_(image) {}
  // Of an array; nothing for an array of objects, which has members instead. Throws Error: wrong_kind, bad_node,
  // out_of_bounds, shape_overflow, bad_type, ...
  std::optional<ArrayLayout> find(NodeId node);

 private:
  const format::Image* image_;
  std::optional<std::uint32_t> type_;
  Dtype dtype_;
};

}  // namespace mere
