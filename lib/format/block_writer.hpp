#pragma once
// The data part of a file: buffers to blocks, encoded and summed by several threads, written in their order.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "format/block_encoder.hpp"
#include "format/output.hpp"
#include "format/row_layouts.hpp"
#include "format/writer.hpp"

namespace mere::format {

class BlockWriter {
 public:
  // All outlive this. Throws Error: bad_argument, unknown_codec.
  BlockWriter(const Columns& columns, const BufferSource& source, const WriteOptions& options);
  ~BlockWriter();

  // True if no buffer is to be encoded: then the end of the data is known before anything is written.
  bool all_raw() const noexcept { return all_raw_; }
  // The position behind the last block, if all_raw(), for data that begins at `position`.
  std::uint64_t raw_end(std::uint64_t position) const noexcept;

  // Writes all blocks, behind what `output` holds. Afterwards the members below are filled.
  void run(Output& output);
  const std::vector<BlockRecord>& blocks() const noexcept { return blocks_; }
  const std::vector<std::uint64_t>& sums() const noexcept { return sums_; }
  bool all_mapped() const noexcept { return all_mapped_; }

 private:
  struct Unit;
  struct Slot;
  struct Worker;
  struct SharedPlan;

  bool is_encoded(std::uint32_t buffer) const noexcept;
  codec::EncodeChoice choice_of(std::uint32_t buffer) const noexcept;
  std::uint64_t mapped_alignment(const BufferRecord& buffer) const noexcept;
  void plan_units();
  std::uint32_t find_group(std::uint32_t buffer, std::uint8_t& filter) const;

  void make(const Unit& unit, Slot& slot);
  void make_blocks(const Unit& unit, Slot& slot, Worker& worker);
  void for_each_block(const Unit& unit,
                      const std::function<void(std::uint32_t buffer, std::uint64_t index)>& visit) const;
  void make_block(std::uint32_t buffer, std::uint64_t index, Slot& slot, Worker& worker);
  bool make_group(const Unit& unit, Slot& slot, Worker& thread_worker);
  SegmentPlan plan_of(std::uint32_t buffer, std::span<const std::byte> raw, const codec::RowLayout& layout,
                      Worker& worker);
  void set_sum(std::uint32_t block, std::span<const std::byte> raw);
  void take(Slot& slot, Output& output);
  void release_written(std::uint64_t position);

  const Columns& columns_;
  const BufferSource& source_;
  const WriteOptions& options_;
  unsigned threads_;
  bool all_raw_ = true, all_mapped_ = true;
  std::vector<codec::EncodeChoice> choices_;        // by buffer; empty: options_.codec for all
  std::vector<std::unique_ptr<SharedPlan>> plans_;  // by buffer; of encoded segments of several blocks
  std::optional<RowLayouts> layouts_;               // if anything is encoded
  std::vector<Unit> units_;
  std::vector<BlockRecord> blocks_;
  std::vector<std::uint64_t> sums_;
  std::uint64_t raw_bytes_ = 0, done_bytes_ = 0;
  // Bytes of the source for options_.release, and where in the file what was made of them ends.
  struct Written {
    std::span<const std::byte> bytes;
    std::uint64_t end;
  };
  std::vector<Written> written_;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t end_piece_ = UINT64_MAX;  // where what is not flushed by run() begins
  std::mutex workers_mutex_, large_group_mutex_;
  std::vector<std::unique_ptr<Worker>> idle_workers_;
};

}  // namespace mere::format
