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
  std::uint64_t bias = 0, width = 0;
};
class SpreadFinder {
 public:
  SpreadFinder(const CpuCode& code, unsigned bytes) : code_(code), sign_(std::uint64_t{1} << (8 * bytes - 1)) {}
  void add(const std::uint64_t* words, std::size_t count) {
    if (count == 0) return;
    std::uint64_t low = 0, high = 0;
    code_.range(words, count, 0, &low, &high);
    least_ = std::min(least_, low);
    greatest_ = std::max(greatest_, high);
    code_.range(words, count, sign_, &low, &high);
    signed_least_ = std::min(signed_least_, low);
    signed_greatest_ = std::max(signed_greatest_, high);
  }
  Spread get() const {
    if (least_ > greatest_) return {};
    if (signed_greatest_ - signed_least_ < greatest_ - least_) {
      return {signed_least_ ^ sign_, signed_greatest_ - signed_least_};
    }
    return {least_, greatest_ - least_};
  }

 private:
  const CpuCode& code_;
  const std::uint64_t sign_;
  std::uint64_t least_ = ~std::uint64_t{0}, greatest_ = 0, signed_least_ = ~std::uint64_t{0}, signed_greatest_ = 0;
};

// The words of one column, a part of the rows at a time, so that a block of narrow columns takes no more memory than
// others. What was done to a part is done again when it is asked for after another one; a block of few rows is one
// part.
class ColumnParts {
 public:
  enum class Step { none, loaded, kept, reduced };
  struct Part {
    std::uint64_t* words;
    std::size_t count;
    std::size_t first_row, rows;
  };

  ColumnParts(const CpuCode& code, FilterScratch& scratch, std::size_t rows, std::uint64_t first_row)
      : code_(code), words_(scratch.words[0]), bitmap_(scratch.bytes[0]), rows_(rows), first_row_(first_row) {
    words_.reserve(kPartRows + 16);  // at once: growing would hold two
    words_.resize(std::min(rows, kPartRows) + 16);
    bitmap_.resize((rows + 7) / 8);
  }

  void begin(const std::uint8_t* first, std::size_t row_bytes, const Column& column) {
    first_ = first;
    row_bytes_ = row_bytes;
    column_ = &column;
    mask_ = low_bits(column.bytes);
    whole = elided = false;
    subtrahend = 0;
    step_ = Step::none;
  }
  std::size_t count() const { return (rows_ + kPartRows - 1) / kPartRows; }

  // Part `index` after all steps up to `wanted`. Parts are asked for in their order, again from 0 for a later step.
  Part get(std::size_t index, Step wanted) {
    const std::size_t from = index * kPartRows, rows = std::min(kPartRows, rows_ - from);
    std::uint64_t* words = words_.data();
    if (step_ == Step::none || held_ != index) {
      code_.load_column(first_ + from * row_bytes_, row_bytes_, column_->bytes, column_->big_endian, words, rows);
      if (whole) to_whole(words, rows);
      held_ = index;
      held_count_ = rows;
      step_ = Step::loaded;
    }
    if (step_ < wanted && step_ == Step::loaded) {
      if (elided) held_count_ = code_.compact(words, common, bitmap() + from / 8, words, rows);
      step_ = Step::kept;
    }
    if (step_ < wanted) {
      if (subtrahend == kAddRow) subtract_rows(words, from, rows);
      if (subtrahend == kAddPrevious) subtract_previous(words, index);
      step_ = Step::reduced;
    }
    return {words, held_count_, from, rows};
  }

  // True, and whole is set, if all reals are whole numbers.
  bool make_whole() {
    whole = true;
    for (std::size_t i = 0; i < count(); ++i) {
      step_ = Step::none;
      whole = false;
      const Part part = get(i, Step::loaded);
      if (!to_whole(part.words, part.rows)) {
        step_ = Step::none;  // they may have been changed
        return false;
      }
      whole = true;
    }
    return true;
  }

  // One word after it was made whole.
  std::uint64_t word_at(std::size_t row) const {
    std::uint64_t word = 0;
    code_.load_column(first_ + row * row_bytes_, row_bytes_, column_->bytes, column_->big_endian, &word, 1);
    if (whole) to_whole(&word, 1);
    return word;
  }

  std::uint8_t* bitmap() { return reinterpret_cast<std::uint8_t*>(bitmap_.data()); }
  std::span<const std::byte> bitmap_bytes() const { return bitmap_; }
  std::uint64_t mask() const { return mask_; }

  // Set between the steps that they belong to.
  bool whole = false, elided = false;
  std::uint64_t common = 0;     // what is left out, if elided
  std::uint8_t subtrahend = 0;  // kAddRow, kAddPrevious or 0
  std::uint64_t start = 0;      // the word before the first, with kAddPrevious

 private:
  static constexpr std::size_t kPartRows = 131072;  // 1 MiB of words: columns of 8 bytes are one part

  bool to_whole(std::uint64_t* words, std::size_t count) const {
    return column_->bytes == 8 ? code_.from_double(words, count) : code_.from_float(words, count);
  }

  void subtract_rows(std::uint64_t* kept, std::size_t from, std::size_t rows) {
    if (!elided) {
      for (std::size_t i = 0; i < rows; ++i) kept[i] = (kept[i] - first_row_ - from - i) & mask_;
      return;
    }
    std::size_t k = 0;
    const std::uint8_t* bits_of_part = bitmap() + from / 8;
    for (std::size_t byte = 0; byte < (rows + 7) / 8; ++byte) {
      for (unsigned bits = bits_of_part[byte]; bits != 0; bits &= bits - 1) {
        const std::uint64_t row = first_row_ + from + 8 * byte + static_cast<unsigned>(std::countr_zero(bits));
        kept[k] = (kept[k] - row) & mask_;
        ++k;
      }
    }
  }

  void subtract_previous(std::uint64_t* kept, std::size_t index) {
    const std::uint64_t before = index == 0 ? start : previous_;
    if (held_count_ == 0) return;
    previous_ = kept[held_count_ - 1];
    for (std::size_t i = held_count_; i-- > 1;) kept[i] = (kept[i] - kept[i - 1]) & mask_;
    kept[0] = (kept[0] - before) & mask_;
  }

  const CpuCode& code_;
  std::vector<std::uint64_t>& words_;
  std::vector<std::byte>& bitmap_;  // of the whole column: bits of rows that are kept
  const std::size_t rows_;
  const std::uint64_t first_row_;
  const std::uint8_t* first_ = nullptr;
  std::size_t row_bytes_ = 0;
  const Column* column_ = nullptr;
  std::uint64_t mask_ = 0;
  std::size_t held_ = 0, held_count_ = 0;
  Step step_ = Step::none;
  std::uint64_t previous_ = 0;  // the last word of the part before, as it was kept
};

// Writes one block.
class Writer {
 public:
  using Step = ColumnParts::Step;
  using Part = ColumnParts::Part;

  Writer(const CpuCode& code, std::vector<std::byte>& out, FilterScratch& scratch, std::size_t rows,
         std::uint64_t first_row)
      : code_(code), out_(out), parts_(code, scratch, rows, first_row), rows_(rows), first_row_(first_row) {}

  void add_raw(const std::uint8_t* column, std::size_t row_bytes, std::uint32_t bytes) {
    append_record(kFormRaw, 0, {}, bytes, 0);
    const std::size_t at = out_.size();
    out_.resize(at + rows_ * bytes);
    for (std::size_t i = 0; i < rows_; ++i) std::memcpy(out_.data() + at + i * bytes, column + i * row_bytes, bytes);
  }

  void add_words(std::size_t index, const std::uint8_t* first, std::size_t row_bytes, const Column& column) {
    parts_.begin(first, row_bytes, column);
    std::uint8_t flags = column.big_endian && column.bytes > 1 ? kBigEndian : 0;
    if (column.content == Column::Content::real && column.bytes >= 4 && parts_.make_whole()) flags |= kWhole;
    parts_.elided = find_common(parts_.common);
    const Kept kept = look_at_kept(column.bytes);
    std::size_t like = 0;
    if (parts_.elided) {
      flags |= kElide;
      if (find_places(parts_.bitmap(), like)) flags |= kSamePlaces;
    }
    const Reduced reduced = reduce(kept, column.bytes);
    flags |= reduced.flags;
    append_record(kFormWords, flags, reduced, column.bytes, (flags & kSamePlaces) != 0 ? like : 0);
    if (parts_.elided) {
      append(out_, parts_.common);
      if ((flags & kSamePlaces) == 0) {
        places_[places_count_++] = {index, out_.size()};
        out_.insert(out_.end(), parts_.bitmap_bytes().begin(), parts_.bitmap_bytes().end());
      }
    }
    if ((flags & kAddPrevious) != 0) append(out_, parts_.start);
    const std::size_t at = out_.size();
    out_.resize(at + reduced.width * kept.count);
    auto* numbers = reinterpret_cast<std::uint8_t*>(out_.data()) + at;
    std::size_t done = 0;
    for (std::size_t i = 0; i < parts_.count(); ++i) {
      const Part part = parts_.get(i, Step::reduced);
      for (std::size_t k = 0; k < part.count; ++k) part.words[k] = (part.words[k] - reduced.bias) & parts_.mask();
      if ((flags & kInOrder) != 0) {
        code_.split_ordered(part.words, part.count, reduced.width, reduced.shift, numbers + done * reduced.width);
      } else {
        code_.split_planes(part.words, part.count, reduced.width, reduced.shift, numbers + done, kept.count);
      }
      done += part.count;
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
  bool find_common(std::uint64_t& common) const {
    std::array<std::uint64_t, kElideSamples> sample;
    for (std::size_t i = 0; i < kElideSamples; ++i) sample[i] = parts_.word_at(i * rows_ / kElideSamples);
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

  // What a first look at the words that are kept tells of them.
  struct Kept {
    std::size_t count = 0;
    Spread spread{};
    std::uint64_t first = 0, second = 0;
    // A sample, and what would be left of it: as it is, less the row, less the word before.
    std::array<std::uint64_t, kSamples> plain, less_row, less_previous;
    std::size_t samples = 0;
  };

  Kept look_at_kept(unsigned bytes) {
    Kept kept;
    SpreadFinder spread(code_, bytes);
    std::size_t sample = 0;
    std::uint64_t last = 0;  // of the part before
    const auto sample_row = [&] { return rows_ <= kSamples ? sample : sample * rows_ / kSamples; };
    for (std::size_t i = 0; i < parts_.count(); ++i) {
      const Part part = parts_.get(i, Step::kept);
      spread.add(part.words, part.count);
      for (std::size_t k = 0; k < part.count && kept.count + k < 2; ++k) {
        (kept.count + k == 0 ? kept.first : kept.second) = part.words[k];
      }
      const std::uint8_t* bitmap = parts_.bitmap() + part.first_row / 8;
      std::size_t rank = 0, ranked_bytes = 0;
      for (; sample < kSamples && sample < rows_ && sample_row() < part.first_row + part.rows; ++sample) {
        const std::size_t row = sample_row() - part.first_row;
        std::size_t k = row;
        if (parts_.elided) {
          if (((bitmap[row / 8] >> (row % 8)) & 1U) == 0) continue;
          rank += code_.count_bits(bitmap + ranked_bytes, row / 8 - ranked_bytes);
          ranked_bytes = row / 8;
          k = rank + static_cast<std::size_t>(std::popcount(bitmap[row / 8] & ((1U << (row % 8)) - 1U)));
        }
        if (kept.count + k == 0) continue;
        const std::uint64_t word = part.words[k], before = k == 0 ? last : part.words[k - 1];
        kept.plain[kept.samples] = word;
        kept.less_row[kept.samples] = (word - first_row_ - part.first_row - row) & parts_.mask();
        kept.less_previous[kept.samples] = (word - before) & parts_.mask();
        ++kept.samples;
      }
      kept.count += part.count;
      if (part.count > 0) last = part.words[part.count - 1];
    }
    kept.spread = spread.get();
    return kept;
  }

  // Chooses what to subtract to make the bytes of the words fewer, and their least word.
  Reduced reduce(const Kept& kept, unsigned bytes) {
    Reduced reduced;
    const std::uint64_t mask = parts_.mask();
    if (kept.spread.width > 0 && kept.count >= kMinRows) reduced.flags = choose_subtrahend(kept, mask);
    parts_.subtrahend = reduced.flags;
    // The first difference is made the same as the second, so that it is no larger than others.
    if (reduced.flags == kAddPrevious) parts_.start = (2 * kept.first - kept.second) & mask;
    constexpr std::size_t kRun = 512;  // words in a row, for prefers_order()
    std::array<std::uint64_t, kRun> run;
    const std::size_t run_count = std::min(kept.count, kRun), run_first = (kept.count - run_count) / 2;
    SpreadFinder spread(code_, bytes);
    std::uint64_t first = 0, differs = 0;  // bits in which the words are not all alike
    std::size_t done = 0;
    for (std::size_t i = 0; i < parts_.count(); ++i) {
      const Part part = parts_.get(i, Step::reduced);
      if (part.count == 0) continue;
      if (reduced.flags != 0) spread.add(part.words, part.count);
      if (done == 0) first = part.words[0];
      for (std::size_t k = 0; k < part.count; ++k) differs |= (part.words[k] - first) & mask;
      const std::size_t from = std::max(done, run_first), to = std::min(done + part.count, run_first + run_count);
      if (from < to) std::memcpy(run.data() + (from - run_first), part.words + (from - done), (to - from) * 8);
      done += part.count;
    }
    const Spread found = reduced.flags != 0 ? spread.get() : kept.spread;
    reduced.bias = found.bias;
    reduced.width = bytes_of(found.width);
    // The bias is one of the words: what they all share of their low bits is zero once it is subtracted.
    const unsigned zeros = differs == 0 ? 0 : static_cast<unsigned>(std::countr_zero(differs));
    if (differs != 0 && bytes_of(found.width >> zeros) < reduced.width) {
      reduced.shift = zeros;
      reduced.width = bytes_of(found.width >> zeros);
    }
    for (std::size_t k = 0; k < run_count; ++k) run[k] = (run[k] - reduced.bias) & mask;
    if (reduced.width >= 3 && prefers_order({run.data(), run_count}, reduced)) reduced.flags |= kInOrder;
    return reduced;
  }

  // True if equal numbers follow each other so closely that a codec gains more by finding them whole than by planes.
  bool prefers_order(std::span<const std::uint64_t> run, const Reduced& reduced) const {
    std::array<std::uint8_t, 512 * 8> ordered, planes;
    code_.split_ordered(run.data(), run.size(), reduced.width, reduced.shift, ordered.data());
    code_.split_planes(run.data(), run.size(), reduced.width, reduced.shift, planes.data(), run.size());
    const std::size_t bytes = run.size() * reduced.width;
    return estimate_size(std::as_bytes(std::span(ordered)).first(bytes), 1, bytes) * 17 <
           estimate_size(std::as_bytes(std::span(planes)).first(bytes), reduced.width, run.size()) * 16;
  }

  // By the entropy of the planes of a sample: nothing, the row, or the word before.
  std::uint8_t choose_subtrahend(const Kept& kept, std::uint64_t mask) const {
    if (kept.samples < 16) return 0;
    const std::uint64_t plain_cost = cost_of({kept.plain.data(), kept.samples}, mask);
    const std::uint64_t row_cost = cost_of({kept.less_row.data(), kept.samples}, mask);
    const std::uint64_t previous_cost = cost_of({kept.less_previous.data(), kept.samples}, mask);
    const std::uint64_t best = std::min(row_cost, previous_cost);
    // A sixteenth must be won: additions cost time when reading.
    if (plain_cost <= best + best / 16) return 0;
    return row_cost <= previous_cost ? kAddRow : kAddPrevious;
  }

  std::uint64_t cost_of(std::span<const std::uint64_t> words, std::uint64_t mask) const {
    SpreadFinder finder(code_, bytes_of(mask));
    finder.add(words.data(), words.size());
    const Spread spread = finder.get();
    std::array<std::byte, kSamples> plane;
    std::uint64_t cost = 0;
    for (unsigned k = 0; k < bytes_of(spread.width); ++k) {
      for (std::size_t i = 0; i < words.size(); ++i)
        plane[i] = static_cast<std::byte>(((words[i] - spread.bias) & mask) >> (8 * k));
      cost += literal_cost({plane.data(), words.size()});
    }
    return cost;
  }

  struct Places {
    std::size_t column, at;
  };

  const CpuCode& code_;
  std::vector<std::byte>& out_;
  ColumnParts parts_;
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
