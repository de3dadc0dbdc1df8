#include "graph/node_reader.hpp"

#include <bit>

#include <mere/error.hpp>

#include "graph/scalar_value.hpp"
#include "graph/store.hpp"

namespace mere::graph {

std::vector<NodeReader::Root> GraphReader::roots() const {
  std::vector<Root> roots;
  if (graph_.model_root != kNoNode) roots.push_back({"", graph_.model_root});
  if (graph_.program_root != kNoNode) roots.push_back({"@program", graph_.program_root});
  if (graph_.metadata_root != kNoNode) roots.push_back({"@metadata", graph_.metadata_root});
  return roots;
}

std::uint64_t GraphReader::node_count() const {
  return graph_.node_count();
}

std::uint64_t GraphReader::payload_bytes() const {
  std::uint64_t bytes = graph_.store().heap.size();
  for (const Graph::Store::Array& array : graph_.store().arrays) {
    if (__builtin_add_overflow(bytes, array.span, &bytes)) return UINT64_MAX;
  }
  return bytes;
}

Kind GraphReader::kind(NodeId id) const {
  return graph_.kind(id);
}

// Objects and opaque nodes keep their children as links too.
std::uint64_t GraphReader::child_count(NodeId id) const {
  const Graph::Store::Node& node = graph_.store().at(id);
  if (node.kind == Kind::object || node.kind == Kind::opaque) return node.c;
  return graph_.members(id).size();
}

NodeId GraphReader::child(NodeId id, std::uint64_t index) const {
  const Graph::Store::Node& node = graph_.store().at(id);
  if (index >= child_count(id))
    throw Error(Reason::bad_argument, "node " + std::to_string(id) + " has no child " + std::to_string(index));
  return graph_.store().links[static_cast<std::size_t>(node.b + index)];
}

ObjectForm GraphReader::form(NodeId id) const {
  return graph_.object_form(id);
}
ObjectParts GraphReader::parts(NodeId id) const {
  return graph_.object_parts(id);
}
std::string_view GraphReader::text(NodeId id) const {
  return graph_.text_value(id);
}
std::pair<std::string_view, std::string_view> GraphReader::name(NodeId id) const {
  return graph_.name_value(id);
}

std::optional<std::int64_t> GraphReader::find_integer(NodeId id) const {
  const Graph::Store::Node& node = graph_.store().at(id);
  if (node.kind == Kind::boolean || (node.kind == Kind::integer && (node.flags & Graph::Store::kBig) == 0))
    return static_cast<std::int64_t>(node.b);
  if (node.kind != Kind::scalar) return std::nullopt;
  return integer_of(graph_.dtype_value(id), std::as_bytes(std::span(graph_.store().text_of(node))));
}

std::optional<double> GraphReader::find_real(NodeId id) const {
  const Graph::Store::Node& node = graph_.store().at(id);
  if (node.kind == Kind::real) return std::bit_cast<double>(node.b);
  if (node.kind == Kind::scalar)
    return real_of(graph_.dtype_value(id), std::as_bytes(std::span(graph_.store().text_of(node))));
  if (const auto integer = find_integer(id)) return static_cast<double>(*integer);
  return std::nullopt;
}

Dtype GraphReader::dtype(NodeId id) const {
  return graph_.dtype_value(id);
}

Dims GraphReader::object_array_shape(NodeId id) const {
  const Graph::Store::Node& node = graph_.store().at(id);
  if (node.kind != Kind::array || (node.flags & Graph::Store::kObjects) == 0)
    throw Error(Reason::wrong_kind, "node " + std::to_string(id) + " is no array of objects");
  Dims shape(node.form);
  for (std::size_t d = 0; d < node.form; ++d) shape[d] = graph_.store().extents[node.a + d];
  return shape;
}

ArrayState GraphReader::array(NodeId id) const {
  const Graph::Store& store = graph_.store();
  const Graph::Store::Node& node = store.at(id);
  if (node.kind != Kind::array || (node.flags & Graph::Store::kObjects) != 0) {
    throw Error(Reason::wrong_kind, "expected an array of numbers, found " + std::string(to_text(node.kind)));
  }
  const Graph::Store::Array& array = store.arrays[node.a];
  ArrayState state;
  state.dtype = store.types[array.type];
  state.shape = Dims(array.ndim);
  state.strides = Dims(array.ndim);
  for (std::size_t d = 0; d < array.ndim; ++d) {
    state.shape[d] = store.extents[static_cast<std::size_t>(array.extent) + d];
    state.strides[d] = store.extents[static_cast<std::size_t>(array.extent) + array.ndim + d];
  }
  state.elements = array.elements;
  state.first = array.span == 0 ? nullptr : array.first;
  if (release_ && array.span > 0) touch({array.first + array.low, static_cast<std::size_t>(array.span)});
  return state;
}

void GraphReader::touch(std::span<const std::byte> bytes) const {
  constexpr std::uint64_t kKeptBytes = 16 << 20;
  if (touched_bytes_ + bytes.size() > kKeptBytes) {
    for (const std::span<const std::byte> before : touched_) release_(before);
    touched_.clear();
    touched_bytes_ = 0;
  }
  touched_.push_back(bytes);
  touched_bytes_ += bytes.size();
}

NodeId GraphReader::find(NodeId dict, std::string_view key) const {
  if (graph_.kind(dict) != Kind::dict) return kNoNode;
  const std::span<const NodeId> members = graph_.members(dict);
  for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
    if (graph_.kind(members[i]) == Kind::text && graph_.text_value(members[i]) == key) return members[i + 1];
  }
  return kNoNode;
}

}  // namespace mere::graph
