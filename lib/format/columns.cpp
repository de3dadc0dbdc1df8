#include "format/columns.hpp"

#include <mere/error.hpp>

namespace mere::format {

namespace {

std::array<std::uint64_t, 8> column_counts(const Columns& c) {
  return {c.nodes.size(), c.links.size(),  c.heap.size(),   c.extents.size(),
          c.types.size(), c.fields.size(), c.arrays.size(), c.buffers.size()};
}

}  // namespace

std::uint64_t block_count(std::uint64_t raw_bytes) noexcept {
  return raw_bytes / kBlockBytes + (raw_bytes % kBlockBytes != 0 ? 1 : 0);
}

void Columns::end_model() {
  const auto counts = column_counts(*this);
  // Until end_program() says otherwise, the program adds nothing.
  for (std::size_t i = 0; i < counts.size(); ++i) ends[i] = {counts[i], counts[i]};
}

void Columns::end_program() {
  const auto counts = column_counts(*this);
  for (std::size_t i = 0; i < counts.size(); ++i) ends[i].program = counts[i];
}

BufferPlanner::Place BufferPlanner::add(std::uint64_t bytes) {
  const auto begin_buffer = [&](std::uint32_t flags) {
    if (columns_.buffers.size() >= kNone) throw Error(Reason::too_large, "more buffers than 32-bit ids can name");
    columns_.buffers.push_back({bytes, 0, flags});
    return static_cast<std::uint32_t>(columns_.buffers.size() - 1);
  };
  if (bytes >= kSegmentBytes) return {begin_buffer(0), 0};
  if (arena_ != kNone) {
    std::uint64_t& length = columns_.buffers[arena_].raw_bytes;
    const std::uint64_t offset = (length + kArrayAlignment - 1) & ~(kArrayAlignment - 1);
    if (offset + bytes <= kBlockBytes) {
      length = offset + bytes;
      return {arena_, offset};
    }
  }
  arena_ = begin_buffer(kArenaBuffer);
  return {arena_, 0};
}

void BufferPlanner::end_part() {
  arena_ = kNone;
  // Lengths are final now: an arena grows, behind segments added after it began, until its part ends.
  for (; numbered_ < columns_.buffers.size(); ++numbered_) {
    BufferRecord& buffer = columns_.buffers[numbered_];
    buffer.first_block = static_cast<std::uint32_t>(blocks_);
    blocks_ += block_count(buffer.raw_bytes);
    if (blocks_ >= kNone) throw Error(Reason::too_large, "more blocks than 32-bit ids can name");
  }
}

}  // namespace mere::format
