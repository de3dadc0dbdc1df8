#pragma once
// Writes a .mere file front to back from its columns and a source of buffer bytes. docs/format.md.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "codec/block_codec.hpp"
#include "codec/filter.hpp"
#include "format/columns.hpp"
#include "os/sink.hpp"

namespace mere::format {

// The raw bytes of the buffers in Columns. Called from several threads at once.
class BufferSource {
 public:
  virtual ~BufferSource() = default;
  // `length` bytes at `offset` of a buffer where they already lie in memory without a gap, valid until the write ends;
  // an empty span if they have to be gathered.
  virtual std::span<const std::byte> find_direct(std::uint32_t buffer, std::uint64_t offset,
                                                 std::uint64_t length) const = 0;
  // The same bytes into `out`. Bytes that no array covers are zero.
  virtual void read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const = 0;
  // The sum that the raw bytes of a block must have, where that is known: others are Error(checksum).
  virtual std::optional<std::uint64_t> expected_sum(std::uint32_t /*block*/) const { return std::nullopt; }
  // The number of buffers, from this one on, of which reading one costs as much as reading all.
  virtual std::uint32_t read_together(std::uint32_t /*buffer*/) const { return 1; }
};

struct WriteOptions {
  codec::EncodeChoice codec;  // for buffers that `codec_for` does not decide
  bool try_harder = false;    // smallest: every codec and filter, at its best level
  bool filters = true;
  codec::FilterTable filter_table;
  // May be empty. Called once a buffer, in their order, from the calling thread. `none` holds also under try_harder.
  std::function<codec::EncodeChoice(std::uint32_t buffer)> codec_for;
  std::uint64_t alignment = kMinAlignment;
  unsigned threads = 1;  // 0: as many as there are processors, at most 4, of those that encode at most 3
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // raw bytes; from the calling thread
  // May be empty. Called once the blocks are written and before the manifest is: the caller may then change the bytes
  // of texts of the metadata in the columns it gave, but no length.
  std::function<void()> before_manifest;
  // May be empty. Called from the calling thread with bytes that find_direct() gave, once they are written and will not
  // be read again, but for the last few MiB: an owner that maps them may let their pages go.
  std::function<void(std::span<const std::byte> bytes)> release;
};

struct WriteResult {
  std::uint64_t content_low = 0, content_high = 0;
  std::uint64_t program_low = 0, program_high = 0;
  std::uint64_t file_bytes = 0;
};

// Holds at most 16 MiB beside the columns with up to three threads that encode; more of them, and try_harder, take up
// to 5 MiB a thread. Output depends on columns, bytes and options, never on `threads` or the
// sink. The buffers of `columns` are numbered: BufferPlanner::end_part(), or copy_columns(), did it. Throws Error: what
// the sink or source throws; unknown_codec; checksum; bad_argument (alignment, buffers not numbered).
WriteResult write_file(const Columns& columns, const BufferSource& source, const WriteOptions& options, os::Sink& sink);

}  // namespace mere::format
