#include "format/row_layouts.hpp"

#include <algorithm>

#include <mere/size.hpp>

namespace mere::format {

namespace {

constexpr std::size_t kMostColumns = 256;  // that filters take (docs/filters.md)
constexpr std::uint64_t kMostRowBytes = 65535;
constexpr unsigned kMostSteps = 1024;  // types and fields looked at, which also bounds the depth
constexpr std::uint8_t kArrayKind = 16;

// Number of elements of an array node; invalid if its shape is.
Size element_count(const Columns& c, const NodeRecord& node) {
  Size count = 1;
  for (std::uint16_t i = 0; i < node.form; ++i) count = count * Size::from_signed(c.extents[node.b + i]);
  return count;
}

}  // namespace

RowLayouts::RowLayouts(const Columns& columns) : columns_(columns), node_of_(columns.buffers.size(), kNone) {
  for (std::size_t id = 0; id < columns.nodes.size(); ++id) {
    const NodeRecord& node = columns.nodes[id];
    if (node.kind != kArrayKind || node.flags > static_cast<std::uint8_t>(Layout::fortran)) continue;
    if (node.a >= columns.arrays.size() || !range_fits(node.b, node.form, columns.extents.size())) continue;
    const ArrayRecord& array = columns.arrays[node.a];
    if (array.buffer >= columns.buffers.size() || array.offset != 0 || array.type >= columns.types.size()) continue;
    const BufferRecord& buffer = columns.buffers[array.buffer];
    if ((buffer.flags & kArenaBuffer) != 0 || node_of_[array.buffer] != kNone) continue;
    const Size bytes = element_count(columns, node) * columns.types[array.type].itemsize;
    if (bytes.fits(buffer.raw_bytes) && bytes.get("array") == buffer.raw_bytes) {
      node_of_[array.buffer] = static_cast<std::uint32_t>(id);
    }
  }
}

codec::RowLayout RowLayouts::of(std::uint32_t buffer) const {
  if (node_of_[buffer] == kNone) return {};
  const NodeRecord& node = columns_.nodes[node_of_[buffer]];
  codec::RowLayout row;
  unsigned steps = 0;
  if (!add_type(columns_.arrays[node.a].type, 0, steps, row)) return {};
  // Bytes behind the last field.
  if (!add_column(row.row_bytes, columns_.types[columns_.arrays[node.a].type].itemsize - row.row_bytes,
                  codec::Column::Content::other, false, row)) {
    return {};
  }
  // The dimensions that change fastest make the row, as long as it stays short; the slowest one never does.
  const codec::RowLayout element = row;
  std::uint64_t elements = 1;
  for (std::uint16_t i = 0; i + 1 < node.form; ++i) {
    const bool fortran = node.flags == static_cast<std::uint8_t>(Layout::fortran);
    const auto n = static_cast<std::uint64_t>(columns_.extents[node.b + (fortran ? i : node.form - 1U - i)]);
    if (n > kMostColumns || elements * n * element.columns.size() > kMostColumns ||
        elements * n * element.row_bytes > kMostRowBytes) {
      break;
    }
    elements *= n;
  }
  for (std::uint64_t i = 1; i < elements; ++i) {
    for (codec::Column column : element.columns) {
      column.offset += static_cast<std::uint32_t>(i * element.row_bytes);
      row.columns.push_back(column);
    }
  }
  row.row_bytes = elements * element.row_bytes;
  return row;
}

// Appends the columns of a type at `offset` of the row, behind those there are. False if they do not follow each other.
bool RowLayouts::add_type(std::uint32_t id, std::uint64_t offset, unsigned& steps, codec::RowLayout& layout) const {
  using Content = codec::Column::Content;
  if (id >= columns_.types.size() || ++steps > kMostSteps) return false;
  const TypeRecord& type = columns_.types[id];
  const bool big = type.byte_order == 1;
  switch (type.type_class) {
    case 0:
    case 1:
    case 2:
    case 10:
    case 11: return add_column(offset, type.itemsize, Content::integer, big, layout);
    case 3: return add_column(offset, type.itemsize, Content::real, big, layout);
    case 4:
      return add_column(offset, type.itemsize / 2, Content::real, big, layout) &&
             add_column(offset + type.itemsize / 2, type.itemsize / 2, Content::real, big, layout);
    case 8:
      for (std::uint64_t at = 0; at < type.itemsize; at += 4) {
        if (!add_column(offset + at, 4, Content::integer, big, layout)) return false;
      }
      return true;
    case 13: {
      // Fields may stand in any order, and may overlap: then nothing is known.
      if (type.count > kMostColumns || !range_fits(type.first, type.count, columns_.fields.size())) return false;
      std::vector<FieldRecord> fields(columns_.fields.begin() + static_cast<std::ptrdiff_t>(type.first),
                                      columns_.fields.begin() + static_cast<std::ptrdiff_t>(type.first + type.count));
      std::stable_sort(fields.begin(), fields.end(),
                       [](const FieldRecord& a, const FieldRecord& b) { return a.offset < b.offset; });
      for (const FieldRecord& field : fields) {
        if (!add_type(field.type, offset + field.offset, steps, layout)) return false;
      }
      return true;
    }
    case 14: {
      if (type.base >= columns_.types.size()) return false;
      const std::uint64_t item = columns_.types[type.base].itemsize;
      for (std::uint64_t at = 0; item > 0 && at < type.itemsize; at += item) {
        if (!add_type(type.base, offset + at, steps, layout)) return false;
      }
      return true;
    }
    default: return add_column(offset, type.itemsize, Content::other, false, layout);
  }
}

bool RowLayouts::add_column(std::uint64_t offset, std::uint64_t bytes, codec::Column::Content content, bool big_endian,
                            codec::RowLayout& layout) const {
  if (offset < layout.row_bytes || !range_fits(offset, bytes, kMostRowBytes)) return false;
  if (offset > layout.row_bytes) {
    layout.columns.push_back({static_cast<std::uint32_t>(layout.row_bytes),
                              static_cast<std::uint32_t>(offset - layout.row_bytes), codec::Column::Content::other,
                              false});
  }
  if (bytes > 0)
    layout.columns.push_back(
        {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes), content, big_endian});
  layout.row_bytes = offset + bytes;
  return layout.columns.size() <= kMostColumns;
}

}  // namespace mere::format
