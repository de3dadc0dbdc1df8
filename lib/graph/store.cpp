#include "graph/store.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include <mere/array.hpp>
#include "graph/dtype_parts.hpp"

namespace mere {

namespace {

constexpr std::uint32_t kFreeSlot = 0xffffffff;

// True if two types are one by what they hold directly: the usual case, told without a look at fields.
bool same_plain(const Dtype& a, const Dtype& b) {
  return a.type_class() == b.type_class() && a.itemsize() == b.itemsize() && a == b;
}

// Whether elements follow each other without a gap when the dimensions are taken in the given direction.
bool dense(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides, std::uint64_t itemsize,
           bool c_order) {
  auto expected = static_cast<std::int64_t>(itemsize);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t d = c_order ? shape.size() - 1 - i : i;
    if (shape[d] == 1) continue;
    if (strides[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

}  // namespace

std::uint64_t element_count(std::span<const std::int64_t> shape, std::uint64_t itemsize, std::string_view what) {
  Size elements = 1;
  bool empty = false;
  for (const std::int64_t n : shape) {
    elements = elements * (n == 0 ? Size(1) : Size::from_signed(n));
    empty = empty || n == 0;
  }
  if (!(elements * Size(itemsize)).fits(INT64_MAX)) throw_size(Reason::shape_overflow, what);
  return empty ? 0 : elements.get(what);
}

void Graph::Store::throw_bad_id(NodeId id) const {
  throw Error(Reason::bad_argument, "node " + (id == kNoNode ? std::string("none") : std::to_string(id)) +
                                        " of a graph of " + std::to_string(nodes.size()));
}

NodeId Graph::Store::add(const Node& node) {
  if (nodes.size() >= kNoNode) throw Error(Reason::too_large, "a graph of more than 2^32 - 1 nodes");
  nodes.push_back(node);
  return static_cast<NodeId>(nodes.size() - 1);
}

std::uint64_t Graph::Store::add_heap(const void* data, std::size_t size) {
  const std::uint64_t at = heap.size();
  heap.append(static_cast<const char*>(data), size);
  return at;
}

NodeId Graph::Store::add_text(Kind kind, std::span<const std::byte> value) {
  const std::uint64_t length = value.size();
  const bool is_long = length > 0xffffffff;
  if (is_long) add_heap(&length, sizeof length);
  const std::uint64_t at = heap.size();
  if (!value.empty()) add_heap(value.data(), value.size());
  return add({.kind = kind,
              .flags = is_long ? kLong : std::uint8_t{0},
              .a = is_long ? 0 : static_cast<std::uint32_t>(length),
              .b = at});
}

void Graph::Store::add_links(std::span<const NodeId> members) {
  const std::less<const NodeId*> before;
  const bool own =
      !members.empty() && !before(members.data(), links.data()) && before(members.data(), links.data() + links.size());
  if (!own) {
    links.insert(links.end(), members.begin(), members.end());
    return;
  }
  // The links move when they grow.
  const auto first = static_cast<std::size_t>(members.data() - links.data());
  const std::size_t at = links.size();
  links.resize(at + members.size());
  std::copy_n(links.begin() + static_cast<std::ptrdiff_t>(first), members.size(),
              links.begin() + static_cast<std::ptrdiff_t>(at));
}

std::uint64_t Graph::Store::long_byte_count(const Node& text) const {
  std::uint64_t length = 0;
  std::memcpy(&length, heap.data() + text.b - sizeof length, sizeof length);
  return length;
}

std::uint64_t Graph::Store::object_count(const Node& array) const {
  return element_count(std::span(extents).subspan(array.a, array.form), sizeof(void*), "array of objects");
}

void Graph::Store::grow_type_slots() {
  std::vector<TypeSlot> old = std::move(type_slots_);
  type_slots_.assign(old.empty() ? 16 : old.size() * 2, {0, kFreeSlot});
  for (const TypeSlot& slot : old) {
    if (slot.id == kFreeSlot) continue;
    std::size_t at = slot.hash & (type_slots_.size() - 1);
    while (type_slots_[at].id != kFreeSlot) at = (at + 1) & (type_slots_.size() - 1);
    type_slots_[at] = slot;
  }
}

std::uint32_t Graph::Store::intern(const Dtype& type) {
  if (!types.empty() && same_plain(types.back(), type)) return static_cast<std::uint32_t>(types.size() - 1);
  if ((types.size() + 1) * 2 > type_slots_.size()) grow_type_slots();
  const std::uint64_t hash = graph::hash_of(type);
  std::size_t at = hash & (type_slots_.size() - 1);
  for (; type_slots_[at].id != kFreeSlot; at = (at + 1) & (type_slots_.size() - 1)) {
    if (type_slots_[at].hash == hash && types[type_slots_[at].id] == type) return type_slots_[at].id;
  }
  if (types.size() >= kFreeSlot) throw Error(Reason::too_large, "a graph of more than 2^32 - 1 element types");
  const auto id = static_cast<std::uint32_t>(types.size());
  types.push_back(type);
  type_slots_[at] = {hash, id};
  return id;
}

std::uint64_t Graph::Store::add_extents(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  const std::uint64_t count = shape.size() + strides.size();
  const auto last = extents.begin() + static_cast<std::ptrdiff_t>(last_extent_);
  if (count == last_extent_count_ && std::equal(shape.begin(), shape.end(), last) &&
      std::equal(strides.begin(), strides.end(), last + static_cast<std::ptrdiff_t>(shape.size()))) {
    return last_extent_;
  }
  last_extent_ = extents.size();
  last_extent_count_ = count;
  // The spans may be of our own column, which moves when it grows.
  extents.reserve(extents.size() + count > extents.capacity() ? (extents.size() + count) * 2 : 0);
  extents.insert(extents.end(), shape.begin(), shape.end());
  extents.insert(extents.end(), strides.begin(), strides.end());
  return last_extent_;
}

NodeId Graph::Store::add_array(std::uint32_t type, std::span<const std::int64_t> shape,
                               std::span<const std::int64_t> strides, const std::byte* first) {
  const Dtype& element = types[type];
  if (element.has_objects()) throw Error(Reason::wrong_type, "array of type " + element.to_text() + " holds objects");
  if (shape.size() > kMaxDims)
    throw Error(Reason::shape_overflow, "array: " + std::to_string(shape.size()) + " dimensions");
  Array made{.first = first, .type = type, .ndim = static_cast<std::uint16_t>(shape.size())};
  const std::uint64_t itemsize = element.itemsize();
  made.elements = element_count(shape, itemsize, "array: shape");
  const bool empty = made.elements == 0 || itemsize == 0;
  if (empty) {
    made.c_order = made.f_order = true;
  } else {
    std::int64_t low = 0, high = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      std::int64_t reach = 0;
      std::int64_t& end = strides[d] < 0 ? low : high;
      if (__builtin_mul_overflow(shape[d] - 1, strides[d], &reach) || __builtin_add_overflow(end, reach, &end)) {
        throw_size(Reason::shape_overflow, "array: strides");
      }
    }
    std::int64_t span = 0;
    if (__builtin_sub_overflow(high, low, &span) ||
        __builtin_add_overflow(span, static_cast<std::int64_t>(itemsize), &span)) {
      throw_size(Reason::shape_overflow, "array: strides");
    }
    if (first == nullptr) throw Error(Reason::bad_argument, "array: no memory");
    made.low = low;
    made.span = static_cast<std::uint64_t>(span);
    made.c_order = dense(shape, strides, itemsize, true);
    made.f_order = dense(shape, strides, itemsize, false);
  }
  made.extent = add_extents(shape, strides);
  if (arrays.size() >= kNoNode) throw Error(Reason::too_large, "a graph of more than 2^32 - 1 arrays");
  arrays.push_back(made);
  const Array& array = arrays.back();
  return add(
      {.kind = Kind::array, .form = array.ndim, .a = static_cast<std::uint32_t>(arrays.size() - 1), .b = array.extent});
}

void Graph::Store::keep(const std::shared_ptr<const void>& owner) {
  if (owner && (owners.empty() || owners.back() != owner)) owners.push_back(owner);
}

}  // namespace mere
