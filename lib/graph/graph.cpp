#include <mere/graph.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include <mere/array.hpp>
#include "graph/big_integer.hpp"
#include "graph/dtype_parts.hpp"
#include "graph/store.hpp"

namespace mere {

namespace {

constexpr std::string_view kKindWords[kKindCount] = {
    "null",      "bool", "int",   "float", "complex",  "str",   "bytes",  "bytearray", "list", "tuple",  "set",
    "frozenset", "dict", "slice", "range", "ellipsis", "array", "scalar", "dtype",     "name", "object", "opaque"};

bool is_container(Kind kind) {
  return kind >= Kind::list && kind <= Kind::dict;
}

[[noreturn]] void throw_kind(std::string_view wanted, Kind found) {
  throw Error(Reason::wrong_kind, "expected " + std::string(wanted) + ", found " + std::string(to_text(found)));
}

}  // namespace

std::string_view to_text(Kind kind) noexcept {
  const auto number = static_cast<std::size_t>(kind);
  return number < std::size(kKindWords) ? kKindWords[number] : "unknown";
}

std::optional<Kind> find_kind(std::string_view word) noexcept {
  for (std::size_t i = 0; i < std::size(kKindWords); ++i) {
    if (kKindWords[i] == word) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

Graph::Graph() : store_(std::make_unique<Store>()) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

NodeId Graph::null() {
  return store_->add({.kind = Kind::null});
}
NodeId Graph::boolean(bool value) {
  return store_->add({.kind = Kind::boolean, .b = value ? 1u : 0u});
}
NodeId Graph::integer(std::int64_t value) {
  return store_->add({.kind = Kind::integer, .b = static_cast<std::uint64_t>(value)});
}

NodeId Graph::unsigned_integer(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(INT64_MAX)) return integer(static_cast<std::int64_t>(value));
  std::byte bytes[9] = {};
  std::memcpy(bytes, &value, sizeof value);
  return big_integer(bytes);
}

NodeId Graph::big_integer(std::span<const std::byte> twos_complement) {
  if (twos_complement.empty()) throw Error(Reason::bad_argument, "big_integer: no bytes");
  if (const auto small = graph::find_int64(twos_complement)) return integer(*small);
  const std::span<const std::byte> bytes = graph::shortest(twos_complement);
  if (bytes.size() > 0xffffffff)
    throw Error(Reason::too_large, "big_integer: " + std::to_string(bytes.size()) + " bytes");
  const std::uint64_t at = store_->add_heap(bytes.data(), bytes.size());
  return store_->add(
      {.kind = Kind::integer, .flags = Store::kBig, .a = static_cast<std::uint32_t>(bytes.size()), .b = at});
}

NodeId Graph::real(double value) {
  return store_->add({.kind = Kind::real, .b = std::bit_cast<std::uint64_t>(value)});
}

NodeId Graph::complex(std::complex<double> value) {
  const double parts[2] = {value.real(), value.imag()};
  return store_->add({.kind = Kind::complex, .a = sizeof parts, .b = store_->add_heap(parts, sizeof parts)});
}

NodeId Graph::text(std::string_view utf8) {
  return store_->add_text(Kind::text, std::as_bytes(std::span(utf8)));
}
NodeId Graph::bytes(std::span<const std::byte> value) {
  return store_->add_text(Kind::bytes, value);
}
NodeId Graph::bytearray(std::span<const std::byte> value) {
  return store_->add_text(Kind::bytearray, value);
}
NodeId Graph::ellipsis() {
  return store_->add({.kind = Kind::ellipsis});
}

NodeId Graph::scalar(const Dtype& dtype, std::span<const std::byte> value) {
  if (dtype.has_objects()) throw Error(Reason::wrong_type, "scalar of type " + dtype.to_text() + " holds objects");
  if (value.size() != dtype.itemsize()) {
    throw Error(Reason::bad_argument,
                "scalar of type " + dtype.to_text() + " from " + std::to_string(value.size()) + " bytes");
  }
  const std::uint64_t at = store_->add_heap(value.data(), value.size());
  if (dtype.has_holes()) {
    // Padding is not part of the value: equal scalars have equal bytes.
    std::uint64_t done = 0;
    char* bytes = store_->heap.data() + at;
    for (const graph::ByteRange& range : graph::covered_bytes(dtype)) {
      std::memset(bytes + done, 0, static_cast<std::size_t>(range.offset - done));
      done = range.offset + range.bytes;
    }
    std::memset(bytes + done, 0, static_cast<std::size_t>(value.size() - done));
  }
  return store_->add({.kind = Kind::scalar, .a = store_->intern(dtype), .b = at});
}

NodeId Graph::dtype(const Dtype& dtype) {
  return store_->add({.kind = Kind::dtype, .a = store_->intern(dtype)});
}

NodeId Graph::name(std::string_view module, std::string_view qualname) {
  if (module.size() > 0xffff || qualname.empty() || qualname.size() > 0xffffff) {
    throw Error(Reason::bad_argument, "name: module of " + std::to_string(module.size()) + " bytes, name of " +
                                          std::to_string(qualname.size()));
  }
  const std::uint64_t at = store_->add_heap(module.data(), module.size());
  if (!module.empty()) store_->heap += '.';
  store_->heap += qualname;
  return store_->add({.kind = Kind::name,
                      .form = static_cast<std::uint16_t>(module.size()),
                      .a = static_cast<std::uint32_t>(store_->heap.size() - at),
                      .b = at});
}

NodeId Graph::list() {
  return reserve(Kind::list);
}
NodeId Graph::set() {
  return reserve(Kind::set);
}
NodeId Graph::dict() {
  return reserve(Kind::dict);
}

NodeId Graph::list(std::span<const NodeId> items) {
  const NodeId id = list();
  fill(id, items);
  return id;
}

NodeId Graph::tuple(std::span<const NodeId> items) {
  const NodeId id = reserve(Kind::tuple);
  fill(id, items);
  return id;
}

NodeId Graph::frozenset(std::span<const NodeId> items) {
  const NodeId id = reserve(Kind::frozenset);
  fill(id, items);
  return id;
}

NodeId Graph::dict(std::span<const std::pair<NodeId, NodeId>> entries) {
  const NodeId id = dict();
  static_assert(sizeof(std::pair<NodeId, NodeId>) == 2 * sizeof(NodeId));
  std::vector<NodeId> members;
  members.reserve(entries.size() * 2);
  for (const auto& [key, value] : entries) {
    members.push_back(key);
    members.push_back(value);
  }
  fill(id, members);
  return id;
}

NodeId Graph::slice(NodeId start, NodeId stop, NodeId step) {
  const NodeId parts[] = {start, stop, step};
  for (const NodeId part : parts) store_->at(part);
  const std::uint64_t at = store_->links.size();
  store_->links.insert(store_->links.end(), std::begin(parts), std::end(parts));
  return store_->add({.kind = Kind::slice, .a = 3, .b = at});
}

NodeId Graph::range(NodeId start, NodeId stop, NodeId step) {
  for (const NodeId part : {start, stop, step}) {
    if (store_->at(part).kind != Kind::integer) throw_kind("int in a range", store_->at(part).kind);
  }
  const NodeId id = slice(start, stop, step);
  store_->nodes[id].kind = Kind::range;
  return id;
}

NodeId Graph::reserve(Kind kind) {
  if (!is_container(kind)) throw_kind("a container to reserve", kind);
  return store_->add({.kind = kind});
}

void Graph::fill(NodeId container, std::span<const NodeId> members) {
  const Kind kind = store_->at(container).kind;
  if (!is_container(kind)) throw_kind("a container to fill", kind);
  if (kind == Kind::dict && members.size() % 2 != 0) {
    throw Error(Reason::bad_argument, "fill: a dict takes keys and values, found " + std::to_string(members.size()));
  }
  if (members.size() > 0xffffffff)
    throw Error(Reason::too_large, "fill: " + std::to_string(members.size()) + " members");
  for (const NodeId member : members) store_->at(member);
  Store::Node& node = store_->nodes[container];
  std::vector<NodeId>& links = store_->links;
  if (members.size() > node.a) {
    node.b = links.size();
    store_->add_links(members);
  } else if (!members.empty()) {
    // They may be a view of our own links, of this or another container.
    std::memmove(links.data() + node.b, members.data(), members.size_bytes());
  }
  node.a = static_cast<std::uint32_t>(members.size());
}

NodeId Graph::object(ObjectForm form, const ObjectParts& parts) {
  const NodeId id = reserve_object();
  fill_object(id, form, parts);
  return id;
}

NodeId Graph::reserve_object() {
  return store_->add({.kind = Kind::object});
}

void Graph::fill_object(NodeId object, ObjectForm form, const ObjectParts& parts) {
  if (store_->at(object).kind != Kind::object) throw_kind("object", store_->at(object).kind);
  const NodeId ids[] = {parts.type, parts.args, parts.kwargs, parts.state, parts.items, parts.entries, parts.setter};
  constexpr Kind kinds[] = {Kind::name, Kind::tuple, Kind::dict, Kind::null, Kind::list, Kind::dict, Kind::name};
  std::uint8_t flags = 0;
  const std::uint64_t at = store_->links.size();
  if (parts.type == kNoNode) throw Error(Reason::bad_argument, "an object without a type");
  for (std::size_t i = 0; i < std::size(ids); ++i) {
    if (ids[i] == kNoNode) continue;
    const Kind kind = store_->at(ids[i]).kind;
    if (i != 3 && kind != kinds[i]) throw_kind(std::string(to_text(kinds[i])) + " as part of an object", kind);
    flags = static_cast<std::uint8_t>(flags | 1u << i);
  }
  for (const NodeId id : ids) {
    if (id != kNoNode) store_->links.push_back(id);
  }
  Store::Node& node = store_->nodes[object];
  node.form = static_cast<std::uint16_t>(form);
  node.flags = flags;
  node.b = at;
  node.a = static_cast<std::uint32_t>(store_->links.size() - at);
}

NodeId Graph::opaque(NodeId info, std::span<const std::byte> bytes) {
  if (store_->at(info).kind != Kind::dict) throw_kind("dict as info of an opaque node", store_->at(info).kind);
  const NodeId held = this->bytes(bytes);
  const std::uint64_t at = store_->links.size();
  store_->links.push_back(info);
  store_->links.push_back(held);
  return store_->add({.kind = Kind::opaque, .a = 2, .b = at});
}

NodeId Graph::array(const Dtype& dtype, std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                    ArraySource source) {
  if (strides.size() != shape.size()) {
    throw Error(Reason::bad_argument, "array: " + std::to_string(shape.size()) + " dimensions, " +
                                          std::to_string(strides.size()) + " strides");
  }
  const NodeId id = store_->add_array(store_->intern(dtype), shape, strides, source.data);
  store_->keep(source.owner);
  return id;
}

NodeId Graph::array(const Dtype& dtype, std::span<const std::int64_t> shape, Order order, ArraySource source) {
  if (shape.size() > kMaxDims)
    throw Error(Reason::shape_overflow, "array: " + std::to_string(shape.size()) + " dimensions");
  std::array<std::int64_t, kMaxDims> strides;
  Size step = dtype.itemsize();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t d = order == Order::c ? shape.size() - 1 - i : i;
    // Empty arrays have strides as if they were not, so that none is negative; those of an overflow are never used.
    strides[d] = step.fits(INT64_MAX) ? static_cast<std::int64_t>(step.get("array")) : 0;
    if (shape[d] != 0) step = step * Size::from_signed(shape[d]);
  }
  return array(dtype, shape, std::span(strides).first(shape.size()), std::move(source));
}

NodeId Graph::object_array(std::span<const std::int64_t> shape, std::span<const NodeId> elements) {
  if (shape.size() > kMaxDims)
    throw Error(Reason::shape_overflow, "array: " + std::to_string(shape.size()) + " dimensions");
  if (element_count(shape, sizeof(void*), "object_array") != elements.size()) {
    throw Error(Reason::wrong_shape,
                "object_array: " + std::to_string(elements.size()) + " elements for another shape");
  }
  for (const NodeId element : elements) store_->at(element);
  const std::uint64_t extent = store_->add_extents(shape, {});
  if (extent > 0xffffffff) throw Error(Reason::too_large, "too many shapes");
  const std::uint64_t at = store_->links.size();
  store_->add_links(elements);
  return store_->add({.kind = Kind::array,
                      .flags = Store::kObjects,
                      .form = static_cast<std::uint16_t>(shape.size()),
                      .a = static_cast<std::uint32_t>(extent),
                      .b = at});
}

std::size_t Graph::node_count() const {
  return store_->nodes.size();
}
Kind Graph::kind(NodeId id) const {
  return store_->at(id).kind;
}

std::int64_t Graph::integer_value(NodeId id) const {
  const Store::Node& node = store_->at(id);
  if (node.kind != Kind::integer) throw_kind("int", node.kind);
  if (node.flags & Store::kBig) throw Error(Reason::out_of_range, "an integer beyond 64 bits");
  return static_cast<std::int64_t>(node.b);
}

std::string_view Graph::text_value(NodeId id) const {
  const Store::Node& node = store_->at(id);
  if (node.kind < Kind::text || node.kind > Kind::bytearray) throw_kind("str or bytes", node.kind);
  return store_->text_of(node);
}

std::pair<std::string_view, std::string_view> Graph::name_value(NodeId id) const {
  const Store::Node& node = store_->at(id);
  if (node.kind != Kind::name) throw_kind("name", node.kind);
  const std::string_view full = store_->text_of(node);
  if (node.form == 0) return {std::string_view(), full};
  return {full.substr(0, node.form), full.substr(node.form + 1u)};
}

std::span<const NodeId> Graph::members(NodeId id) const {
  const Store::Node& node = store_->at(id);
  const bool has_members = is_container(node.kind) || node.kind == Kind::slice || node.kind == Kind::range ||
                           (node.kind == Kind::array && (node.flags & Store::kObjects));
  return has_members ? store_->links_of(node) : std::span<const NodeId>();
}

ObjectForm Graph::object_form(NodeId id) const {
  const Store::Node& node = store_->at(id);
  if (node.kind != Kind::object) throw_kind("object", node.kind);
  return static_cast<ObjectForm>(node.form);
}

ObjectParts Graph::object_parts(NodeId id) const {
  const Store::Node& node = store_->at(id);
  if (node.kind != Kind::object) throw_kind("object", node.kind);
  ObjectParts parts;
  NodeId* const ids[] = {&parts.type,  &parts.args,    &parts.kwargs, &parts.state,
                         &parts.items, &parts.entries, &parts.setter};
  std::uint64_t at = node.b;
  for (std::size_t i = 0; i < std::size(ids); ++i) {
    if (node.flags & 1u << i) *ids[i] = store_->links[at++];
  }
  return parts;
}

Dtype Graph::dtype_value(NodeId id) const {
  const Store::Node& node = store_->at(id);
  if (node.kind == Kind::dtype || node.kind == Kind::scalar) return store_->types[node.a];
  if (node.kind != Kind::array) throw_kind("array, scalar or dtype", node.kind);
  if (node.flags & Store::kObjects) return Dtype(TypeClass::object, 8);
  return store_->types[store_->arrays[node.a].type];
}

}  // namespace mere
