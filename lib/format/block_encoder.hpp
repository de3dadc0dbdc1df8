#pragma once
// From the raw bytes of a buffer to the stored form of its blocks. What is chosen depends on bytes and options alone.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "codec/block_codec.hpp"
#include "codec/filter.hpp"
#include "format/room.hpp"

namespace mere::format {

// One way of storing bytes.
struct Encoding {
  codec::EncodeChoice choice;
  const codec::Filter* filter = nullptr;
};

// How all blocks of one segment are written.
struct SegmentPlan {
  bool encoded = false;  // else raw and mapped
  Encoding encoding;
};

// A block or group as it will be stored, but for its offset. The bytes live until the encoder's next call.
struct StoredForm {
  codec::CodecId codec = codec::CodecId::none;
  std::uint8_t filter = 0;
  std::uint32_t filtered_bytes = 0;
  std::span<const std::byte> bytes;
};

// Bytes of the segment at hand: `length` of them at `offset`, valid until the next call.
using SampleSource = std::function<std::span<const std::byte>(std::uint64_t offset, std::uint64_t length)>;

// True if so many stored bytes are worth the loss of mapping: 3 % saved at least.
constexpr bool is_worth_it(std::uint64_t stored, std::uint64_t raw) noexcept {
  return stored < raw - raw / 32;
}

// Holds the working memory of one thread. Not for two threads at once.
class BlockEncoder {
 public:
  // Chooses the filter of a segment by encoding small pieces of it at fixed places, and for one of several blocks
  // whether it is encoded at all. `filters` may be empty.
  SegmentPlan plan_segment(const codec::EncodeChoice& choice, std::span<const codec::Filter* const> filters,
                           const codec::RowLayout& layout, std::uint64_t raw_bytes, const SampleSource& sample);

  // An empty optional if the stored form would not be shorter than `raw`.
  std::optional<StoredForm> encode(const Encoding& encoding, std::span<const std::byte> raw,
                                   const codec::RowLayout& layout, std::uint64_t first_byte);
  // The shortest of all forms that this build can write; slow.
  std::optional<StoredForm> encode_smallest(std::span<const codec::Filter* const> filters,
                                            std::span<const std::byte> raw, const codec::RowLayout& layout,
                                            std::uint64_t first_byte);
  // A group by one group filter.
  std::optional<StoredForm> encode_group(std::span<const codec::EncodeChoice> choices, const codec::GroupFilter& filter,
                                         std::span<const std::span<const std::byte>> raw,
                                         std::span<const codec::RowLayout> layouts);
  // Estimates what `raw_bytes` would take under `plan`, from the same pieces.
  std::uint64_t estimate(const SegmentPlan& plan, const codec::RowLayout& layout, std::uint64_t raw_bytes,
                         const SampleSource& sample);

 private:
  // Encodes with one codec into `out`; returns the length, or 0 if it is not below `limit`.
  std::size_t run_codec(const codec::EncodeChoice& choice, std::span<const std::byte> in, std::size_t limit, Room& out);
  StoredForm shortest(std::span<const codec::EncodeChoice> choices, std::span<const std::byte> in);
  std::uint64_t sampled_bytes(const Encoding& encoding, const codec::RowLayout& layout, std::uint64_t raw_bytes,
                              std::uint64_t piece_bytes, const SampleSource& sample, std::uint64_t& taken);

  std::optional<codec::BlockCodec> codec_;
  codec::FilterScratch scratch_;
  std::vector<std::byte> filtered_, kept_;
  Room encoded_, best_;
};

// Every codec of this build at its best level, by rising id.
std::span<const codec::EncodeChoice> best_choices();

}  // namespace mere::format
