#include "format/block_encoder.hpp"

#include <algorithm>
#include <cstring>

#include "format/records.hpp"

namespace mere::format {

namespace {

// Pieces of a segment that are encoded to choose its filter, and to decide on a segment of several blocks.
constexpr std::uint64_t kFilterPieceBytes = 16 << 10;
constexpr std::uint64_t kDecisionPieceBytes = 64 << 10;

}  // namespace

std::span<const codec::EncodeChoice> best_choices() {
  static const std::vector<codec::EncodeChoice> choices = [] {
    std::vector<codec::EncodeChoice> found;
    for (const codec::CodecId id : {codec::CodecId::lz4, codec::CodecId::zlib, codec::CodecId::zstd}) {
      const bool high = id == codec::CodecId::lz4;
      if (codec::has_codec(id)) found.push_back({id, high, codec::level_range(id, high).greatest});
    }
    return found;
  }();
  return choices;
}

std::size_t BlockEncoder::run_codec(const codec::EncodeChoice& choice, std::span<const std::byte> in, std::size_t limit,
                                    Room& out) {
  if (limit < 2) return 0;
  if (!codec_) codec_.emplace();
  return codec_->try_encode(choice, in, out.take(limit - 1));
}

StoredForm BlockEncoder::shortest(std::span<const codec::EncodeChoice> choices, std::span<const std::byte> in) {
  StoredForm form{codec::CodecId::none, 0, 0, in};
  for (const codec::EncodeChoice& choice : choices) {
    if (choice.codec == codec::CodecId::none) continue;
    const std::size_t length = run_codec(choice, in, form.bytes.size(), encoded_);
    if (length == 0) continue;
    form.codec = choice.codec;
    form.bytes = {encoded_.data(), length};
    // Further codecs write into the other room; a single one, the usual case, needs no other.
    if (choices.size() > 1) std::swap(encoded_, best_);
  }
  return form;
}

std::optional<StoredForm> BlockEncoder::encode(const Encoding& encoding, std::span<const std::byte> raw,
                                               const codec::RowLayout& layout, std::uint64_t first_byte) {
  std::span<const std::byte> bytes = raw;
  std::uint8_t filter = 0;
  if (encoding.filter != nullptr) {
    filtered_.clear();
    if (encoding.filter->encode(raw, layout, {first_byte}, filtered_, scratch_)) {
      bytes = filtered_;
      filter = encoding.filter->id();
    }
  }
  StoredForm form = shortest({&encoding.choice, 1}, bytes);
  if (filter != 0) {
    form.filter = filter;
    form.filtered_bytes = static_cast<std::uint32_t>(bytes.size());
  }
  if (form.bytes.size() >= raw.size()) return std::nullopt;
  return form;
}

std::optional<StoredForm> BlockEncoder::encode_smallest(std::span<const codec::Filter* const> filters,
                                                        std::span<const std::byte> raw, const codec::RowLayout& layout,
                                                        std::uint64_t first_byte) {
  StoredForm best = shortest(best_choices(), raw);
  kept_.assign(best.bytes.begin(), best.bytes.end());
  for (const codec::Filter* filter : filters) {
    filtered_.clear();
    if (!filter->encode(raw, layout, {first_byte}, filtered_, scratch_)) continue;
    StoredForm form = shortest(best_choices(), filtered_);
    // At equal length the lower codec, then the form without a filter.
    if (form.bytes.size() > kept_.size() || (form.bytes.size() == kept_.size() && form.codec >= best.codec)) continue;
    kept_.assign(form.bytes.begin(), form.bytes.end());
    best = form;
    best.filter = filter->id();
    best.filtered_bytes = static_cast<std::uint32_t>(filtered_.size());
  }
  if (kept_.size() >= raw.size()) return std::nullopt;
  best.bytes = kept_;
  return best;
}

std::optional<StoredForm> BlockEncoder::encode_group(std::span<const codec::EncodeChoice> choices,
                                                     const codec::GroupFilter& filter,
                                                     std::span<const std::span<const std::byte>> raw,
                                                     std::span<const codec::RowLayout> layouts) {
  filtered_.clear();
  if (!filter.encode(raw, layouts, filtered_, scratch_)) return std::nullopt;
  StoredForm form = shortest(choices, filtered_);
  form.filter = filter.id();
  form.filtered_bytes = static_cast<std::uint32_t>(filtered_.size());
  return form;
}

std::uint64_t BlockEncoder::sampled_bytes(const Encoding& encoding, const codec::RowLayout& layout,
                                          std::uint64_t raw_bytes, std::uint64_t piece_bytes,
                                          const SampleSource& sample, std::uint64_t& taken) {
  const std::uint64_t row = std::max<std::uint64_t>(layout.row_bytes, 1);
  taken = 0;
  std::uint64_t stored = 0;
  std::uint64_t end = 0;
  // At the start and at the middle, from whole rows on; a short segment is one piece.
  for (const std::uint64_t start : {std::uint64_t{0}, raw_bytes / 2 / row * row}) {
    if (start < end) continue;
    end = std::min(raw_bytes, start + piece_bytes);
    const std::span<const std::byte> piece = sample(start, end - start);
    const auto form = encode(encoding, piece, layout, start);
    stored += form ? form->bytes.size() : piece.size();
    taken += piece.size();
  }
  return stored;
}

SegmentPlan BlockEncoder::plan_segment(const codec::EncodeChoice& choice, std::span<const codec::Filter* const> filters,
                                       const codec::RowLayout& layout, std::uint64_t raw_bytes,
                                       const SampleSource& sample) {
  SegmentPlan plan{true, {choice, nullptr}};
  std::uint64_t taken = 0;
  if (!filters.empty()) {
    // By the fastest codec: what it finds smaller, the others do too. The slow ones would cost more than they tell.
    const codec::EncodeChoice quick{codec::CodecId::lz4, false, 0};
    std::uint64_t least = sampled_bytes({quick, nullptr}, layout, raw_bytes, kFilterPieceBytes, sample, taken);
    for (const codec::Filter* filter : filters) {
      const std::uint64_t stored = sampled_bytes({quick, filter}, layout, raw_bytes, kFilterPieceBytes, sample, taken);
      if (stored >= least) continue;
      least = stored;
      plan.encoding.filter = filter;
    }
  }
  // A segment of one block is encoded and then looked at, which is exact.
  if (raw_bytes > kBlockBytes) {
    const std::uint64_t stored = sampled_bytes(plan.encoding, layout, raw_bytes, kDecisionPieceBytes, sample, taken);
    plan.encoded = is_worth_it(stored, taken);
  }
  return plan;
}

std::uint64_t BlockEncoder::estimate(const SegmentPlan& plan, const codec::RowLayout& layout, std::uint64_t raw_bytes,
                                     const SampleSource& sample) {
  if (!plan.encoded) return raw_bytes;
  std::uint64_t taken = 0;
  const std::uint64_t stored = sampled_bytes(plan.encoding, layout, raw_bytes, kFilterPieceBytes, sample, taken);
  // taken > 0, as buffers are not empty; in double, as the product may pass 64 bits.
  return static_cast<std::uint64_t>(static_cast<double>(stored) / static_cast<double>(taken) *
                                    static_cast<double>(raw_bytes));
}

}  // namespace mere::format
