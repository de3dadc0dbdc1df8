#include "format/block_writer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <string>

#include "codec/checksum.hpp"
#include "format/block_reader.hpp"
#include "format/room.hpp"
#include "os/worker_team.hpp"

namespace mere::format {

namespace {

constexpr std::uint64_t kUnitBytes = kBlockBytes;    // raw bytes that are made at once
constexpr std::uint64_t kTogetherBytes = 2 << 20;    // of buffers read at once that one thread makes
constexpr std::uint64_t kLargeGroupBytes = 4 << 20;  // of larger groups, one is made at a time
constexpr std::size_t kMostSlots = 8;
constexpr unsigned kMostEncodersByDefault = 3;       // each takes up to 5 MiB, and a dump is promised to hold 16
constexpr std::uint64_t kReleaseBytes = 8 << 20;     // written before the source is told: each call has a price
constexpr std::uint64_t kOneThreadBytes = 16 << 20;  // raw bytes that are written before a second thread has started
constexpr std::uint64_t kClearGain = 20;             // a group shrunk by this needs no look at its members alone

}  // namespace

// Consecutive blocks that one thread makes in one go: up to kUnitBytes, or one group.
struct BlockWriter::Unit {
  std::uint32_t buffer;  // of the first block
  std::uint32_t first_block;
  std::uint32_t block_count;
  std::uint8_t group_filter;  // 0: none
};

// What a unit becomes, and the memory for what does not lie in memory already.
struct BlockWriter::Slot {
  struct Piece {
    std::uint32_t block;
    std::uint64_t alignment;  // 0: behind the piece before
    std::span<const std::byte> bytes;
    std::span<const std::byte> source;  // the raw bytes, where they lie in the source; empty if they were gathered
  };
  std::vector<Piece> pieces;
  Room memory;
  std::size_t room = 0;  // bytes of it that the unit may need: its raw bytes
  std::size_t used = 0;
  bool held = false;  // some piece lies in `memory`
  std::uint64_t raw_bytes = 0;
};

struct BlockWriter::Worker {
  BlockEncoder encoder;
  std::vector<std::byte> sample;
};

struct BlockWriter::SharedPlan {
  std::once_flag once;
  SegmentPlan plan;
};

BlockWriter::BlockWriter(const Columns& columns, const BufferSource& source, const WriteOptions& options)
    : columns_(columns), source_(source), options_(options), threads_(os::thread_count(options.threads)) {
  std::uint64_t blocks = 0;
  for (const BufferRecord& buffer : columns_.buffers) {
    if (buffer.raw_bytes == 0 || buffer.first_block != blocks) {
      throw Error(Reason::bad_argument, "buffers are empty or not numbered");
    }
    blocks += block_count(buffer.raw_bytes);
    raw_bytes_ += buffer.raw_bytes;
  }
  blocks_.resize(blocks);
  sums_.resize(blocks);
  if (options_.codec_for) {
    choices_.reserve(columns_.buffers.size());
    for (std::uint32_t i = 0; i < columns_.buffers.size(); ++i) choices_.push_back(options_.codec_for(i));
  }
  const auto check = [&](const codec::EncodeChoice& choice) {
    if (codec::has_codec(choice.codec)) return;
    throw Error(Reason::unknown_codec, "this build cannot write codec " + std::string(to_text(choice.codec)));
  };
  check(options_.codec);
  for (const codec::EncodeChoice& choice : choices_) check(choice);
  plans_.resize(columns_.buffers.size());
  for (std::uint32_t i = 0; i < columns_.buffers.size(); ++i) {
    if (!is_encoded(i)) continue;
    all_raw_ = false;
    if (columns_.buffers[i].raw_bytes > kBlockBytes) plans_[i] = std::make_unique<SharedPlan>();
  }
  if (!all_raw_) layouts_.emplace(columns_);
  if (all_raw_ && raw_bytes_ <= kOneThreadBytes) threads_ = 1;
  if (!all_raw_ && options_.threads == 0) threads_ = std::min(threads_, kMostEncodersByDefault);
  plan_units();
}

BlockWriter::~BlockWriter() = default;

codec::EncodeChoice BlockWriter::choice_of(std::uint32_t buffer) const noexcept {
  return choices_.empty() ? options_.codec : choices_[buffer];
}

bool BlockWriter::is_encoded(std::uint32_t buffer) const noexcept {
  return choice_of(buffer).codec != codec::CodecId::none || (options_.try_harder && choices_.empty());
}

std::uint64_t BlockWriter::mapped_alignment(const BufferRecord& buffer) const noexcept {
  if ((buffer.flags & kArenaBuffer) != 0) return kArrayAlignment;
  return std::max(kMinAlignment, std::min(options_.alignment, std::bit_floor(buffer.raw_bytes)));
}

std::uint64_t BlockWriter::raw_end(std::uint64_t position) const noexcept {
  for (const BufferRecord& buffer : columns_.buffers) {
    const std::uint64_t alignment = mapped_alignment(buffer);
    position = (position + alignment - 1) / alignment * alignment + buffer.raw_bytes;
  }
  return position;
}

void BlockWriter::plan_units() {
  units_.reserve(raw_bytes_ / kUnitBytes + 1);
  std::uint64_t unit_bytes = kUnitBytes;  // of the last unit: full, so that the first block begins one
  for (std::uint32_t i = 0; i < columns_.buffers.size();) {
    const BufferRecord& buffer = columns_.buffers[i];
    std::uint8_t filter = 0;
    if (const std::uint32_t members = find_group(i, filter)) {
      const std::uint32_t next = i + members;
      const std::uint64_t end = next < columns_.buffers.size() ? columns_.buffers[next].first_block : blocks_.size();
      units_.push_back({i, buffer.first_block, static_cast<std::uint32_t>(end - buffer.first_block), filter});
      unit_bytes = kUnitBytes;
      i = next;
      continue;
    }
    // What is read at once is made by one thread, or each would read it anew.
    std::uint32_t together = source_.read_together(i);
    std::uint64_t together_bytes = 0;
    for (std::uint32_t k = i; k < i + together; ++k) together_bytes += columns_.buffers[k].raw_bytes;
    const bool is_kept_whole = together > 1 && together_bytes <= kTogetherBytes;
    if (is_kept_whole && unit_bytes + together_bytes > kUnitBytes) {
      units_.push_back({i, buffer.first_block, 0, 0});
      unit_bytes = 0;
    }
    if (!is_kept_whole) together = 1;
    for (const std::uint32_t end = i + together; i < end; ++i) {
      const BufferRecord& part = columns_.buffers[i];
      for (std::uint64_t at = 0; at < part.raw_bytes; at += kBlockBytes) {
        const std::uint64_t length = std::min(kBlockBytes, part.raw_bytes - at);
        if (!is_kept_whole && unit_bytes + length > kUnitBytes) {
          units_.push_back({i, static_cast<std::uint32_t>(part.first_block + at / kBlockBytes), 0, 0});
          unit_bytes = 0;
        }
        ++units_.back().block_count;
        unit_bytes += length;
      }
    }
  }
}

// The number of buffers, from `buffer` on, that a group filter would take; 0 if none would.
std::uint32_t BlockWriter::find_group(std::uint32_t buffer, std::uint8_t& filter) const {
  if (!options_.filters || options_.filter_table.group_filters.empty()) return 0;
  std::vector<codec::RowLayout> layouts;
  std::vector<std::uint64_t> lengths;
  std::uint64_t total = 0;
  std::size_t window = 0;
  for (const codec::GroupFilter* candidate : options_.filter_table.group_filters) {
    window = std::max(window, candidate->most_members());
  }
  for (std::uint32_t i = buffer; i < columns_.buffers.size() && layouts.size() < window; ++i) {
    const BufferRecord& record = columns_.buffers[i];
    if ((record.flags & kArenaBuffer) != 0 || !is_encoded(i) || record.raw_bytes > kGroupBytes - total) break;
    if (choice_of(i) != choice_of(buffer)) break;  // one codec for all of them
    total += record.raw_bytes;
    layouts.push_back(layouts_->of(i));
    lengths.push_back(record.raw_bytes);
  }
  if (layouts.size() < 2) return 0;
  for (const codec::GroupFilter* candidate : options_.filter_table.group_filters) {
    const std::size_t members = candidate->match(layouts, lengths);
    if (members < 2 || members > layouts.size()) continue;
    filter = candidate->id();
    return static_cast<std::uint32_t>(members);
  }
  return 0;
}

void BlockWriter::run(Output& output) {
  // The last piece of 2 MiB that arrays begin is left to the manifest, which then fills it by one call. (Encoded blocks
  // do not stay in memory until then.)
  if (all_raw_) end_piece_ = raw_end(output.position()) / Output::kHugePageBytes * Output::kHugePageBytes;
  // A result of each thread, and one that is being written, which among many threads is one of theirs: more would only
  // be more memory to fault in.
  std::vector<Slot> slots(threads_ < 3 ? 2 * threads_ - 1 : std::min<std::size_t>(kMostSlots, threads_));
  os::ordered_pipeline(
      units_.size(), slots.size(), threads_,
      [&](std::size_t index, std::size_t slot) { make(units_[index], slots[slot]); },
      [&](std::size_t, std::size_t slot) { take(slots[slot], output); });
  output.flush_to(end_piece_);
  for (const BufferRecord& buffer : columns_.buffers) {
    if ((blocks_[buffer.first_block].flags & kMappedBuffer) == 0) all_mapped_ = false;
  }
}

void BlockWriter::make(const Unit& unit, Slot& slot) {
  std::unique_ptr<Worker> worker;
  {
    const std::lock_guard lock(workers_mutex_);
    if (!idle_workers_.empty()) {
      worker = std::move(idle_workers_.back());
      idle_workers_.pop_back();
    }
  }
  if (!worker) worker = std::make_unique<Worker>();
  slot.pieces.clear();
  slot.used = 0;
  slot.held = false;
  slot.raw_bytes = 0;
  if (unit.group_filter == 0 || !make_group(unit, slot, *worker)) make_blocks(unit, slot, *worker);
  const std::lock_guard lock(workers_mutex_);
  idle_workers_.push_back(std::move(worker));
}

void BlockWriter::set_sum(std::uint32_t block, std::span<const std::byte> raw) {
  const std::uint64_t sum = codec::xxh3_64(raw);
  if (const auto expected = source_.expected_sum(block); expected && *expected != sum) {
    throw Error(Reason::checksum, "block " + std::to_string(block) + ": its raw bytes have the sum " +
                                      std::to_string(sum) + ", recorded is " + std::to_string(*expected));
  }
  sums_[block] = sum;
}

void BlockWriter::make_blocks(const Unit& unit, Slot& slot, Worker& worker) {
  slot.room = 0;
  for_each_block(unit, [&](std::uint32_t buffer, std::uint64_t index) {
    slot.room += std::min(kBlockBytes, columns_.buffers[buffer].raw_bytes - index * kBlockBytes);
  });
  for_each_block(unit, [&](std::uint32_t buffer, std::uint64_t index) { make_block(buffer, index, slot, worker); });
}

void BlockWriter::for_each_block(const Unit& unit,
                                 const std::function<void(std::uint32_t buffer, std::uint64_t index)>& visit) const {
  std::uint32_t buffer = unit.buffer;
  std::uint64_t index = unit.first_block - columns_.buffers[buffer].first_block;
  for (std::uint32_t i = 0; i < unit.block_count; ++i) {
    if (index == block_count(columns_.buffers[buffer].raw_bytes)) {
      ++buffer;
      index = 0;
    }
    visit(buffer, index);
    ++index;
  }
}

void BlockWriter::make_block(std::uint32_t buffer, std::uint64_t index, Slot& slot, Worker& worker) {
  const BufferRecord& record = columns_.buffers[buffer];
  const auto id = static_cast<std::uint32_t>(record.first_block + index);
  const std::uint64_t offset = index * kBlockBytes;
  const auto length = static_cast<std::size_t>(std::min(kBlockBytes, record.raw_bytes - offset));
  const auto room = [&] {
    // Grown once a unit, before any piece lies in it: what is gathered or encoded is no longer than the raw bytes.
    return slot.memory.take(slot.room).subspan(slot.used, length);
  };
  const std::span<const std::byte> direct = source_.find_direct(buffer, offset, length);
  std::span<const std::byte> raw = direct;
  bool held = false;
  if (raw.empty()) {
    const std::span<std::byte> gathered = room();
    source_.read(buffer, offset, gathered);
    raw = gathered;
    held = true;
  }
  set_sum(id, raw);
  slot.raw_bytes += length;
  BlockRecord& block = blocks_[id];
  block.raw_bytes = static_cast<std::uint32_t>(length);
  bool mapped = true;
  if (is_encoded(buffer)) {
    const bool arena = (record.flags & kArenaBuffer) != 0;
    const codec::RowLayout layout = arena ? codec::RowLayout() : layouts_->of(buffer);
    const auto filters =
        arena || !options_.filters ? std::span<const codec::Filter* const>() : options_.filter_table.filters;
    const SegmentPlan plan =
        arena ? SegmentPlan{true, {choice_of(buffer), nullptr}} : plan_of(buffer, raw, layout, worker);
    std::optional<StoredForm> form;
    if (plan.encoded) {
      form = options_.try_harder ? worker.encoder.encode_smallest(filters, raw, layout, offset)
                                 : worker.encoder.encode(plan.encoding, raw, layout, offset);
      // Alone in its buffer, a block that hardly shrinks stays mapped; among others it is but stored as it is.
      mapped = record.raw_bytes <= kBlockBytes && !(form && is_worth_it(form->bytes.size(), length));
    }
    if (form && !mapped) {
      block.codec = static_cast<std::uint8_t>(form->codec);
      block.filters[0] = form->filter;
      block.filtered_bytes = form->filtered_bytes;
      // Behind what was gathered, or over it: the raw bytes are not needed any more.
      const std::span<std::byte> to = room();
      std::memcpy(to.data(), form->bytes.data(), form->bytes.size());
      raw = to.first(form->bytes.size());
      held = true;
    }
  }
  block.stored_bytes = static_cast<std::uint32_t>(raw.size());
  if (held) slot.used += raw.size();
  slot.held = slot.held || held;
  if (mapped && index == 0) block.flags = kMappedBuffer;
  slot.pieces.push_back({id, mapped && index == 0 ? mapped_alignment(record) : 0, raw, direct});
}

SegmentPlan BlockWriter::plan_of(std::uint32_t buffer, std::span<const std::byte> raw, const codec::RowLayout& layout,
                                 Worker& worker) {
  const std::uint64_t raw_bytes = columns_.buffers[buffer].raw_bytes;
  // The slow way tries all filters on every block, so what is left to decide is whether it is worth it at all.
  const auto filters = options_.filters ? options_.filter_table.filters : std::span<const codec::Filter* const>();
  codec::EncodeChoice choice = choice_of(buffer);
  if (options_.try_harder && choice.codec == codec::CodecId::none) choice = {codec::CodecId::zlib, false, 0};
  if (!plans_[buffer]) {
    if (options_.try_harder) return {true, {choice, nullptr}};
    return worker.encoder.plan_segment(choice, filters, layout, raw_bytes,
                                       [&](std::uint64_t at, std::uint64_t length) { return raw.subspan(at, length); });
  }
  SharedPlan& shared = *plans_[buffer];
  std::call_once(shared.once, [&] {
    shared.plan = worker.encoder.plan_segment(
        choice, filters, layout, raw_bytes, [&](std::uint64_t at, std::uint64_t length) -> std::span<const std::byte> {
          const auto direct = source_.find_direct(buffer, at, length);
          if (!direct.empty()) return direct;
          worker.sample.resize(length);
          source_.read(buffer, at, worker.sample);
          return worker.sample;
        });
  });
  return shared.plan;
}

// False if the members are shorter alone.
bool BlockWriter::make_group(const Unit& unit, Slot& slot, Worker& thread_worker) {
  std::vector<std::span<const std::byte>> raw;
  std::vector<bool> is_direct;
  std::vector<codec::RowLayout> layouts;
  std::uint64_t total = 0;
  std::uint32_t end = unit.buffer;
  for (std::uint64_t blocks = 0; blocks < unit.block_count; ++end) {
    total += columns_.buffers[end].raw_bytes;
    blocks += block_count(columns_.buffers[end].raw_bytes);
  }
  // The memory that a large one takes is not kept, and not taken twice at a time.
  const bool is_large = total > kLargeGroupBytes;
  std::unique_lock<std::mutex> large(large_group_mutex_, std::defer_lock);
  if (is_large) large.lock();
  const std::unique_ptr<Worker> own_worker = is_large ? std::make_unique<Worker>() : nullptr;
  Worker& worker = own_worker ? *own_worker : thread_worker;
  std::vector<std::byte> gathered;  // freed with the group: slots keep no more than a unit
  std::size_t used = 0;
  for (std::uint32_t i = unit.buffer; i < end; ++i) {
    const std::uint64_t length = columns_.buffers[i].raw_bytes;
    std::span<const std::byte> bytes = source_.find_direct(i, 0, length);
    is_direct.push_back(!bytes.empty());
    if (bytes.empty()) {
      if (gathered.empty()) gathered.resize(total);
      const std::span<std::byte> to = std::span(gathered).subspan(used, length);
      source_.read(i, 0, to);
      bytes = to;
      used += length;
    }
    raw.push_back(bytes);
    layouts.push_back(layouts_->of(i));
  }
  const codec::GroupFilter* filter = options_.filter_table.find_group(unit.group_filter);
  const codec::EncodeChoice choice = choice_of(unit.buffer);
  const auto form =
      worker.encoder.encode_group(options_.try_harder ? best_choices() : std::span(&choice, 1), *filter, raw, layouts);
  if (!form || form->filtered_bytes > max_filtered_bytes(total)) return false;
  const std::span<std::byte> stored = slot.memory.take(form->bytes.size());
  std::memcpy(stored.data(), form->bytes.data(), form->bytes.size());
  if (stored.size() >= total / kClearGain) {
    std::uint64_t alone = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const auto sample = [&](std::uint64_t at, std::uint64_t part) { return raw[i].subspan(at, part); };
      const auto buffer = static_cast<std::uint32_t>(unit.buffer + i);
      alone += worker.encoder.estimate(plan_of(buffer, raw[i], layouts[i], worker), layouts[i], raw[i].size(), sample);
    }
    if (stored.size() >= alone) return false;
  }
  slot.held = true;
  slot.raw_bytes = total;
  std::uint32_t member = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    for (std::uint64_t at = 0; at < raw[i].size(); at += kBlockBytes, ++member) {
      const std::uint32_t id = unit.first_block + member;
      const auto bytes = raw[i].subspan(at, std::min<std::uint64_t>(kBlockBytes, raw[i].size() - at));
      set_sum(id, bytes);
      BlockRecord& block = blocks_[id];
      block.raw_bytes = static_cast<std::uint32_t>(bytes.size());
      block.stored_bytes = static_cast<std::uint32_t>(form->bytes.size());
      block.codec = static_cast<std::uint8_t>(form->codec);
      block.filters[0] = form->filter;
      block.filtered_bytes = form->filtered_bytes;
      block.group = member == 0 ? kGroupLeader | unit.block_count : member;
      slot.pieces.push_back(
          {id, 0, stored.first(member == 0 ? stored.size() : 0), is_direct[i] ? bytes : std::span<const std::byte>()});
    }
  }
  return true;
}

// Of what lies before `position` of the file.
void BlockWriter::release_written(std::uint64_t position) {
  std::size_t count = 0;
  for (; count < written_.size() && written_[count].end <= position; ++count) {
    options_.release(written_[count].bytes);
    written_bytes_ -= written_[count].bytes.size();
  }
  written_.erase(written_.begin(), written_.begin() + static_cast<std::ptrdiff_t>(count));
}

void BlockWriter::take(Slot& slot, Output& output) {
  std::uint64_t leader_offset = 0;
  for (const Slot::Piece& piece : slot.pieces) {
    if (piece.alignment != 0) output.pad_to(piece.alignment);
    BlockRecord& block = blocks_[piece.block];
    const bool follower = block.group != 0 && (block.group & kGroupLeader) == 0;
    block.offset = follower ? leader_offset : output.position();
    leader_offset = block.offset;
    output.add(piece.bytes);
    if (!options_.release || piece.source.empty()) continue;
    written_bytes_ += piece.source.size();
    if (!written_.empty() && written_.back().bytes.size() < kUnitBytes &&
        written_.back().bytes.data() + written_.back().bytes.size() == piece.source.data()) {
      written_.back() = {{written_.back().bytes.data(), written_.back().bytes.size() + piece.source.size()},
                         output.position()};
    } else {
      written_.push_back({piece.source, output.position()});
    }
  }
  // Direct pieces stay where they are until the end; what the slot holds goes out before the slot is used again.
  if (slot.held) {
    output.flush();
  } else if (output.pending_bytes() >= kUnitBytes) {
    output.flush_to(end_piece_);
  }
  if (written_bytes_ >= kReleaseBytes) release_written(output.position() - output.pending_bytes());
  if (slot.memory.size() > kUnitBytes) slot.memory.release();
  done_bytes_ += slot.raw_bytes;
  if (options_.progress) options_.progress(done_bytes_, raw_bytes_);
}

}  // namespace mere::format
