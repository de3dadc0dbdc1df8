#include "graph/node_reader.hpp"

#include <bit>
#include <new>

#include <mere/error.hpp>
#include <mere/node.hpp>

#include "format/image.hpp"
#include "graph/read.hpp"
#include "graph/scalar_value.hpp"

namespace mere::graph {

using format::NodeRecord;
using format::Section;

std::vector<NodeReader::Root> ImageReader::roots() const {
  const format::Footer& footer = image_.footer();
  std::vector<Root> roots = {{"", footer.model_root}};
  if (footer.program_root != format::kNone) roots.push_back({"@program", footer.program_root});
  if (footer.metadata_root != format::kNone) roots.push_back({"@metadata", footer.metadata_root});
  return roots;
}

std::uint64_t ImageReader::node_count() const {
  return image_.section(Section::nodes).count;
}

std::uint64_t ImageReader::payload_bytes() const {
  std::uint64_t bytes = image_.section(Section::heap).count;
  const std::uint64_t buffers = image_.section(Section::buffers).count;
  for (std::uint64_t id = 0; id < buffers; ++id) {
    if (__builtin_add_overflow(bytes, image_.buffer(static_cast<std::uint32_t>(id)).raw_bytes, &bytes))
      return UINT64_MAX;
  }
  return bytes;
}

Kind ImageReader::kind(NodeId id) const {
  return graph::kind_of(image_, id, image_.node(id));
}
std::uint64_t ImageReader::child_count(NodeId id) const {
  return graph::children_of(image_, id, image_.node(id)).count;
}
NodeId ImageReader::child(NodeId id, std::uint64_t index) const {
  const graph::Children children = graph::children_of(image_, id, image_.node(id));
  if (index >= children.count) graph::throw_node(image_, id, Reason::bad_node, "no child " + std::to_string(index));
  return image_.link(children.first + index);
}
ObjectForm ImageReader::form(NodeId id) const {
  return Node(&image_, id).form();
}

ObjectParts ImageReader::parts(NodeId id) const {
  const NodeRecord record = image_.node(id);
  if (graph::kind_of(image_, id, record) != Kind::object)
    graph::throw_node(image_, id, Reason::wrong_kind, "expected an object");
  const graph::Children children = graph::children_of(image_, id, record);
  ObjectParts parts;
  NodeId* const ids[] = {&parts.type,  &parts.args,    &parts.kwargs, &parts.state,
                         &parts.items, &parts.entries, &parts.setter};
  std::uint64_t at = children.first;
  for (std::size_t i = 0; i < std::size(ids); ++i) {
    if (record.flags & 1u << i) *ids[i] = image_.link(at++);
  }
  return parts;
}

std::string_view ImageReader::text(NodeId id) const {
  const NodeRecord record = image_.node(id);
  const Kind kind = graph::kind_of(image_, id, record);
  if (kind < Kind::text || kind > Kind::bytearray)
    graph::throw_node(image_, id, Reason::wrong_kind, "expected str or bytes, found " + std::string(to_text(kind)));
  return graph::text_of(image_, record);
}

std::pair<std::string_view, std::string_view> ImageReader::name(NodeId id) const {
  const Node node(&image_, id);
  return {node.module(), node.qualname()};
}

std::optional<std::int64_t> ImageReader::find_integer(NodeId id) const {
  const NodeRecord record = image_.node(id);
  const Kind kind = graph::kind_of(image_, id, record);
  if (kind == Kind::boolean) return record.b != 0;
  if (kind == Kind::integer && (record.flags & format::kBigInteger) == 0) return static_cast<std::int64_t>(record.b);
  if (kind != Kind::scalar) return std::nullopt;
  return integer_of(graph::read_dtype(image_, record.a), Node(&image_, id).scalar_bytes());
}

std::optional<double> ImageReader::find_real(NodeId id) const {
  const NodeRecord record = image_.node(id);
  const Kind kind = graph::kind_of(image_, id, record);
  if (kind == Kind::real) return std::bit_cast<double>(record.b);
  if (kind == Kind::scalar) return real_of(graph::read_dtype(image_, record.a), Node(&image_, id).scalar_bytes());
  if (const auto integer = find_integer(id)) return static_cast<double>(*integer);
  return std::nullopt;
}

Dtype ImageReader::dtype(NodeId id) const {
  const NodeRecord record = image_.node(id);
  if (record.kind == static_cast<std::uint8_t>(Kind::array) &&
      record.flags == static_cast<std::uint8_t>(format::Layout::objects)) {
    return Dtype(TypeClass::object, 8);
  }
  return Node(&image_, id).dtype();
}

Dims ImageReader::object_array_shape(NodeId id) const {
  const std::vector<std::int64_t> held = Node(&image_, id).object_array_shape();
  Dims shape(held.size());
  for (std::size_t d = 0; d < held.size(); ++d) shape[d] = held[d];
  return shape;
}

ArrayState ImageReader::array(NodeId id) const {
  const NodeRecord record = image_.node(id);
  const graph::ResolvedArray resolved = graph::resolve_array(image_, id, record);
  ArrayState state;
  state.dtype = graph::read_dtype(image_, resolved.type);
  state.shape = resolved.shape;
  state.elements = resolved.elements;
  const ArrayView view(&image_, id);
  if (resolved.span == 0) {
    state.strides = resolved.strides;
    return state;
  }
  if (const std::byte* data = graph::find_data(image_, resolved)) {
    state.strides = resolved.strides;
    state.first = data;
    return state;
  }
  // Encoded: read as a copy in C order. Its length is no more than the file's arrays have, or it repeats elements.
  if (resolved.nbytes > payload_bytes())
    graph::throw_node(image_, id, Reason::too_large, "a compressed array that repeats its elements");
  const auto copy = std::shared_ptr<std::byte[]>(new std::byte[static_cast<std::size_t>(resolved.nbytes)]);
  view.copy_to(std::span(copy.get(), static_cast<std::size_t>(resolved.nbytes)));
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

NodeId ImageReader::find(NodeId dict, std::string_view key) const {
  const NodeRecord record = image_.node(dict);
  if (graph::kind_of(image_, dict, record) != Kind::dict) return kNoNode;
  return graph::find_in_dict(image_, dict, record, key);
}

}  // namespace mere::graph
