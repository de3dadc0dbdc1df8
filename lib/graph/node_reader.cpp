#include "graph/node_reader.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include <mere/error.hpp>
#include <mere/node.hpp>

#include "format/image.hpp"
#include "graph/read.hpp"
#include "graph/scalar_value.hpp"
#include "graph/store.hpp"

namespace mere::graph {

using format::Image;
using format::NodeRecord;
using format::Section;

namespace {

std::uint64_t payload_of(const Graph::Store& store) {
  std::uint64_t bytes = store.heap.size();
  for (const Graph::Store::Array& array : store.arrays) {
    if (__builtin_add_overflow(bytes, array.span, &bytes)) return UINT64_MAX;
  }
  return bytes;
}

std::uint64_t payload_of(const Image& image) {
  std::uint64_t bytes = image.section(Section::heap).count;
  const std::uint64_t buffers = image.section(Section::buffers).count;
  for (std::uint64_t id = 0; id < buffers; ++id) {
    if (__builtin_add_overflow(bytes, image.buffer(static_cast<std::uint32_t>(id)).raw_bytes, &bytes))
      return UINT64_MAX;
  }
  return bytes;
}

ObjectParts parts_in(const Image& image, NodeId id) {
  const NodeRecord record = image.node(id);
  if (kind_of(image, id, record) != Kind::object) throw_node(image, id, Reason::wrong_kind, "expected an object");
  const Children children = children_of(image, id, record);
  ObjectParts parts;
  NodeId* const ids[] = {&parts.type,  &parts.args,    &parts.kwargs, &parts.state,
                         &parts.items, &parts.entries, &parts.setter};
  std::uint64_t at = children.first;
  for (std::size_t i = 0; i < std::size(ids); ++i) {
    if (record.flags & 1u << i) *ids[i] = image.link(at++);
  }
  return parts;
}

std::string_view text_in(const Image& image, NodeId id) {
  const NodeRecord record = image.node(id);
  const Kind kind = kind_of(image, id, record);
  if (kind < Kind::text || kind > Kind::bytearray)
    throw_node(image, id, Reason::wrong_kind, "expected str or bytes, found " + std::string(to_text(kind)));
  return text_of(image, record);
}

// A number as its node holds it: `bits` of a bool, an int or a float, `type` and `bytes` of a NumPy scalar.
struct Number {
  enum { none, integer, real, scalar } what = none;
  std::uint64_t bits = 0;
  Dtype type;
  std::span<const std::byte> bytes;
};

Number number_in(const Graph& graph, NodeId id) {
  const Graph::Store& store = graph.store();
  const Graph::Store::Node& node = store.at(id);
  if (node.kind == Kind::boolean) return {Number::integer, node.b, {}, {}};
  if (node.kind == Kind::integer && (node.flags & Graph::Store::kBig) == 0) return {Number::integer, node.b, {}, {}};
  if (node.kind == Kind::real) return {Number::real, node.b, {}, {}};
  if (node.kind != Kind::scalar) return {};
  return {Number::scalar, 0, graph.dtype_value(id), std::as_bytes(std::span(store.text_of(node)))};
}

Number number_in(const Image& image, NodeId id) {
  const NodeRecord record = image.node(id);
  const Kind kind = kind_of(image, id, record);
  if (kind == Kind::boolean) return {Number::integer, record.b != 0 ? 1U : 0U, {}, {}};
  if (kind == Kind::integer && (record.flags & format::kBigInteger) == 0) return {Number::integer, record.b, {}, {}};
  if (kind == Kind::real) return {Number::real, record.b, {}, {}};
  if (kind != Kind::scalar) return {};
  return {Number::scalar, 0, read_dtype(image, record.a), Node(&image, id).scalar_bytes()};
}

Dtype dtype_in(const Image& image, NodeId id) {
  const NodeRecord record = image.node(id);
  if (record.kind == static_cast<std::uint8_t>(Kind::array) &&
      record.flags == static_cast<std::uint8_t>(format::Layout::objects)) {
    return Dtype(TypeClass::object, 8);
  }
  return Node(&image, id).dtype();
}

Dims object_shape_in(const Graph::Store& store, NodeId id) {
  const Graph::Store::Node& node = store.at(id);
  if (node.kind != Kind::array || (node.flags & Graph::Store::kObjects) == 0)
    throw Error(Reason::wrong_kind, "node " + std::to_string(id) + " is no array of objects");
  Dims shape(node.form);
  for (std::size_t d = 0; d < node.form; ++d) shape[d] = store.extents[node.a + d];
  return shape;
}

Dims object_shape_in(const Image& image, NodeId id) {
  const std::vector<std::int64_t> held = Node(&image, id).object_array_shape();
  Dims shape(held.size());
  for (std::size_t d = 0; d < held.size(); ++d) shape[d] = held[d];
  return shape;
}

NodeId find_in(const Graph& graph, NodeId dict, std::string_view key) {
  if (graph.kind(dict) != Kind::dict) return kNoNode;
  const std::span<const NodeId> members = graph.members(dict);
  for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
    if (graph.kind(members[i]) == Kind::text && graph.text_value(members[i]) == key) return members[i + 1];
  }
  return kNoNode;
}

NodeId find_in(const Image& image, NodeId dict, std::string_view key) {
  const NodeRecord record = image.node(dict);
  return kind_of(image, dict, record) == Kind::dict ? find_in_dict(image, dict, record, key) : kNoNode;
}

ArrayState array_in(const Graph::Store& store, const Graph::Store::Array& array) {
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
  return state;
}

ArrayState array_in(const Image& image, NodeId id) {
  const ResolvedArray resolved = resolve_array(image, id, image.node(id));
  ArrayState state;
  state.dtype = read_dtype(image, resolved.type);
  state.shape = resolved.shape;
  state.elements = resolved.elements;
  if (resolved.span == 0) {
    state.strides = resolved.strides;
    return state;
  }
  if (const std::byte* data = find_data(image, resolved)) {
    state.strides = resolved.strides;
    state.first = data;
    return state;
  }
  // Encoded: read as a copy in C order. Its length is no more than the file's arrays have, or it repeats elements.
  if (resolved.nbytes > payload_of(image))
    throw_node(image, id, Reason::too_large, "a compressed array that repeats its elements");
  const auto bytes = static_cast<std::size_t>(resolved.nbytes);
  const auto copy = std::shared_ptr<std::byte[]>(new std::byte[bytes]);
  ArrayView(&image, id).copy_to(std::span(copy.get(), bytes));
  state.strides = Dims(state.shape.size());
  auto step = static_cast<std::int64_t>(resolved.itemsize);
  for (std::size_t d = state.shape.size(); d-- > 0;) {
    state.strides[d] = step;
    step *= std::max<std::int64_t>(state.shape[d], 1);
  }
  state.first = copy.get();
  state.held = copy;
  return state;
}

}  // namespace

std::vector<NodeReader::Root> NodeReader::roots() const {
  std::vector<Root> roots;
  const auto add = [&](std::string_view path, NodeId node, NodeId none) {
    if (node != none) roots.push_back({path, node});
  };
  if (graph_ != nullptr) {
    add("", graph_->model_root, kNoNode);
    add("@program", graph_->program_root, kNoNode);
    add("@metadata", graph_->metadata_root, kNoNode);
  } else {
    const format::Footer& footer = image_->footer();
    roots.push_back({"", footer.model_root});
    add("@program", footer.program_root, format::kNone);
    add("@metadata", footer.metadata_root, format::kNone);
  }
  return roots;
}

std::uint64_t NodeReader::node_count() const {
  return graph_ != nullptr ? graph_->node_count() : image_->section(Section::nodes).count;
}

std::uint64_t NodeReader::payload_bytes() const {
  return graph_ != nullptr ? payload_of(graph_->store()) : payload_of(*image_);
}

Kind NodeReader::kind(NodeId id) const {
  return graph_ != nullptr ? graph_->kind(id) : kind_of(*image_, id, image_->node(id));
}

std::uint64_t NodeReader::child_count(NodeId id) const {
  if (graph_ == nullptr) return children_of(*image_, id, image_->node(id)).count;
  // Objects and opaque nodes keep their children as links too.
  const Graph::Store::Node& node = graph_->store().at(id);
  return node.kind == Kind::object || node.kind == Kind::opaque ? node.a : graph_->members(id).size();
}

NodeId NodeReader::child(NodeId id, std::uint64_t index) const {
  if (graph_ != nullptr) {
    if (index >= child_count(id))
      throw Error(Reason::bad_argument, "node " + std::to_string(id) + " has no child " + std::to_string(index));
    const Graph::Store& store = graph_->store();
    return store.links[static_cast<std::size_t>(store.at(id).b + index)];
  }
  const Children children = children_of(*image_, id, image_->node(id));
  if (index >= children.count) throw_node(*image_, id, Reason::bad_node, "no child " + std::to_string(index));
  return image_->link(children.first + index);
}

ObjectForm NodeReader::form(NodeId id) const {
  return graph_ != nullptr ? graph_->object_form(id) : Node(image_, id).form();
}

ObjectParts NodeReader::parts(NodeId id) const {
  return graph_ != nullptr ? graph_->object_parts(id) : parts_in(*image_, id);
}

std::string_view NodeReader::text(NodeId id) const {
  return graph_ != nullptr ? graph_->text_value(id) : text_in(*image_, id);
}

std::pair<std::string_view, std::string_view> NodeReader::name(NodeId id) const {
  if (graph_ != nullptr) return graph_->name_value(id);
  const Node node(image_, id);
  return {node.module(), node.qualname()};
}

std::optional<std::int64_t> NodeReader::find_integer(NodeId id) const {
  const Number number = graph_ != nullptr ? number_in(*graph_, id) : number_in(*image_, id);
  if (number.what == Number::integer) return static_cast<std::int64_t>(number.bits);
  return number.what == Number::scalar ? integer_of(number.type, number.bytes) : std::nullopt;
}

std::optional<double> NodeReader::find_real(NodeId id) const {
  const Number number = graph_ != nullptr ? number_in(*graph_, id) : number_in(*image_, id);
  switch (number.what) {
    case Number::integer: return static_cast<double>(static_cast<std::int64_t>(number.bits));
    case Number::real: return std::bit_cast<double>(number.bits);
    case Number::scalar: return real_of(number.type, number.bytes);
    case Number::none: break;
  }
  return std::nullopt;
}

Dtype NodeReader::dtype(NodeId id) const {
  return graph_ != nullptr ? graph_->dtype_value(id) : dtype_in(*image_, id);
}

Dims NodeReader::object_array_shape(NodeId id) const {
  return graph_ != nullptr ? object_shape_in(graph_->store(), id) : object_shape_in(*image_, id);
}

ArrayState NodeReader::array(NodeId id) const {
  if (graph_ == nullptr) return array_in(*image_, id);
  const Graph::Store& store = graph_->store();
  const Graph::Store::Node& node = store.at(id);
  if (node.kind != Kind::array || (node.flags & Graph::Store::kObjects) != 0)
    throw Error(Reason::wrong_kind, "expected an array of numbers, found " + std::string(to_text(node.kind)));
  const Graph::Store::Array& array = store.arrays[node.a];
  if (release_ && array.span > 0) touch({array.first + array.low, static_cast<std::size_t>(array.span)});
  return array_in(store, array);
}

void NodeReader::touch(std::span<const std::byte> bytes) const {
  constexpr std::uint64_t kKeptBytes = 16 << 20;
  if (touched_bytes_ + bytes.size() > kKeptBytes) {
    for (const std::span<const std::byte> before : touched_) release_(before);
    touched_.clear();
    touched_bytes_ = 0;
  }
  touched_.push_back(bytes);
  touched_bytes_ += bytes.size();
}

NodeId NodeReader::find(NodeId dict, std::string_view key) const {
  return graph_ != nullptr ? find_in(*graph_, dict, key) : find_in(*image_, dict, key);
}

}  // namespace mere::graph
