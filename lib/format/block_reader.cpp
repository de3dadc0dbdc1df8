#include "format/block_reader.hpp"

#include <algorithm>
#include <cstring>

#include "codec/checksum.hpp"
#include "format/columns.hpp"

namespace mere::format {

namespace {

// memcpy may not be given the null pointer of an empty span.
void copy_into(std::span<std::byte> to, const std::byte* from) {
  if (!to.empty()) std::memcpy(to.data(), from, to.size());
}

}  // namespace

struct BlockReader::Place {
  std::uint32_t buffer, id;
  BlockRecord block;
};

void BlockReader::fail(Reason reason, std::uint32_t block, const std::string& problem) const {
  throw Error(reason, image_.name() + ": block " + std::to_string(block) + " (record at offset " +
                          std::to_string(image_.file_offset(Section::blocks, block)) + "): " + problem);
}

void BlockReader::compare_sum(std::uint32_t block, std::span<const std::byte> raw) const {
  const std::uint64_t expected = image_.block_sum(block), found = codec::xxh3_64(raw);
  if (found != expected) {
    fail(Reason::checksum, block,
         "its bytes at offset " + std::to_string(image_.block(block).offset) + " have the sum " +
             std::to_string(found) + ", recorded is " + std::to_string(expected));
  }
}

BlockReader::Place BlockReader::find_place(std::uint32_t buffer, std::uint64_t index) const {
  const BufferRecord record = image_.buffer(buffer);
  const std::uint64_t count = block_count(record.raw_bytes);
  if (index >= count || !range_fits(record.first_block, count, image_.section(Section::blocks).count)) {
    throw Error(Reason::bad_segment, image_.name() + ": buffer " + std::to_string(buffer) + " of " +
                                         std::to_string(record.raw_bytes) + " bytes: blocks " +
                                         std::to_string(record.first_block) + "+" + std::to_string(count) + " of " +
                                         std::to_string(image_.section(Section::blocks).count));
  }
  Place place{buffer, static_cast<std::uint32_t>(record.first_block + index), {}};
  place.block = image_.block(place.id);
  const std::uint64_t raw_bytes = index + 1 < count ? kBlockBytes : record.raw_bytes - index * kBlockBytes;
  if (place.block.raw_bytes != raw_bytes) {
    fail(Reason::bad_segment, place.id,
         std::to_string(place.block.raw_bytes) + " raw bytes; buffer " + std::to_string(buffer) + " needs " +
             std::to_string(raw_bytes) + " here");
  }
  return place;
}

void BlockReader::read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t raw_bytes = image_.buffer(buffer).raw_bytes;
  if (!range_fits(offset, out.size(), raw_bytes)) {
    throw Error(Reason::out_of_bounds, image_.name() + ": bytes " + std::to_string(offset) + "+" +
                                           std::to_string(out.size()) + " of buffer " + std::to_string(buffer) +
                                           " asked for, which has " + std::to_string(raw_bytes));
  }
  while (!out.empty()) {
    const std::uint64_t index = offset / kBlockBytes, skip = offset % kBlockBytes;
    const std::uint64_t length = std::min(kBlockBytes, raw_bytes - index * kBlockBytes);
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(length - skip, out.size()));
    if (take == length) {
      read_block(buffer, index, out.first(take), true);
    } else if (const auto mapped = image_.find_mapped(buffer)) {
      // The buffer is looked up anew, in case it changed: the span alone says how long it is.
      if (!range_fits(offset, take, mapped->size()))
        fail(Reason::bad_segment, 0, "the buffer changed while it was read");
      std::memcpy(out.data(), mapped->data() + offset, take);
    } else {
      const std::span<std::byte> whole = partial_.take(length);
      read_block(buffer, index, whole, true);
      std::memcpy(out.data(), whole.data() + skip, take);
    }
    offset += take;
    out = out.subspan(take);
  }
}

void BlockReader::read_block(std::uint32_t buffer, std::uint64_t index, std::span<std::byte> out, bool check_sum) {
  const Place place = find_place(buffer, index);
  if (place.block.raw_bytes != out.size()) {
    fail(Reason::bad_segment, place.id,
         std::to_string(out.size()) + " bytes asked for, it has " + std::to_string(place.block.raw_bytes));
  }
  if (const auto mapped = image_.find_mapped(buffer)) {
    if (!range_fits(index * kBlockBytes, out.size(), mapped->size())) {
      fail(Reason::bad_segment, place.id, "the buffer changed while it was read");
    }
    copy_into(out, mapped->data() + index * kBlockBytes);
  } else if (place.block.group != 0) {
    read_group(place, out);
  } else {
    decode_alone(place, out);
  }
  if (check_sum) compare_sum(place.id, out);
}

void BlockReader::decode_stored(const BlockRecord& block, std::uint32_t id, std::span<std::byte> out) {
  // Encoding never makes much more of the bytes, so a longer run is a lie that would cost us memory.
  if (block.offset < kHeaderBytes || !range_fits(block.offset, block.stored_bytes, image_.data_end()) ||
      block.stored_bytes > max_filtered_bytes(out.size())) {
    fail(Reason::bad_segment, id,
         std::to_string(block.stored_bytes) + " stored bytes at offset " + std::to_string(block.offset) + " for " +
             std::to_string(out.size()) + " decoded ones; the data ends at " + std::to_string(image_.data_end()));
  }
  const std::byte* from = image_.bytes().data() + block.offset;
  if (block.codec == static_cast<std::uint8_t>(codec::CodecId::none)) {
    if (block.stored_bytes != out.size()) {
      fail(Reason::bad_stream, id,
           std::to_string(block.stored_bytes) + " bytes stored at offset " + std::to_string(block.offset) +
               " without a codec; expected " + std::to_string(out.size()));
    }
    copy_into(out, from);
    return;
  }
  // Decoders look at a byte more than once: they get bytes that nobody can change.
  const std::span<std::byte> stored = stored_.take(block.stored_bytes);
  copy_into(stored, from);
  if (!codec_) codec_.emplace();
  try {
    codec_->decode(static_cast<codec::CodecId>(block.codec), stored, out, inner_sums_);
  } catch (const Error& error) {
    throw error.with_context(image_.name() + ": block " + std::to_string(id) + " at offset " +
                             std::to_string(block.offset));
  }
}

void BlockReader::decode_alone(const Place& place, std::span<std::byte> out) {
  const BlockRecord& block = place.block;
  std::size_t filter_count = 0;
  while (filter_count < block.filters.size() && block.filters[filter_count] != 0) ++filter_count;
  for (std::size_t i = filter_count; i < block.filters.size(); ++i) {
    if (block.filters[i] != 0) fail(Reason::bad_segment, place.id, "a filter follows the end of the list");
  }
  if (filter_count == 0) {
    if (block.filtered_bytes != 0) fail(Reason::bad_segment, place.id, "filtered bytes but no filter");
    decode_stored(block, place.id, out);
    return;
  }
  const std::uint64_t most = max_filtered_bytes(out.size());
  if (block.filtered_bytes > most) {
    fail(Reason::bad_segment, place.id,
         std::to_string(block.filtered_bytes) + " filtered bytes of " + std::to_string(out.size()) + " raw ones");
  }
  const std::span<std::byte> filtered = filtered_.take(block.filtered_bytes);
  decode_stored(block, place.id, filtered);
  std::span<const std::byte> bytes = filtered;
  for (std::size_t i = filter_count; i-- > 0;) {
    const codec::Filter* filter = image_.filter_table().find(block.filters[i]);
    if (filter == nullptr) {
      fail(Reason::unknown_filter, place.id,
           "filter " + std::to_string(block.filters[i]) + " is not known to this build");
    }
    std::span<std::byte> to = out;
    if (i > 0) {
      // The output of every filter but the first is preceded by the length of its input.
      std::uint32_t length = 0;
      if (bytes.size() < sizeof length)
        fail(Reason::bad_stream, place.id, "the filtered bytes end before their length");
      std::memcpy(&length, bytes.data(), sizeof length);
      if (length > most) fail(Reason::bad_stream, place.id, std::to_string(length) + " bytes between two filters");
      bytes = bytes.subspan(sizeof length);
      to = unfiltered_.take(length);
    }
    try {
      filter->decode(bytes, to, scratch_);
    } catch (const Error& error) {
      throw error.with_context(image_.name() + ": block " + std::to_string(place.id) + " at offset " +
                               std::to_string(block.offset));
    }
    bytes = to;
    std::swap(filtered_, unfiltered_);  // `bytes` lies in filtered_ now; a span stays valid over the swap
  }
}

void BlockReader::read_group(const Place& place, std::span<std::byte> out) {
  const std::uint32_t group = place.block.group;
  const std::uint32_t back = (group & kGroupLeader) != 0 ? 0 : group;
  if (back > place.id || back >= kGroupBlocks) {
    fail(Reason::bad_segment, place.id, "its group would begin " + std::to_string(back) + " blocks before it");
  }
  const std::uint32_t leader = place.id - back;
  if (group_leader_ != leader) decode_group(leader, place.buffer);
  if (back >= group_block_bytes_.size() || group_block_bytes_[back] != out.size()) {
    fail(Reason::bad_segment, place.id,
         "it is not the member of group " + std::to_string(leader) + " that it says it is");
  }
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < back; ++i) offset += group_block_bytes_[i];
  std::memcpy(out.data(), group_.data() + offset, out.size());
}

void BlockReader::decode_group(std::uint32_t leader, std::uint32_t buffer) {
  group_leader_ = kNone;
  const BlockRecord first = image_.block(leader);
  const std::uint32_t count = first.group & ~kGroupLeader;
  if ((first.group & kGroupLeader) == 0 || count < 2 || count > kGroupBlocks ||
      !range_fits(leader, count, image_.section(Section::blocks).count)) {
    fail(Reason::bad_segment, leader, "it leads no group of 2 to " + std::to_string(kGroupBlocks) + " blocks");
  }
  // The buffers of the group: back to the one that begins with the leader, then on until the blocks are used up.
  std::uint32_t from = buffer;
  for (std::uint32_t at = image_.buffer(from).first_block; at != leader;) {
    const std::uint32_t before = from == 0 ? at : image_.buffer(from - 1).first_block;
    if (before >= at) fail(Reason::bad_segment, leader, "no buffer begins with this leader of a group");
    --from;
    at = before;
  }
  std::vector<std::uint64_t> lengths;
  group_block_bytes_.clear();
  std::uint64_t total = 0;
  for (std::uint32_t id = from; group_block_bytes_.size() < count; ++id) {
    const BufferRecord record = image_.buffer(id);
    if (record.raw_bytes == 0 || record.raw_bytes > kGroupBytes - total ||
        record.first_block != leader + group_block_bytes_.size()) {
      fail(Reason::bad_segment, leader, "buffer " + std::to_string(id) + " does not fit into the group");
    }
    lengths.push_back(record.raw_bytes);
    total += record.raw_bytes;
    for (std::uint64_t at = 0; at < record.raw_bytes; at += kBlockBytes) {
      group_block_bytes_.push_back(static_cast<std::uint32_t>(std::min(kBlockBytes, record.raw_bytes - at)));
    }
  }
  if (group_block_bytes_.size() != count) fail(Reason::bad_segment, leader, "the group ends within a buffer");
  if (first.filters[1] != 0 || first.filters[2] != 0 || first.filters[3] != 0) {
    fail(Reason::bad_segment, leader, "a group has one filter");
  }
  const codec::GroupFilter* filter = image_.filter_table().find_group(first.filters[0]);
  if (filter == nullptr) {
    fail(Reason::unknown_filter, leader,
         "group filter " + std::to_string(first.filters[0]) + " is not known to this build");
  }
  if (first.filtered_bytes > max_filtered_bytes(total)) {
    fail(Reason::bad_segment, leader,
         std::to_string(first.filtered_bytes) + " filtered bytes of " + std::to_string(total) + " raw ones");
  }
  const std::span<std::byte> filtered = filtered_.take(first.filtered_bytes);
  decode_stored(first, leader, filtered);
  group_.take(total);
  std::vector<std::span<std::byte>> raw;
  raw.reserve(lengths.size());
  std::uint64_t offset = 0;
  for (const std::uint64_t length : lengths) {
    raw.emplace_back(group_.data() + offset, length);
    offset += length;
  }
  try {
    filter->decode(filtered, raw, scratch_);
  } catch (const Error& error) {
    throw error.with_context(image_.name() + ": group of block " + std::to_string(leader) + " at offset " +
                             std::to_string(first.offset));
  }
  group_leader_ = leader;
}

}  // namespace mere::format
