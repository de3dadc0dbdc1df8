// Buffers and blocks: their records, where they lie, and their sums. docs/format.md 6.

#include <algorithm>
#include <bit>
#include <memory>

#include "codec/checksum.hpp"
#include "format/block_reader.hpp"
#include "format/columns.hpp"
#include "format/verify_parts.hpp"
#include "os/worker_team.hpp"

namespace mere::format {

namespace {

constexpr std::uint64_t kTaskBytes = 4 << 20;  // raw bytes of one task of verify_data

// Walks the blocks in their order and holds each against where the one before ended.
class LayoutCheck {
 public:
  LayoutCheck(const Image& image, bool padding) : image_(image), padding_(padding) {}

  void run() {
    const std::uint64_t buffers = image_.section(Section::buffers).count;
    for (std::uint64_t i = 0; i < buffers; ++i) check_buffer(static_cast<std::uint32_t>(i));
    if (next_block_ != image_.section(Section::blocks).count) {
      fail_record(image_, Section::blocks, next_block_, Reason::bad_segment, "no buffer has this block");
    }
    if (group_left_ != 0)
      fail_record(image_, Section::blocks, next_block_ - 1, Reason::bad_segment, "its group goes on");
    move_to(image_.data_end(), kSectionAlignment, next_block_);
    if (any_encoded_ != image_.has_encoded_blocks()) {
      throw Error(Reason::bad_header, image_.name() + ": the flags of the footer say that " +
                                          (any_encoded_ ? "all buffers are" : "not all buffers are") + " mapped");
    }
  }

 private:
  void check_buffer(std::uint32_t id) {
    const BufferRecord buffer = image_.buffer(id);
    const bool arena = (buffer.flags & kArenaBuffer) != 0;
    const auto fail = [&](Reason reason, const std::string& problem) {
      fail_record(image_, Section::buffers, id, reason, problem);
    };
    if ((buffer.flags & ~kArenaBuffer) != 0) fail(Reason::bad_padding, "unknown flags " + std::to_string(buffer.flags));
    if (buffer.raw_bytes == 0 || (arena ? buffer.raw_bytes > kBlockBytes : buffer.raw_bytes < kSegmentBytes)) {
      fail(Reason::bad_segment,
           std::to_string(buffer.raw_bytes) + " bytes; a segment has 16384 or more, an arena 1 to 1048576");
    }
    const std::uint64_t count = block_count(buffer.raw_bytes);
    if (buffer.first_block != next_block_ || count > image_.section(Section::blocks).count - next_block_) {
      fail(Reason::bad_segment, "blocks " + std::to_string(buffer.first_block) + "+" + std::to_string(count) +
                                    "; expected to begin at " + std::to_string(next_block_) + " of " +
                                    std::to_string(image_.section(Section::blocks).count));
    }
    const BlockRecord first = image_.block(buffer.first_block);
    const bool mapped = (first.flags & kMappedBuffer) != 0;
    const std::uint64_t alignment =
        arena ? kArrayAlignment
              : std::max(kMinAlignment, std::min(image_.alignment(), std::bit_floor(buffer.raw_bytes)));
    any_encoded_ = any_encoded_ || !mapped;
    for (std::uint64_t i = 0; i < count; ++i, ++next_block_) {
      const BlockRecord block = i == 0 ? first : image_.block(static_cast<std::uint32_t>(next_block_));
      const std::uint64_t raw_bytes = std::min(kBlockBytes, buffer.raw_bytes - i * kBlockBytes);
      check_block(block, raw_bytes, i == 0, mapped, arena);
      move_to(block, mapped && i == 0 ? alignment : 1);
    }
  }

  void check_block(const BlockRecord& block, std::uint64_t raw_bytes, bool is_first, bool mapped, bool arena) {
    const auto fail = [&](Reason reason, const std::string& problem) {
      fail_record(image_, Section::blocks, next_block_, reason, problem);
    };
    if (block.reserved != 0 || (block.flags & ~kMappedBuffer) != 0) fail(Reason::bad_padding, "reserved bits are set");
    if (block.raw_bytes != raw_bytes) {
      fail(Reason::bad_segment,
           std::to_string(block.raw_bytes) + " raw bytes; its buffer needs " + std::to_string(raw_bytes));
    }
    if (!is_first && block.flags != 0) fail(Reason::bad_segment, "marked as mapped, and not the first of its buffer");
    std::size_t filters = 0;
    while (filters < block.filters.size() && block.filters[filters] != 0) ++filters;
    for (std::size_t i = filters; i < block.filters.size(); ++i) {
      if (block.filters[i] != 0) fail(Reason::bad_segment, "a filter follows the end of the list");
    }
    if (filters == 0 && block.filtered_bytes != 0) fail(Reason::bad_segment, "filtered bytes but no filter");
    const bool plain = block.codec == 0 && filters == 0 && block.group == 0;
    if (plain && block.stored_bytes != block.raw_bytes) {
      fail(Reason::bad_segment,
           std::to_string(block.stored_bytes) + " stored bytes of " + std::to_string(raw_bytes) + " raw ones");
    }
    if (mapped && !plain) fail(Reason::bad_segment, "encoded, in a buffer that is marked as mapped");
    if (group_left_ != 0) {
      ++group_member_;
      --group_left_;
      group_raw_bytes_ += raw_bytes;
      if (block.group != group_member_ || block.offset != leader_.offset ||
          block.stored_bytes != leader_.stored_bytes || block.codec != leader_.codec ||
          block.filters != leader_.filters || block.filtered_bytes != leader_.filtered_bytes || arena ||
          group_raw_bytes_ > kGroupBytes) {
        fail(Reason::bad_segment,
             "not member " + std::to_string(group_member_) + " of the group that begins before it");
      }
    } else if (block.group != 0) {
      const std::uint32_t members = block.group & ~kGroupLeader;
      if ((block.group & kGroupLeader) == 0 || members < 2 || members > kGroupBlocks || !is_first || arena ||
          filters != 1) {
        fail(Reason::bad_segment, "group " + std::to_string(block.group) + " is not one that can begin here");
      }
      leader_ = block;
      group_left_ = members - 1;
      group_member_ = 0;
      group_raw_bytes_ = raw_bytes;
    }
    // A group begins and ends with a buffer: of one, all blocks are grouped or none.
    if (is_first) buffer_grouped_ = block.group != 0;
    if ((block.group != 0) != buffer_grouped_) fail(Reason::bad_segment, "a group ends within a buffer");
  }

  void move_to(const BlockRecord& block, std::uint64_t alignment) {
    if (block.group != 0 && (block.group & kGroupLeader) == 0) return;
    move_to(block.offset, alignment, next_block_);
    if (!range_fits(block.offset, block.stored_bytes, image_.data_end())) {
      fail_record(image_, Section::blocks, next_block_, Reason::bad_segment,
                  std::to_string(block.stored_bytes) + " bytes at offset " + std::to_string(block.offset) +
                      " pass the end of the data at " + std::to_string(image_.data_end()));
    }
    position_ = block.offset + block.stored_bytes;
  }

  void move_to(std::uint64_t offset, std::uint64_t alignment, std::uint64_t block) {
    if (offset < position_) {
      fail_record(
          image_, Section::blocks, block, Reason::overlap,
          "what begins at offset " + std::to_string(offset) + " overlaps what ends at " + std::to_string(position_));
    }
    if (offset > image_.data_end()) {
      fail_record(image_, Section::blocks, block, Reason::bad_segment,
                  "offset " + std::to_string(offset) + " lies behind the end of the data at " +
                      std::to_string(image_.data_end()));
    }
    if (offset % alignment != 0) {
      fail_record(image_, Section::blocks, block, Reason::bad_alignment,
                  "offset " + std::to_string(offset) + " is no multiple of " + std::to_string(alignment));
    }
    if (offset - position_ >= alignment) {
      fail_record(
          image_, Section::blocks, block, Reason::bad_segment,
          std::to_string(offset - position_) + " bytes before offset " + std::to_string(offset) + " belong to nothing");
    }
    if (padding_) check_zero(image_, position_, offset);
    position_ = offset;
  }

  const Image& image_;
  const bool padding_;
  std::uint64_t position_ = kHeaderBytes, next_block_ = 0;
  bool any_encoded_ = false;
  bool buffer_grouped_ = false;
  BlockRecord leader_{};
  std::uint32_t group_left_ = 0, group_member_ = 0;
  std::uint64_t group_raw_bytes_ = 0;
};

}  // namespace

void verify_layout(const Image& image, bool padding) {
  LayoutCheck(image, padding).run();
}

void verify_data(const Image& image, const VerifyOptions& options) {
  // Tasks of whole buffers or of runs of blocks of one; a group is never cut, so that it is decoded once.
  struct Task {
    std::uint32_t buffer;
    std::uint32_t buffer_count;
    std::uint64_t first_index, block_count;  // of a single buffer; else all blocks
  };
  std::vector<Task> tasks;
  std::uint64_t total = 0, open_bytes = kTaskBytes;
  const auto buffers = static_cast<std::uint32_t>(image.section(Section::buffers).count);
  std::uint64_t group_end = 0;
  for (std::uint32_t i = 0; i < buffers; ++i) {
    const BufferRecord buffer = image.buffer(i);
    total += buffer.raw_bytes;
    const std::uint64_t count = block_count(buffer.raw_bytes);
    const BlockRecord first = image.block(buffer.first_block);
    const bool in_group = buffer.first_block < group_end;
    if (!in_group && (first.group & kGroupLeader) != 0) group_end = buffer.first_block + (first.group & ~kGroupLeader);
    if (buffer.raw_bytes > kTaskBytes && buffer.first_block >= group_end) {
      const std::uint64_t step = kTaskBytes / kBlockBytes;
      for (std::uint64_t at = 0; at < count; at += step) tasks.push_back({i, 1, at, std::min(step, count - at)});
      open_bytes = kTaskBytes;
    } else if (in_group || (open_bytes + buffer.raw_bytes <= kTaskBytes && tasks.back().block_count == 0)) {
      ++tasks.back().buffer_count;
      open_bytes += buffer.raw_bytes;
    } else {
      tasks.push_back({i, 1, 0, 0});
      open_bytes = buffer.raw_bytes;
    }
  }
  std::vector<std::unique_ptr<BlockReader>> readers(os::thread_count(options.threads));
  std::atomic<std::uint64_t> done{0};
  std::vector<std::vector<std::byte>> rooms(readers.size());
  os::parallel_for(tasks.size(), static_cast<unsigned>(readers.size()), [&](std::size_t index, unsigned worker) {
    const Task& task = tasks[index];
    if (!readers[worker]) readers[worker] = std::make_unique<BlockReader>(image, codec::InnerSum::compared);
    for (std::uint32_t i = task.buffer; i < task.buffer + task.buffer_count; ++i) {
      const BufferRecord buffer = image.buffer(i);
      const std::uint64_t count = task.block_count != 0 ? task.block_count : block_count(buffer.raw_bytes);
      const auto mapped = image.find_mapped(i);
      for (std::uint64_t at = task.first_index; at < task.first_index + count; ++at) {
        const std::uint64_t length = std::min(kBlockBytes, buffer.raw_bytes - at * kBlockBytes);
        if (mapped) {
          const auto id = static_cast<std::uint32_t>(buffer.first_block + at);
          if (!range_fits(at * kBlockBytes, length, mapped->size())) {
            fail_record(image, Section::buffers, i, Reason::file_changed, "it changed while it was read");
          }
          const std::uint64_t sum = codec::xxh3_64(mapped->subspan(at * kBlockBytes, length));
          if (sum != image.block_sum(id)) {
            fail_record(image, Section::blocks, id, Reason::checksum,
                        "its bytes at offset " + std::to_string(image.block(id).offset) + " have the sum " +
                            std::to_string(sum) + ", recorded is " + std::to_string(image.block_sum(id)));
          }
        } else {
          if (rooms[worker].size() < length) rooms[worker].resize(length);
          readers[worker]->read_block(i, at, std::span(rooms[worker]).first(length), true);
        }
        const std::uint64_t so_far = done.fetch_add(length) + length;
        if (worker == 0 && options.progress) options.progress(so_far, total);
      }
    }
  });
  if (options.progress) options.progress(total, total);
}

}  // namespace mere::format
