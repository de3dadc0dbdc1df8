#pragma once
// Raw bytes of buffers out of their blocks: decoding, un-filtering, sums. docs/format.md 6.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/block_codec.hpp"
#include "codec/filter.hpp"
#include "format/image.hpp"
#include "format/room.hpp"

namespace mere::format {

// The longest form of so many bytes that a filter or codec may leave, and a reader makes room for (section 6).
constexpr std::uint64_t max_filtered_bytes(std::uint64_t raw_bytes) noexcept {
  return 2 * raw_bytes + 8192;
}

// Holds the working memory of one thread: a few MiB, more only for groups. Keeps the group decoded last, so that
// reading its buffers in order decodes it once. Not for two threads at once.
class BlockReader {
 public:
  // Sums inside of streams may be skipped, as the sum of each block is compared, by this or by its caller.
  explicit BlockReader(const Image& image, codec::InnerSum inner_sums = codec::InnerSum::skipped)
      : image_(image), inner_sums_(inner_sums) {}

  // As Image::read_buffer, without the check for faulted pages.
  void read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out);

  // All raw bytes of one block of a buffer; sums are compared only if `check_sum`. `index` counts the buffer's blocks.
  // Throws Error as read().
  void read_block(std::uint32_t buffer, std::uint64_t index, std::span<std::byte> out, bool check_sum);

 private:
  struct Place;  // a block that was found to be where its buffer says
  Place find_place(std::uint32_t buffer, std::uint64_t index) const;
  void decode_alone(const Place& place, std::span<std::byte> out);
  void read_group(const Place& place, std::span<std::byte> out);
  void decode_group(std::uint32_t leader, std::uint32_t buffer);
  // Decodes the stored bytes of a block or group into `out`, exactly.
  void decode_stored(const BlockRecord& block, std::uint32_t id, std::span<std::byte> out);
  [[noreturn]] void fail(Reason reason, std::uint32_t block, const std::string& problem) const;
  void compare_sum(std::uint32_t block, std::span<const std::byte> raw) const;

  const Image& image_;
  const codec::InnerSum inner_sums_;
  std::optional<codec::BlockCodec> codec_;  // made when first needed
  codec::FilterScratch scratch_;
  Room stored_, filtered_, unfiltered_, partial_;
  Room group_;  // raw bytes of the blocks of group_leader_, one after another
  std::vector<std::uint32_t> group_block_bytes_;
  std::uint32_t group_leader_ = kNone;
};

}  // namespace mere::format
