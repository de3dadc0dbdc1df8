#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

#include "codec/columns_filter.hpp"
#include "codec/cpu_code.hpp"
#include "codec/size_estimate.hpp"

namespace mere::codec {
namespace {

using namespace columns;

constexpr std::size_t kMinRows = 64;   // below, headers cost what is won
constexpr std::size_t kSamples = 256;  // rows looked at to choose what to subtract
constexpr std::size_t kElideSamples = 64;
constexpr std::size_t kElideLeast = 16;  // of them equal: a bitmap costs a bit a row and saves a byte and more

template <class T>
void append(std::vector<std::byte>& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

bool is_usable(const RowLayout& layout) {
  if (layout.row_bytes == 0 || layout.row_bytes >= kMaxRowBytes) return false;
  if (layout.columns.empty() || layout.columns.size() > kMaxColumns) return false;
  return true;
}

bool holds_words(const Column& column) {
  return column.content != Column::Content::other &&
         (column.bytes == 1 || column.bytes == 2 || column.bytes == 4 || column.bytes == 8);
}

// What is subtracted from a column's words, and what is left to store.
struct Reduced {
  std::uint8_t flags = 0;
  std::uint64_t bias = 0;
  std::uint64_t start = 0;  // the word before the first, with kAddPrevious
  unsigned width = 0, shift = 0;
};

std::uint64_t low_bits(unsigned bytes) {
  return ~std::uint64_t{0} >> (64 - 8 * bytes);
}

unsigned bytes_of(std::uint64_t value) {
  return static_cast<unsigned>((std::bit_width(value) + 7) / 8);
}

// The least word, as signed or unsigned numbers, whichever spread less; and the spread.
struct Spread {
  std::uint64_t bias, width;
};
Spread find_spread(const CpuCode& code, const std::uint64_t* words, std::size_t count, unsigned bytes) {
  if (count == 0) return {0, 0};
  const std::uint64_t sign = std::uint64_t{1} << (8 * bytes - 1);
  std::uint64_t least = 0, greatest = 0, signed_least = 0, signed_greatest = 0;
  code.range(words, count, 0, &least, &greatest);
  code.range(words, count, sign, &signed_least, &signed_greatest);
  if (signed_greatest - signed_least < greatest - least) return {signed_least ^ sign, signed_greatest - signed_least};
  return {least, greatest - least};
}

// Writes one block. The scratch words: 0 all words of a column, 1 those kept, 2 their rows.
class Writer {
 public:
  Writer(const CpuCode& code, std::vector<std::byte>& out, FilterScratch& scratch, std::size_t rows,
         std::uint64_t first_row)
      : code_(code), out_(out), scratch_(scratch), rows_(rows), first_row_(first_row) {
    for (int i = 0; i < 3; ++i) scratch.words[i].resize(rows + 16);
    scratch.bytes[0].resize((rows + 7) / 8);
  }

  void add_raw(const std::uint8_t* column, std::size_t row_bytes, std::uint32_t bytes) {
    append_record(kFormRaw, 0, {}, bytes, 0);
    const std::size_t at = out_.size();
    out_.resize(at + rows_ * bytes);
    for (std::size_t i = 0; i < rows_; ++i) std::memcpy(out_.data() + at + i * bytes, column + i * row_bytes, bytes);
  }

  void add_words(std::size_t index, const std::uint8_t* first, std::size_t row_bytes, const Column& column) {
    std::uint64_t* words = scratch_.words[0].data();
    code_.load_column(first, row_bytes, column.bytes, column.big_endian, words, rows_);
    std::uint8_t flags = column.big_endian && column.bytes > 1 ? kBigEndian : 0;
    if (column.content == Column::Content::real) {
      const bool whole = column.bytes == 8   ? code_.from_double(words, rows_)
                         : column.bytes == 4 ? code_.from_float(words, rows_)
                                             : false;
      if (whole) flags |= kWhole;
    }
    std::uint64_t common = 0;
    std::uint64_t* kept = words;
    std::size_t count = rows_;
    auto* bitmap = reinterpret_cast<std::uint8_t*>(scratch_.bytes[0].data());
    std::size_t like = 0;
    if (find_common(words, common)) {
      flags |= kElide;
      kept = scratch_.words[1].data();
      count = code_.compact(words, common, bitmap, kept, rows_);
      if (find_places(bitmap, like)) flags |= kSamePlaces;
    }
    const Reduced reduced = reduce(kept, count, (flags & kElide) != 0 ? bitmap : nullptr, column.bytes);
    flags |= reduced.flags;
    append_record(kFormWords, flags, reduced, column.bytes, (flags & kSamePlaces) != 0 ? like : 0);
    if ((flags & kElide) != 0) {
      append(out_, common);
      if ((flags & kSamePlaces) == 0) {
        places_[places_count_++] = {index, out_.size()};
        out_.insert(out_.end(), scratch_.bytes[0].begin(), scratch_.bytes[0].end());
      }
    }
    if ((flags & kAddPrevious) != 0) append(out_, reduced.start);
    const std::size_t at = out_.size();
    out_.resize(at + reduced.width * count);
    auto* numbers = reinterpret_cast<std::uint8_t*>(out_.data()) + at;
    if ((flags & kInOrder) != 0) {
      code_.split_ordered(kept, count, reduced.width, reduced.shift, numbers);
    } else {
      code_.split_planes(kept, count, reduced.width, reduced.shift, numbers, count);
    }
  }

 private:
  void append_record(std::uint8_t form, std::uint8_t flags, const Reduced& reduced, std::uint32_t bytes,
                     std::size_t like) {
    append(out_, form);
    append(out_, flags);
    append(out_, static_cast<std::uint8_t>(reduced.width));
    append(out_, static_cast<std::uint8_t>(reduced.shift));
    append(out_, static_cast<std::uint16_t>(bytes));
    append(out_, static_cast<std::uint16_t>(like));
    append(out_, reduced.bias);
  }

  // The commonest word of a sample, if common enough.
  bool find_common(const std::uint64_t* words, std::uint64_t& common) const {
    std::array<std::uint64_t, kElideSamples> sample;
    for (std::size_t i = 0; i < kElideSamples; ++i) sample[i] = words[i * rows_ / kElideSamples];
    std::sort(sample.begin(), sample.end());
    std::size_t best = 0;
    for (std::size_t i = 0; i < kElideSamples;) {
      std::size_t end = i + 1;
      while (end < kElideSamples && sample[end] == sample[i]) ++end;
      if (end - i > best) {
        best = end - i;
        common = sample[i];
      }
      i = end;
    }
    return best >= kElideLeast;
  }

  // A column before this one with the same bitmap.
  bool find_places(const std::uint8_t* bitmap, std::size_t& like) const {
    for (std::size_t p = 0; p < places_count_; ++p) {
      if (std::memcmp(out_.data() + places_[p].at, bitmap, (rows_ + 7) / 8) == 0) {
        like = places_[p].column;
        return true;
      }
    }
    return false;
  }

  // Subtracts from `kept` what makes its bytes fewer, and its least word.
  Reduced reduce(std::uint64_t* kept, std::size_t count, const std::uint8_t* bitmap, unsigned bytes) {
    Reduced reduced;
    const std::uint64_t mask = low_bits(bytes);
    Spread spread = find_spread(code_, kept, count, bytes);
    if (spread.width > 0 && count >= kMinRows) {
      reduced.flags = choose_subtrahend(kept, count, bitmap, mask);
      if (reduced.flags == kAddRow) subtract_rows(kept, count, bitmap, mask);
      if (reduced.flags == kAddPrevious) {
        // The first difference is made the same as the second, so that it is no larger than others.
        reduced.start = (2 * kept[0] - kept[1]) & mask;
        for (std::size_t i = count; i-- > 1;) kept[i] = (kept[i] - kept[i - 1]) & mask;
        kept[0] = kept[1];
      }
      if (reduced.flags != 0) spread = find_spread(code_, kept, count, bytes);
    }
    reduced.bias = spread.bias;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < count; ++i) {
      kept[i] = (kept[i] - spread.bias) & mask;
      all |= kept[i];
    }
    reduced.width = bytes_of(spread.width);
    const unsigned zeros = all == 0 ? 0 : static_cast<unsigned>(std::countr_zero(all));
    if (all != 0 && bytes_of(all >> zeros) < reduced.width) {
      reduced.shift = zeros;
      reduced.width = bytes_of(all >> zeros);
    }
    if (reduced.width >= 3 && prefers_order(kept, count, reduced)) reduced.flags |= kInOrder;
    return reduced;
  }

  // True if equal numbers follow each other so closely that a codec gains more by finding them whole than by planes.
  bool prefers_order(const std::uint64_t* kept, std::size_t count, const Reduced& reduced) const {
    constexpr std::size_t kRun = 512;  // words in a row, so that there is a distance to find
    std::array<std::uint8_t, kRun * 8> ordered, planes;
    const std::size_t run = std::min(count, kRun);
    const std::uint64_t* first = kept + (count - run) / 2;
    code_.split_ordered(first, run, reduced.width, reduced.shift, ordered.data());
    code_.split_planes(first, run, reduced.width, reduced.shift, planes.data(), run);
    const std::size_t bytes = run * reduced.width;
    return estimate_size(std::as_bytes(std::span(ordered)).first(bytes), 1, bytes) * 17 <
           estimate_size(std::as_bytes(std::span(planes)).first(bytes), reduced.width, run) * 16;
  }

  void subtract_rows(std::uint64_t* kept, std::size_t count, const std::uint8_t* bitmap, std::uint64_t mask) const {
    if (bitmap == nullptr) {
      for (std::size_t i = 0; i < count; ++i) kept[i] = (kept[i] - first_row_ - i) & mask;
      return;
    }
    std::size_t k = 0;
    for (std::size_t byte = 0; byte < (rows_ + 7) / 8; ++byte) {
      for (unsigned bits = bitmap[byte]; bits != 0; bits &= bits - 1) {
        const std::uint64_t row = first_row_ + 8 * byte + static_cast<unsigned>(std::countr_zero(bits));
        kept[k] = (kept[k] - row) & mask;
        ++k;
      }
    }
  }

  // By the entropy of the planes of a sample: nothing, the row, or the word before.
  std::uint8_t choose_subtrahend(const std::uint64_t* kept, std::size_t count, const std::uint8_t* bitmap,
                                 std::uint64_t mask) const {
    std::array<std::uint64_t, kSamples> plain, less_row, less_previous;
    std::size_t taken = 0;
    std::size_t rank = 0, ranked_bytes = 0;
    for (std::size_t s = 0; s < kSamples && s < rows_; ++s) {
      const std::size_t row = rows_ <= kSamples ? s : s * rows_ / kSamples;
      std::size_t k = row;
      if (bitmap != nullptr) {
        if (((bitmap[row / 8] >> (row % 8)) & 1U) == 0) continue;
        rank += code_.count_bits(bitmap + ranked_bytes, row / 8 - ranked_bytes);
        ranked_bytes = row / 8;
        k = rank + static_cast<std::size_t>(std::popcount(bitmap[row / 8] & ((1U << (row % 8)) - 1U)));
      }
      if (k == 0 || k >= count) continue;
      plain[taken] = kept[k];
      less_row[taken] = (kept[k] - first_row_ - row) & mask;
      less_previous[taken] = (kept[k] - kept[k - 1]) & mask;
      ++taken;
    }
    if (taken < 16) return 0;
    const std::uint64_t plain_cost = cost_of(plain.data(), taken, mask);
    const std::uint64_t row_cost = cost_of(less_row.data(), taken, mask);
    const std::uint64_t previous_cost = cost_of(less_previous.data(), taken, mask);
    const std::uint64_t best = std::min(row_cost, previous_cost);
    // A sixteenth must be won: additions cost time when reading.
    if (plain_cost <= best + best / 16) return 0;
    return row_cost <= previous_cost ? kAddRow : kAddPrevious;
  }

  std::uint64_t cost_of(std::uint64_t* words, std::size_t count, std::uint64_t mask) const {
    const unsigned bytes = bytes_of(mask);
    const Spread spread = find_spread(code_, words, count, bytes);
    std::array<std::byte, kSamples> plane;
    std::uint64_t cost = 0;
    for (unsigned k = 0; k < bytes_of(spread.width); ++k) {
      for (std::size_t i = 0; i < count; ++i)
        plane[i] = static_cast<std::byte>(((words[i] - spread.bias) & mask) >> (8 * k));
      cost += literal_cost({plane.data(), count});
    }
    return cost;
  }

  struct Places {
    std::size_t column, at;
  };

  const CpuCode& code_;
  std::vector<std::byte>& out_;
  FilterScratch& scratch_;
  std::size_t rows_;
  std::uint64_t first_row_;
  std::array<Places, kMaxColumns> places_;
  std::size_t places_count_ = 0;
};

}  // namespace

ColumnsFilter::ColumnsFilter() : code_(cpu_code()) {}

std::size_t ColumnsFilter::bound(std::size_t raw_bytes) const noexcept {
  // No column grows but by its record, two words and a bitmap, which is an eighth of a column of single bytes.
  return raw_bytes + raw_bytes / 8 + kHeaderBytes + kMaxColumns * (kColumnBytes + 17);
}

bool ColumnsFilter::encode(std::span<const std::byte> raw, const RowLayout& layout, const BlockPlace& place,
                           std::vector<std::byte>& out, FilterScratch& scratch) const try {
  out.clear();
  if (!is_usable(layout)) return false;
  const auto row_bytes = static_cast<std::size_t>(layout.row_bytes);
  const auto before = static_cast<std::size_t>(place.first_byte % row_bytes);
  const std::size_t head = before == 0 ? 0 : row_bytes - before;
  if (head >= raw.size()) return false;
  const std::size_t rows = (raw.size() - head) / row_bytes;
  const std::size_t tail = (raw.size() - head) % row_bytes;
  if (rows < kMinRows) return false;
  const std::uint64_t first_row = place.first_byte / row_bytes + (before == 0 ? 0 : 1);

  std::array<std::uint16_t, kMaxColumns> order;
  const std::size_t count = layout.columns.size();
  for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::uint16_t>(i);
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
            [&](std::uint16_t a, std::uint16_t b) { return layout.columns[a].offset < layout.columns[b].offset; });
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Column& column = layout.columns[order[i]];
    if (column.offset != end || column.bytes == 0) return false;
    end += column.bytes;
  }
  if (end != row_bytes) return false;

  out.reserve(bound(raw.size()));
  append(out, static_cast<std::uint16_t>(count));
  append(out, static_cast<std::uint16_t>(row_bytes));
  append(out, static_cast<std::uint16_t>(head));
  append(out, std::uint16_t{0});
  append(out, first_row);
  out.insert(out.end(), raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(head));
  out.insert(out.end(), raw.end() - static_cast<std::ptrdiff_t>(tail), raw.end());
  Writer writer(code_, out, scratch, rows, first_row);
  for (std::size_t i = 0; i < count; ++i) {
    const Column& column = layout.columns[order[i]];
    const auto* first = reinterpret_cast<const std::uint8_t*>(raw.data()) + head + column.offset;
    if (holds_words(column)) {
      writer.add_words(i, first, row_bytes, column);
    } else {
      writer.add_raw(first, row_bytes, column.bytes);
    }
  }
  if (estimate_size(out, 16, 1024) * 20 < estimate_size(raw, 4, 4096) * 19) return true;
  out.clear();
  return false;
} catch (const std::bad_alloc&) {
  throw Error::out_of_memory();
}

}  // namespace mere::codec
