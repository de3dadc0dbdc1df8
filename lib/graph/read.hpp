#pragma once
// Records of an open file as the graph uses them: each copied once, checked, then used. docs/format.md 4, 5 and 7.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <mere/array.hpp>
#include <mere/graph.hpp>
#include "format/image.hpp"

namespace mere::graph {

// "a.mere: node 17 (at offset 4711)", for messages.
std::string where(const format::Image& image, std::uint32_t node);

[[noreturn]] void throw_node(const format::Image& image, std::uint32_t node, Reason reason, std::string_view what);

// Throws Error: bad_node, unknown_kind.
Kind kind_of(const format::Image& image, std::uint32_t node, const format::NodeRecord& record);

// The bytes of a str, bytes, bytearray, name, scalar, complex or big int. Throws Error: out_of_bounds.
std::span<const std::byte> heap_of(const format::Image& image, const format::NodeRecord& record);
inline std::string_view text_of(const format::Image& image, const format::NodeRecord& record) {
  const std::span<const std::byte> bytes = heap_of(image, record);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The element type with that id. Throws Error: bad_type, unknown_type, too_deep, too_large, out_of_bounds.
Dtype read_dtype(const format::Image& image, std::uint32_t type);

// Children of a node, in the order of docs/format.md 4: of a dict, keys and values in turn. All links lie in the file.
struct Children {
  std::uint64_t first = 0, count = 0;
};
// Throws Error: out_of_bounds, bad_node, shape_overflow.
Children children_of(const format::Image& image, std::uint32_t node, const format::NodeRecord& record);

// The value of a text key, by the index if there is one; none if the key is absent.
std::uint32_t find_in_dict(const format::Image& image, std::uint32_t node, const format::NodeRecord& dict,
                           std::string_view key);
// The number of the entry with that key, or the number of entries.
std::uint64_t find_entry(const format::Image& image, std::uint32_t node, const format::NodeRecord& dict,
                         std::string_view key);

// One part of an object (format::kPartType ...), or none if it is absent. Throws Error: bad_node, out_of_bounds.
std::uint32_t find_part(const format::Image& image, std::uint32_t node, const format::NodeRecord& object,
                        std::uint8_t part);

// A name in an object's state: of its dict, or the first that has it of a tuple of dicts.
std::uint32_t find_in_state(const format::Image& image, std::uint32_t node, const format::NodeRecord& object,
                            std::string_view key);

// Where an array of numbers lies, all checked.
struct ResolvedArray {
  format::Layout layout = format::Layout::c;
  std::uint32_t type = format::kNone, buffer = format::kNone;
  std::uint64_t itemsize = 0, elements = 0;
  std::uint64_t nbytes = 0;  // elements * itemsize
  std::uint64_t first = 0;   // offset of element 0...0 in the buffer
  std::uint64_t low = 0;     // of the lowest byte reached
  std::uint64_t span = 0;    // bytes reached from there; 0: none
  Dims shape, strides;
};
// Throws Error: wrong_kind (no array, or one of objects), bad_node, out_of_bounds, shape_overflow.
ResolvedArray resolve_array(const format::Image& image, std::uint32_t node, const format::NodeRecord& record);

// The element at index 0...0 in the map; null if the buffer is encoded, or the array has no bytes.
const std::byte* find_data(const format::Image& image, const ResolvedArray& array);

// Whether elements follow each other without a gap, the last (C) or the first (Fortran) dimension fastest.
bool is_dense(const ResolvedArray& array, bool fortran);

}  // namespace mere::graph
