#pragma once
// What a Graph holds: flat columns, much like those of a file (docs/format.md 4), but in the order things were built.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <mere/graph.hpp>

namespace mere {

// The number of elements of a shape, as NumPy allows it: dimensions that are not zero must not overflow, in bytes, even
// if another one is. Throws Error(shape_overflow).
std::uint64_t element_count(std::span<const std::int64_t> shape, std::uint64_t itemsize, std::string_view what);

struct Graph::Store {
  // What a and b hold, by kind; as small as a node of a file, since a hostile source may ask for one a byte:
  //   boolean, integer, real        b: the value or its bits
  //   integer with flag kBig        a: length, as short as it can be; b: heap offset
  //   complex                       a: 16; b: heap offset
  //   text, bytes, bytearray        a: length; b: heap offset. With flag kLong the length is the 8 bytes before b
  //   scalar                        a: type, which says the length; b: heap offset
  //   dtype                         a: type
  //   name                          form: length of the module part; a: length; b: heap offset
  //   list .. frozenset, slice, range, opaque   a: number of links; b: the first
  //   dict                          a: number of links, twice the entries; b: the first
  //   object                        flags: parts present; form; a: number of parts; b: first link
  //   array                         a: array; form: dimensions; b: extent of the shape, then the strides
  //   array with flag kObjects      form, as above, no strides; a: extent of the shape; b: first link
  struct Node {
    Kind kind = Kind::null;
    std::uint8_t flags = 0;
    std::uint16_t form = 0;
    std::uint32_t a = 0;
    std::uint64_t b = 0;
  };
  static_assert(sizeof(Node) == 16);
  static constexpr std::uint8_t kBig = 1;
  static constexpr std::uint8_t kLong = 1;
  static constexpr std::uint8_t kObjects = 1;

  // Where an array of numbers lies in memory.
  struct Array {
    const std::byte* first = nullptr;  // element 0...0
    std::uint64_t elements = 0;
    std::int64_t low = 0;      // lowest byte reached, counted from `first`; not above 0
    std::uint64_t span = 0;    // bytes from there to the end of the highest element; 0: the array has no bytes
    std::uint64_t extent = 0;  // of the shape; the strides follow it
    std::uint32_t type = 0;
    std::uint16_t ndim = 0;
    bool c_order = false, f_order = false;  // without gaps
  };

  std::vector<Node> nodes;
  std::vector<NodeId> links;
  std::string heap;
  std::vector<std::int64_t> extents;
  std::vector<Dtype> types;
  std::vector<Array> arrays;
  std::vector<std::shared_ptr<const void>> owners;

  // The id of a type equal to `type`, which is added if it is new. Throws Error: too_large.
  std::uint32_t intern(const Dtype& type);
  NodeId add(const Node& node);
  NodeId add_text(Kind kind, std::span<const std::byte> value);
  std::uint64_t add_heap(const void* data, std::size_t size);
  // Appends `members`, which may be a view of the links.
  void add_links(std::span<const NodeId> members);
  // Adds the shape and `strides`; equal to the extents added last, those are used again.
  std::uint64_t add_extents(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);
  // Throws Error: shape_overflow, wrong_type, bad_argument.
  NodeId add_array(std::uint32_t type, std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                   const std::byte* first);
  void keep(const std::shared_ptr<const void>& owner);

  // Throw Error(bad_argument): no node has that id.
  const Node& at(NodeId id) const {
    if (id >= nodes.size()) throw_bad_id(id);
    return nodes[id];
  }
  [[noreturn]] void throw_bad_id(NodeId id) const;

  // Of kinds that have links: containers, slice, range, opaque, object, array of objects.
  std::uint64_t link_count(const Node& node) const {
    return node.kind == Kind::array ? object_count(node) : std::uint64_t{node.a};
  }
  std::span<const NodeId> links_of(const Node& node) const {
    return {links.data() + node.b, static_cast<std::size_t>(link_count(node))};
  }
  // Of kinds whose value lies in the heap.
  static bool is_in_heap(const Node& node) {
    return (node.kind >= Kind::complex && node.kind <= Kind::bytearray) || node.kind == Kind::scalar ||
           node.kind == Kind::name || (node.kind == Kind::integer && (node.flags & kBig) != 0);
  }
  std::uint64_t byte_count(const Node& node) const {
    if (node.kind == Kind::scalar) return types[node.a].itemsize();
    return node.kind >= Kind::text && node.kind <= Kind::bytearray && (node.flags & kLong) != 0 ? long_byte_count(node)
                                                                                                : std::uint64_t{node.a};
  }
  std::string_view text_of(const Node& node) const {
    return {heap.data() + node.b, static_cast<std::size_t>(byte_count(node))};
  }

 private:
  std::uint64_t object_count(const Node& array) const;
  std::uint64_t long_byte_count(const Node& text) const;

  struct TypeSlot {
    std::uint64_t hash;
    std::uint32_t id;
  };
  std::vector<TypeSlot> type_slots_;  // open addressing; a power of two
  std::uint64_t last_extent_ = 0, last_extent_count_ = 0;
  void grow_type_slots();
};

}  // namespace mere
