#include "graph/read.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "codec/checksum.hpp"
#include "graph/key_index.hpp"
#include "graph/store.hpp"
#include "graph/type_reader.hpp"

namespace mere::graph {

using format::Image;
using format::kNone;
using format::Layout;
using format::NodeRecord;

std::string where(const Image& image, std::uint32_t node) {
  // What is found wrong may be the zeros of a page that could not be read: then that is the error.
  image.check_faults();
  return image.name() + ": node " + std::to_string(node) + " (at offset " +
         std::to_string(image.file_offset(format::Section::nodes, node)) + ")";
}

void throw_node(const Image& image, std::uint32_t node, Reason reason, std::string_view what) {
  throw Error(reason, where(image, node) + ": " + std::string(what));
}

Kind kind_of(const Image& image, std::uint32_t node, const NodeRecord& record) {
  if (record.kind >= kKindCount) [[unlikely]] {
    throw_node(image, node, Reason::unknown_kind, "kind " + std::to_string(record.kind));
  }
  return static_cast<Kind>(record.kind);
}

std::span<const std::byte> heap_of(const Image& image, const NodeRecord& record) {
  const auto kind = static_cast<Kind>(record.kind);
  std::uint64_t length = record.a;
  if ((record.flags & format::kLongText) && kind >= Kind::text && kind <= Kind::bytearray) [[unlikely]] {
    if (record.b < sizeof length)
      throw Error(Reason::out_of_bounds, image.name() + ": a long text at heap " + std::to_string(record.b));
    std::memcpy(&length, image.heap(record.b - sizeof length, sizeof length).data(), sizeof length);
  }
  return image.heap(record.b, length);
}

namespace {

std::uint64_t count_elements(const Image& image, std::uint32_t node, const Dims& shape, std::uint64_t itemsize) {
  try {
    return element_count(shape, itemsize, "shape");
  } catch (const Error&) {
    throw_node(image, node, Reason::shape_overflow,
               "shape " + shape.to_text() + " of items of " + std::to_string(itemsize) + " bytes");
  }
}

}  // namespace

Children children_of(const Image& image, std::uint32_t node, const NodeRecord& record) {
  Children children{record.b, 0};
  switch (kind_of(image, node, record)) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::frozenset: children.count = record.a; break;
    case Kind::dict: children.count = std::uint64_t{2} * record.a; break;
    case Kind::slice:
    case Kind::range:
      if (record.a != 3)
        throw_node(image, node, Reason::bad_node, "a slice or range of " + std::to_string(record.a) + " parts, not 3");
      children.count = 3;
      break;
    case Kind::object:
      if ((record.flags & format::kPartType) == 0 || (record.flags & 0x80) != 0 ||
          static_cast<std::uint32_t>(std::popcount(record.flags)) != record.a) {
        throw_node(
            image, node, Reason::bad_node,
            "an object with parts " + std::to_string(record.flags) + ", " + std::to_string(record.a) + " of them");
      }
      children.count = record.a;
      break;
    case Kind::opaque:
      if (record.a != 2)
        throw_node(image, node, Reason::bad_node, "an opaque node of " + std::to_string(record.a) + " links, not 2");
      children.count = 2;
      break;
    case Kind::array: {
      if (record.flags != static_cast<std::uint8_t>(Layout::objects)) return {};
      if (record.form > kMaxDims)
        throw_node(image, node, Reason::bad_node, "an array of " + std::to_string(record.form) + " dimensions");
      image.check_extents(record.b, record.form);
      Dims shape(record.form);
      for (std::size_t d = 0; d < shape.size(); ++d) shape[d] = image.extent(record.b + d);
      children.count = count_elements(image, node, shape, sizeof(void*));
      children.first = image.array(record.a).offset;
      break;
    }
    default: return {};
  }
  image.check_links(children.first, children.count);
  return children;
}

std::uint64_t find_entry(const Image& image, std::uint32_t node, const NodeRecord& dict, std::string_view key) {
  const std::uint64_t entries = dict.a;
  image.check_links(dict.b, 2 * entries);
  const auto has_key = [&](std::uint64_t entry) {
    const NodeRecord record = image.node(image.link(dict.b + 2 * entry));
    if (record.kind != static_cast<std::uint8_t>(Kind::text)) return false;
    if (!(record.flags & format::kLongText) && record.a != key.size()) return false;
    return text_of(image, record) == key;
  };
  if ((dict.flags & format::kIndexedDict) == 0) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      if (has_key(i)) return i;
    }
    return entries;
  }
  const std::uint64_t keys = image.link(dict.b + 2 * entries);
  if (keys > entries) throw_node(image, node, Reason::bad_node, "a key index of more keys than the dict has entries");
  const KeyIndexShape shape(keys, entries);
  const std::uint64_t starts = dict.b + 2 * entries + 1;
  const std::uint64_t slots = starts + shape.buckets() + 1;
  image.check_links(starts, shape.buckets() + 1 + keys);
  const std::uint64_t hash = codec::xxh3_64(std::as_bytes(std::span(key)));
  const std::uint64_t bucket = shape.bucket_of(hash);
  const std::uint64_t end = std::min<std::uint64_t>(image.link(starts + bucket + 1), keys);
  for (std::uint64_t i = image.link(starts + bucket); i < end; ++i) {
    const std::uint32_t slot = image.link(slots + i);
    if (!shape.matches(slot, hash)) continue;
    const std::uint32_t entry = shape.entry_of(slot);
    if (entry < entries && has_key(entry)) return entry;
  }
  return entries;
}

std::uint32_t find_in_dict(const Image& image, std::uint32_t node, const NodeRecord& dict, std::string_view key) {
  const std::uint64_t entry = find_entry(image, node, dict, key);
  return entry == dict.a ? kNone : image.link(dict.b + 2 * entry + 1);
}

std::uint32_t find_part(const Image& image, std::uint32_t node, const NodeRecord& object, std::uint8_t part) {
  const Children children = children_of(image, node, object);
  if ((object.flags & part) == 0) return kNone;
  const auto before = static_cast<unsigned>(std::popcount(static_cast<std::uint8_t>(object.flags & (part - 1))));
  const std::uint32_t child = image.link(children.first + before);
  if (child == kNone) throw_node(image, node, Reason::bad_node, "a part of the object is no node");
  return child;
}

std::uint32_t find_in_state(const Image& image, std::uint32_t node, const NodeRecord& object, std::string_view key) {
  const std::uint32_t state = find_part(image, node, object, format::kPartState);
  if (state == kNone) return kNone;
  const NodeRecord record = image.node(state);
  if (record.kind == static_cast<std::uint8_t>(Kind::dict)) return find_in_dict(image, state, record, key);
  if (record.kind != static_cast<std::uint8_t>(Kind::tuple)) return kNone;
  const Children members = children_of(image, state, record);
  for (std::uint64_t i = 0; i < members.count; ++i) {
    const std::uint32_t member = image.link(members.first + i);
    const NodeRecord dict = image.node(member);
    if (dict.kind != static_cast<std::uint8_t>(Kind::dict)) continue;
    const std::uint32_t found = find_in_dict(image, member, dict, key);
    if (found != kNone) return found;
  }
  return kNone;
}

Dtype read_dtype(const Image& image, std::uint32_t type) {
  return TypeReader(image).read(type);
}

ResolvedArray resolve_array(const Image& image, std::uint32_t node, const NodeRecord& record) {
  if (record.kind != static_cast<std::uint8_t>(Kind::array)) {
    throw_node(image, node, Reason::wrong_kind,
               "expected array, found " + std::string(to_text(kind_of(image, node, record))));
  }
  if (record.flags == static_cast<std::uint8_t>(Layout::objects)) {
    throw_node(image, node, Reason::wrong_kind, "an array of objects has members, not bytes");
  }
  if (record.flags > 3 || record.form > kMaxDims) {
    throw_node(
        image, node, Reason::bad_node,
        "an array of layout " + std::to_string(record.flags) + " and " + std::to_string(record.form) + " dimensions");
  }
  ResolvedArray made;
  made.layout = static_cast<Layout>(record.flags);
  const format::ArrayRecord array = image.array(record.a);
  const format::TypeRecord type = image.type(array.type);
  made.type = array.type;
  made.buffer = array.buffer;
  made.itemsize = type.itemsize;
  made.first = array.offset;
  const std::size_t ndim = record.form;
  const bool strided = made.layout == Layout::strided;
  image.check_extents(record.b, strided ? 2 * ndim : ndim);
  made.shape = Dims(ndim);
  made.strides = Dims(ndim);
  for (std::size_t d = 0; d < ndim; ++d) made.shape[d] = image.extent(record.b + d);
  made.elements = count_elements(image, node, made.shape, type.itemsize);
  made.nbytes = made.elements * type.itemsize;
  if (strided) {
    for (std::size_t d = 0; d < ndim; ++d) made.strides[d] = image.extent(record.b + ndim + d);
  } else {
    // None of these steps passes what count_elements() has allowed.
    auto step = static_cast<std::int64_t>(type.itemsize);
    for (std::size_t i = 0; i < ndim; ++i) {
      const std::size_t d = made.layout == Layout::c ? ndim - 1 - i : i;
      made.strides[d] = step;
      if (made.shape[d] != 0) step *= made.shape[d];
    }
  }
  if (made.nbytes == 0) return made;
  std::int64_t low = 0, high = 0;
  if (!strided) {
    high = static_cast<std::int64_t>(made.nbytes - made.itemsize);
  } else {
    for (std::size_t d = 0; d < ndim; ++d) {
      std::int64_t reach = 0;
      std::int64_t& end = made.strides[d] < 0 ? low : high;
      if (__builtin_mul_overflow(made.shape[d] - 1, made.strides[d], &reach) ||
          __builtin_add_overflow(end, reach, &end)) {
        throw_node(image, node, Reason::shape_overflow,
                   "strides " + made.strides.to_text() + " of shape " + made.shape.to_text());
      }
    }
  }
  const std::uint64_t raw = image.buffer(array.buffer).raw_bytes;
  const auto before = static_cast<std::uint64_t>(-(low + 1)) + 1;  // -low, also of the least number
  const auto behind = static_cast<std::uint64_t>(high);
  if (before > array.offset || !range_fits(array.offset, made.itemsize, raw) ||
      behind > raw - array.offset - made.itemsize) {
    throw_node(image, node, Reason::out_of_bounds,
               "an array of shape " + made.shape.to_text() + ", strides " + made.strides.to_text() + " at offset " +
                   std::to_string(array.offset) + " reaches outside its buffer of " + std::to_string(raw) + " bytes");
  }
  made.low = array.offset - before;
  made.span = before + behind + made.itemsize;
  return made;
}

const std::byte* find_data(const Image& image, const ResolvedArray& array) {
  if (array.span == 0) return nullptr;
  const std::optional<std::span<const std::byte>> mapped = image.find_mapped(array.buffer);
  // The buffer's length was read before: what lies in the map is bounded again.
  if (!mapped) return nullptr;
  if (!range_fits(array.low, array.span, mapped->size())) {
    throw Error(Reason::out_of_bounds,
                image.name() + ": buffer " + std::to_string(array.buffer) + " changed while it was read");
  }
  return mapped->data() + array.first;
}

bool is_dense(const ResolvedArray& array, bool fortran) {
  if (array.nbytes == 0) return true;
  auto expected = static_cast<std::int64_t>(array.itemsize);
  for (std::size_t i = 0; i < array.shape.size(); ++i) {
    const std::size_t d = fortran ? i : array.shape.size() - 1 - i;
    if (array.shape[d] == 1) continue;
    if (array.strides[d] != expected) return false;
    expected *= array.shape[d];
  }
  return true;
}

}  // namespace mere::graph
