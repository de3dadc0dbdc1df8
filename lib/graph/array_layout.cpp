#include <mere/array_layout.hpp>

#include <utility>

#include "graph/read.hpp"

namespace mere {

std::optional<ArrayLayout> ArrayLayouts::find(NodeId node) {
  if (image_ == nullptr) throw Error(Reason::bad_argument, "an array of no model");
  const format::NodeRecord record = image_->node(node);
  if (record.kind == static_cast<std::uint8_t>(Kind::array) &&
      record.flags == static_cast<std::uint8_t>(format::Layout::objects)) {
    return std::nullopt;
  }
  graph::ResolvedArray array = graph::resolve_array(*image_, node, record);
  if (type_ != array.type) {
    dtype_ = graph::read_dtype(*image_, array.type);
    type_ = array.type;
  }
  // The type was read twice, and a file may change between.
  if (dtype_.itemsize() != array.itemsize)
    throw Error(Reason::bad_type, graph::where(*image_, node) + ": the element type changed while it was read");
  ArrayLayout found;
  found.type_id = array.type;
  found.dtype = dtype_;
  found.shape = std::move(array.shape);
  found.strides = std::move(array.strides);
  found.elements = array.elements;
  found.data = graph::find_data(*image_, array);
  found.is_mapped = array.span == 0 || found.data != nullptr;
  return found;
}

}  // namespace mere
