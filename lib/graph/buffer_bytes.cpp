#include "graph/buffer_bytes.hpp"

#include <algorithm>
#include <cstring>

#include "graph/strided_copy.hpp"

namespace mere::graph {

namespace {

class ArrayBytes final : public format::BufferSource {
 public:
  ArrayBytes(const Graph::Store& store, BufferRuns runs) : store_(store), runs_(std::move(runs)) {}

  std::span<const std::byte> find_direct(std::uint32_t buffer, std::uint64_t offset,
                                         std::uint64_t length) const override {
    const BufferRun* run = first_run(buffer, offset);
    if (run == end_of(buffer) || run->direct == nullptr || offset < run->offset ||
        !range_fits(offset - run->offset, length, run->bytes)) {
      return {};
    }
    return {run->direct + (offset - run->offset), static_cast<std::size_t>(length)};
  }

  void read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const override {
    const BufferRun* end = end_of(buffer);
    for (const BufferRun* run = first_run(buffer, offset); run != end && !out.empty(); ++run) {
      if (run->offset > offset) {
        const std::size_t gap = static_cast<std::size_t>(std::min<std::uint64_t>(run->offset - offset, out.size()));
        std::memset(out.data(), 0, gap);
        out = out.subspan(gap);
        offset += gap;
        if (out.empty()) return;
      }
      const std::uint64_t inside = offset - run->offset;
      const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(run->bytes - inside, out.size()));
      read_run(*run, inside, out.first(bytes));
      out = out.subspan(bytes);
      offset += bytes;
    }
    if (!out.empty()) std::memset(out.data(), 0, out.size());
  }

  codec::RowLayout row_layout(std::uint32_t buffer) const override {
    if (buffer + std::size_t{1} >= runs_.starts.size() || runs_.starts[buffer + 1] - runs_.starts[buffer] != 1)
      return {};
    const BufferRun& run = runs_.runs[runs_.starts[buffer]];
    if (run.shared && run.direct == nullptr) return {};
    for (std::size_t k = 0; k < run.member_count; ++k) {
      const Graph::Store::Array& array = store_.arrays[runs_.members[run.first_member + k]];
      // Of arrays that overlap, the one that covers all of them.
      if (run.shared && array.span != run.bytes) continue;
      if (run.shared && !array.c_order && !array.f_order) continue;
      const std::span<const std::int64_t> shape(store_.extents.data() + array.extent, array.ndim);
      return row_layout_of(store_.types[array.type], shape, array.f_order && !array.c_order);
    }
    return {};
  }

 private:
  const BufferRun* end_of(std::uint32_t buffer) const {
    return runs_.runs.data() + (buffer + std::size_t{1} < runs_.starts.size() ? runs_.starts[buffer + 1] : 0);
  }
  // The first run of the buffer that ends beyond `offset`.
  const BufferRun* first_run(std::uint32_t buffer, std::uint64_t offset) const {
    const BufferRun* end = end_of(buffer);
    const BufferRun* begin =
        runs_.runs.data() + (buffer + std::size_t{1} < runs_.starts.size() ? runs_.starts[buffer] : 0);
    return std::partition_point(begin, end, [&](const BufferRun& run) { return run.offset + run.bytes <= offset; });
  }

  StridedBytes strided(std::uint32_t id) const {
    const Graph::Store::Array& array = store_.arrays[id];
    const std::span<const std::int64_t> extents(store_.extents.data() + array.extent, 2u * array.ndim);
    return StridedBytes(array.first, extents.first(array.ndim), extents.subspan(array.ndim),
                        store_.types[array.type].itemsize(), array.f_order && !array.c_order,
                        runs_.covered[array.type]);
  }

  void read_run(const BufferRun& run, std::uint64_t offset, std::span<std::byte> out) const {
    if (run.direct != nullptr) {
      std::memcpy(out.data(), run.direct + offset, out.size());
    } else if (!run.shared) {
      strided(runs_.members[run.first_member]).gather(offset, out);
    } else {
      std::memset(out.data(), 0, out.size());
      const auto skip = static_cast<std::size_t>(
          offset < run.padding ? std::min<std::uint64_t>(run.padding - offset, out.size()) : 0);
      out = out.subspan(skip);
      if (out.empty()) return;
      const std::uintptr_t window = run.low + static_cast<std::uintptr_t>(offset + skip - run.padding);
      for (std::size_t k = 0; k < run.member_count; ++k) {
        strided(runs_.members[run.first_member + k]).scatter(window, out);
      }
    }
  }

  const Graph::Store& store_;
  BufferRuns runs_;
};

constexpr std::uint64_t kMaxRowBytes = 512;
constexpr std::size_t kMaxColumns = 1024;

codec::Column::Content content_of(const Dtype& type) {
  switch (type.type_class()) {
    case TypeClass::integer:
    case TypeClass::unsigned_integer:
    case TypeClass::datetime:
    case TypeClass::timedelta: return codec::Column::Content::integer;
    case TypeClass::real: return codec::Column::Content::real;
    default: return codec::Column::Content::other;
  }
}

void append_other(std::vector<codec::Column>& columns, std::uint64_t offset, std::uint64_t bytes) {
  if (bytes == 0) return;
  codec::Column column;
  column.offset = static_cast<std::uint32_t>(offset);
  column.bytes = static_cast<std::uint32_t>(bytes);
  columns.push_back(column);
}

// The columns of one element; false if fields overlap or there are too many.
bool append_columns(const Dtype& type, std::uint64_t at, std::vector<codec::Column>& columns) {
  if (type.itemsize() == 0) return true;
  if (columns.size() >= kMaxColumns) return false;
  if (type.type_class() == TypeClass::record) {
    std::vector<const Field*> fields;
    for (const Field& field : type.fields()) fields.push_back(&field);
    std::stable_sort(fields.begin(), fields.end(),
                     [](const Field* a, const Field* b) { return a->offset < b->offset; });
    std::uint64_t done = 0;
    for (const Field* field : fields) {
      if (field->type.itemsize() == 0) continue;
      if (field->offset < done) return false;
      append_other(columns, at + done, field->offset - done);
      if (!append_columns(field->type, at + field->offset, columns)) return false;
      done = field->offset + field->type.itemsize();
    }
    append_other(columns, at + done, type.itemsize() - done);
    return true;
  }
  if (type.type_class() == TypeClass::subarray && type.itemsize() <= kMaxRowBytes) {
    const std::uint64_t step = type.base().itemsize();
    for (std::uint64_t i = 0; i < type.itemsize(); i += step) {
      if (!append_columns(type.base(), at + i, columns)) return false;
    }
    return true;
  }
  if (type.type_class() == TypeClass::complex) {
    for (std::uint64_t half = 0; half < 2; ++half) {
      codec::Column column;
      column.bytes = static_cast<std::uint32_t>(type.itemsize() / 2);
      column.offset = static_cast<std::uint32_t>(at + half * column.bytes);
      column.content = codec::Column::Content::real;
      column.big_endian = type.byte_order() == ByteOrder::big;
      columns.push_back(column);
    }
    return true;
  }
  append_other(columns, at, type.itemsize());
  columns.back().content = content_of(type);
  columns.back().big_endian = type.byte_order() == ByteOrder::big;
  return true;
}

}  // namespace

std::unique_ptr<format::BufferSource> make_buffer_source(const Graph::Store& store, BufferRuns runs) {
  return std::make_unique<ArrayBytes>(store, std::move(runs));
}

codec::RowLayout row_layout_of(const Dtype& type, std::span<const std::int64_t> shape, bool fortran) {
  codec::RowLayout layout;
  const std::uint64_t itemsize = type.itemsize();
  if (itemsize == 0 || itemsize > (1 << 20)) return layout;
  layout.row_bytes = itemsize;
  if (!append_columns(type, 0, layout.columns)) {
    layout.columns.clear();
    append_other(layout.columns, 0, itemsize);
    return layout;
  }
  // Rows of a matrix: as many of the last dimensions as stay short, but never the first one.
  std::uint64_t repeats = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) {
    const auto n = static_cast<std::uint64_t>(shape[fortran ? i : shape.size() - 1 - i]);
    const Size longer = Size(repeats) * Size(n) * Size(itemsize);
    if (!longer.fits(kMaxRowBytes) || repeats * n * layout.columns.size() > kMaxColumns) break;
    repeats *= n;
  }
  const std::vector<codec::Column> element = layout.columns;
  for (std::uint64_t r = 1; r < repeats; ++r) {
    for (codec::Column column : element) {
      column.offset += static_cast<std::uint32_t>(r * itemsize);
      layout.columns.push_back(column);
    }
  }
  layout.row_bytes = itemsize * repeats;
  return layout;
}

}  // namespace mere::graph
