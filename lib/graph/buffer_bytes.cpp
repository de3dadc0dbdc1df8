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
      strided(run.member).gather(offset, out);
    } else {
      const SharedRun& shared = runs_.shared[run.member];
      std::memset(out.data(), 0, out.size());
      const auto skip = static_cast<std::size_t>(
          offset < shared.padding ? std::min<std::uint64_t>(shared.padding - offset, out.size()) : 0);
      out = out.subspan(skip);
      if (out.empty()) return;
      const std::uintptr_t window = shared.low + static_cast<std::uintptr_t>(offset + skip - shared.padding);
      for (std::size_t k = 0; k < shared.member_count; ++k) {
        strided(runs_.members[shared.first_member + k]).scatter(window, out);
      }
    }
  }

  const Graph::Store& store_;
  BufferRuns runs_;
};

}  // namespace

std::unique_ptr<format::BufferSource> make_buffer_source(const Graph::Store& store, BufferRuns runs) {
  return std::make_unique<ArrayBytes>(store, std::move(runs));
}

}  // namespace mere::graph
