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
  // What a, b and c hold, by kind:
  //   boolean, integer, real        b: the value or its bits
  //   integer with flag kBig        b, c: heap offset and length, as short as it can be
  //   complex                       b, c: heap offset, 16
  //   text, bytes, bytearray        b, c: heap offset and length
  //   scalar                        a: type; b, c: heap offset and length
  //   dtype                         a: type
  //   name                          a: length of the module part; b, c: heap offset and length
  //   list .. frozenset, slice, range, opaque   b, c: first link, number of links
  //   dict                          b, c: first link, number of links: twice the entries
  //   object                        flags: parts present; form; b, c: first link, number of parts
  //   array                         a: array; form: dimensions; b: extent of the shape, then the strides
  //   array with flag kObjects      form, as above, no strides; a: extent of the shape; b, c: first link, number of
  //   links
  struct Node {
    Kind kind = Kind::null;
    std::uint8_t flags = 0;
    std::uint16_t form = 0;
    std::uint32_t a = 0;
    std::uint64_t b = 0, c = 0;
  };
  static constexpr std::uint8_t kBig = 1;
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

  std::span<const NodeId> links_of(const Node& node) const {
    return {links.data() + node.b, static_cast<std::size_t>(node.c)};
  }
  std::string_view text_of(const Node& node) const { return {heap.data() + node.b, static_cast<std::size_t>(node.c)}; }

 private:
  struct TypeSlot {
    std::uint64_t hash;
    std::uint32_t id;
  };
  std::vector<TypeSlot> type_slots_;  // open addressing; a power of two
  std::uint64_t last_extent_ = 0, last_extent_count_ = 0;
  void grow_type_slots();
};

}  // namespace mere
