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

std::uint64_t sign_of(unsigned bytes) {
  return std::uint64_t{1} << (8 * bytes - 1);
}

Spread spread_of(const WordSurvey& survey, unsigned bytes) {
  if (survey.least > survey.greatest) return {};
  if (survey.turned_greatest - survey.turned_least < survey.greatest - survey.least) {
    return {survey.turned_least ^ sign_of(bytes), survey.turned_greatest - survey.turned_least};
  }
  return {survey.least, survey.greatest - survey.least};
}

// Bits of one byte. (Without an instruction for it, which baseline has not, the compiler calls a function.)
unsigned bits_of(unsigned byte) {
  byte -= (byte >> 1) & 0x55U;
  byte = (byte & 0x33U) + ((byte >> 2) & 0x33U);
  return (byte + (byte >> 4)) & 0x0fU;
}

// The words of one column, without the commonest if that is left out. They are kept as narrow as they are in the block,
// so that no block takes more memory than its own, and worked on by runs of words that stay in the first cache.
class ColumnWords {
 public:
  // The words of `kept` from number `first` on, with what was to be subtracted taken off.
  struct Run {
    std::uint64_t* words;
    std::size_t first, count;
  };

  ColumnWords(const CpuCode& code, FilterScratch& scratch, std::size_t rows, std::uint64_t first_row,
              std::size_t most_bytes)
      : code_(code), kept_(scratch.bytes[1]), bitmap_(scratch.bytes[0]), rows_(rows), first_row_(first_row) {
    for (std::size_t i = 0; i < 2; ++i) scratch.words[i].resize(kRunRows + 16);
    loaded_ = scratch.words[0].data();
    reduced_ = scratch.words[1].data();
    if (kept_.size() < most_bytes) {
      kept_ = {};  // first, so that there are never two
      kept_.resize(most_bytes);
    }
    bitmap_.resize((rows + 7) / 8);
  }

  // Reads the column, and finds all that is public here but the subtrahend.
  void read(const std::uint8_t* first, std::size_t row_bytes, const Column& column) {
    first_ = first;
    row_bytes_ = row_bytes;
    column_ = &column;
    bytes = column.bytes;
    mask = low_bits(bytes);
    subtrahend = 0;
    whole = column.content == Column::Content::real && bytes >= 4 && read_as(true);
    if (!whole) read_as(false);
  }

  // Calls `work` with each run, in their order.
  template <class Work>
  void for_each_run(const Work& work) {
    std::size_t done = 0;
    for (std::size_t row = 0; row < rows_; row += kRunRows) {
      const std::size_t rows = std::min(kRunRows, rows_ - row);
      const std::size_t words = elided ? code_.count_bits(bitmap() + row / 8, (rows + 7) / 8) : rows;
      if (words == 0) continue;
      work(Run{subtract(row, done, words), done, words});
      done += words;
    }
  }

  std::uint64_t kept_at(std::size_t index) const {
    const auto get = [&]<class Number>(Number number) -> std::uint64_t {
      std::memcpy(&number, kept_.data() + index * sizeof number, sizeof number);
      return number;
    };
    switch (bytes) {
      case 8: return get(std::uint64_t{});
      case 4: return get(std::uint32_t{});
      case 2: return get(std::uint16_t{});
      default: return get(std::uint8_t{});
    }
  }
  void get_kept(std::size_t first, std::span<std::uint64_t> words) const {
    const auto* from = reinterpret_cast<const std::uint8_t*>(kept_.data()) + first * bytes;
    code_.load_column(from, bytes, bytes, false, words.data(), words.size());
  }

  const std::uint8_t* bitmap() const { return reinterpret_cast<const std::uint8_t*>(bitmap_.data()); }
  std::span<const std::byte> bitmap_bytes() const { return bitmap_; }

  unsigned bytes = 0;
  std::uint64_t mask = 0;
  bool whole = false, elided = false;
  std::uint64_t common = 0;  // what is left out, if elided
  std::size_t count = 0;     // of the words that are kept
  WordSurvey survey;         // of them
  // For what is done next.
  std::uint8_t subtrahend = 0;  // kAddRow, kAddPrevious or 0
  std::uint64_t start = 0;      // the word before the first, with kAddPrevious

 private:
  static constexpr std::size_t kRunRows = 1024;  // a multiple of 64, for whole bytes of bitmaps

  void load(std::size_t row, std::size_t rows, std::uint64_t* words) const {
    code_.load_column(first_ + row * row_bytes_, row_bytes_, bytes, column_->big_endian, words, rows);
  }
  bool to_whole(std::uint64_t* words, std::size_t rows) const {
    return bytes == 8 ? code_.from_double(words, rows) : code_.from_float(words, rows);
  }

  // False if reals are to be made whole numbers, and are none.
  bool read_as(bool whole_numbers) {
    std::array<std::uint64_t, kElideSamples> sample;
    for (std::size_t i = 0; i < kElideSamples; ++i) load(i * rows_ / kElideSamples, 1, &sample[i]);
    if (whole_numbers && !to_whole(sample.data(), sample.size())) return false;
    elided = find_common(sample);
    count = 0;
    survey = {};
    std::uint64_t first_word = 0;
    auto* const kept = reinterpret_cast<std::uint8_t*>(kept_.data());
    auto* const bits = reinterpret_cast<std::uint8_t*>(bitmap_.data());
    for (std::size_t row = 0; row < rows_; row += kRunRows) {
      const std::size_t rows = std::min(kRunRows, rows_ - row);
      load(row, rows, loaded_);
      if (whole_numbers && !to_whole(loaded_, rows)) return false;
      const std::size_t words = elided ? code_.compact(loaded_, common, bits + row / 8, loaded_, rows) : rows;
      if (words == 0) continue;
      if (count == 0) first_word = loaded_[0];
      code_.survey(loaded_, words, sign_of(bytes), first_word, &survey);
      code_.store_column(loaded_, words, bytes, false, kept + count * bytes, bytes);
      count += words;
    }
    return true;
  }

  // The commonest word of a sample, if common enough.
  bool find_common(std::array<std::uint64_t, kElideSamples>& sample) {
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

  // The kept words from `first` on, which are those of the rows from `row` on, less the subtrahend.
  std::uint64_t* subtract(std::size_t row, std::size_t first, std::size_t words) {
    if (subtrahend == kAddPrevious) {
      loaded_[0] = first == 0 ? start : kept_at(first - 1);
      get_kept(first, {loaded_ + 1, words});
      code_.subtract_previous(loaded_, words, mask, reduced_);
      return reduced_;
    }
    get_kept(first, {loaded_, words});
    if (subtrahend == 0) return loaded_;
    if (!elided) {
      code_.subtract(loaded_, words, first_row_ + row, true, mask);
      return loaded_;
    }
    std::uint64_t* word = loaded_;
    for (std::size_t byte = row / 8; word < loaded_ + words; ++byte) {
      for (unsigned bits = bitmap()[byte]; bits != 0; bits &= bits - 1) {
        *word = (*word - first_row_ - 8 * byte - static_cast<unsigned>(std::countr_zero(bits))) & mask;
        ++word;
      }
    }
    return loaded_;
  }

  const CpuCode& code_;
  std::vector<std::byte>& kept_;    // little-endian, `bytes` each
  std::vector<std::byte>& bitmap_;  // of the whole column: bits of rows that are kept
  std::uint64_t *loaded_ = nullptr, *reduced_ = nullptr;
  const std::size_t rows_;
  const std::uint64_t first_row_;
  const std::uint8_t* first_ = nullptr;
  std::size_t row_bytes_ = 0;
  const Column* column_ = nullptr;
};

// Writes one block.
class Writer {
 public:
  Writer(const CpuCode& code, std::vector<std::byte>& out, FilterScratch& scratch, std::size_t rows,
         std::uint64_t first_row, std::size_t most_bytes)
      : code_(code),
        out_(out),
        column_(code, scratch, rows, first_row, most_bytes),
        rows_(rows),
        first_row_(first_row) {}

  void add_raw(const std::uint8_t* column, std::size_t row_bytes, std::uint32_t bytes) {
    append_record(kFormRaw, 0, {}, bytes, 0);
    const std::size_t at = out_.size();
    out_.resize(at + rows_ * bytes);
    for (std::size_t i = 0; i < rows_; ++i) std::memcpy(out_.data() + at + i * bytes, column + i * row_bytes, bytes);
  }

  void add_words(std::size_t index, const std::uint8_t* first, std::size_t row_bytes, const Column& column) {
    column_.read(first, row_bytes, column);
    std::uint8_t flags = column.big_endian && column.bytes > 1 ? kBigEndian : 0;
    if (column_.whole) flags |= kWhole;
    std::size_t like = 0;
    if (column_.elided) {
      flags |= kElide;
      if (find_places(column_.bitmap(), like)) flags |= kSamePlaces;
    }
    const Reduced reduced = reduce();
    flags |= reduced.flags;
    append_record(kFormWords, flags, reduced, column.bytes, (flags & kSamePlaces) != 0 ? like : 0);
    if (column_.elided) {
      append(out_, column_.common);
      if ((flags & kSamePlaces) == 0) {
        places_[places_count_++] = {index, out_.size()};
        out_.insert(out_.end(), column_.bitmap_bytes().begin(), column_.bitmap_bytes().end());
      }
    }
    if ((flags & kAddPrevious) != 0) append(out_, column_.start);
    const std::size_t at = out_.size();
    out_.resize(at + reduced.width * column_.count);
    if (reduced.width == 0) return;
    auto* numbers = reinterpret_cast<std::uint8_t*>(out_.data()) + at;
    column_.for_each_run([&](const ColumnWords::Run& run) {
      code_.subtract(run.words, run.count, reduced.bias, false, column_.mask);
      if ((flags & kInOrder) != 0) {
        code_.split_ordered(run.words, run.count, reduced.width, reduced.shift, numbers + run.first * reduced.width);
      } else {
        code_.split_planes(run.words, run.count, reduced.width, reduced.shift, numbers + run.first, column_.count);
      }
    });
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

  // Chooses what to subtract to make the bytes of the words fewer, and their least word.
  Reduced reduce() {
    Reduced reduced;
    const unsigned bytes = column_.bytes;
    const std::uint64_t mask = column_.mask;
    WordSurvey survey = column_.survey;
    if (spread_of(survey, bytes).width > 0 && column_.count >= kMinRows) reduced.flags = choose_subtrahend();
    column_.subtrahend = reduced.flags;
    // The first difference is made the same as the second, so that it is no larger than others.
    if (reduced.flags == kAddPrevious) column_.start = (2 * column_.kept_at(0) - column_.kept_at(1)) & mask;
    constexpr std::size_t kSample = 512;  // words in a row, for prefers_order()
    std::array<std::uint64_t, kSample> sample;
    const std::size_t sampled = std::min(column_.count, kSample), sample_first = (column_.count - sampled) / 2;
    if (reduced.flags != 0) {
      survey = {};
      std::uint64_t first = 0;
      column_.for_each_run([&](const ColumnWords::Run& run) {
        if (run.first == 0) first = run.words[0];
        code_.survey(run.words, run.count, sign_of(bytes), first, &survey);
        const std::size_t from = std::max(run.first, sample_first);
        const std::size_t to = std::min(run.first + run.count, sample_first + sampled);
        if (from < to) std::copy_n(run.words + (from - run.first), to - from, sample.data() + (from - sample_first));
      });
    }
    const Spread found = spread_of(survey, bytes);
    reduced.bias = found.bias;
    reduced.width = bytes_of(found.width);
    // The bias is one of the words: what they all share of their low bits is zero once it is subtracted.
    const unsigned zeros = survey.differs == 0 ? 0 : static_cast<unsigned>(std::countr_zero(survey.differs));
    if (survey.differs != 0 && bytes_of(found.width >> zeros) < reduced.width) {
      reduced.shift = zeros;
      reduced.width = bytes_of(found.width >> zeros);
    }
    if (reduced.width < 3) return reduced;
    if (reduced.flags == 0) column_.get_kept(sample_first, std::span(sample).first(sampled));
    for (std::size_t k = 0; k < sampled; ++k) sample[k] = (sample[k] - reduced.bias) & mask;
    if (prefers_order({sample.data(), sampled}, reduced)) reduced.flags |= kInOrder;
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
  std::uint8_t choose_subtrahend() const {
    std::array<std::uint64_t, kSamples> plain, less_row, less_previous;
    std::size_t samples = 0;
    std::size_t rank = 0, ranked_bytes = 0;
    for (std::size_t s = 0; s < kSamples && s < rows_; ++s) {
      const std::size_t row = rows_ <= kSamples ? s : s * rows_ / kSamples;
      std::size_t k = row;
      if (column_.elided) {
        const unsigned bits = column_.bitmap()[row / 8];
        if (((bits >> (row % 8)) & 1U) == 0) continue;
        rank += code_.count_bits(column_.bitmap() + ranked_bytes, row / 8 - ranked_bytes);
        ranked_bytes = row / 8;
        k = rank + bits_of(bits & ((1U << (row % 8)) - 1U));
      }
      if (k == 0) continue;
      const std::uint64_t word = column_.kept_at(k);
      plain[samples] = word;
      less_row[samples] = (word - first_row_ - row) & column_.mask;
      less_previous[samples] = (word - column_.kept_at(k - 1)) & column_.mask;
      ++samples;
    }
    if (samples < 16) return 0;
    // Costs are counted until they cannot win any more.
    const std::uint64_t plain_cost = cost_of({plain.data(), samples}, ~std::uint64_t{0});
    const std::uint64_t row_cost = cost_of({less_row.data(), samples}, plain_cost);
    const std::uint64_t previous_cost = cost_of({less_previous.data(), samples}, std::min(plain_cost, row_cost));
    const std::uint64_t best = std::min(row_cost, previous_cost);
    // A sixteenth must be won: additions cost time when reading.
    if (plain_cost <= best + best / 16) return 0;
    return row_cost <= previous_cost ? kAddRow : kAddPrevious;
  }

  // Some number not below `enough` if it is no less than that.
  std::uint64_t cost_of(std::span<const std::uint64_t> words, std::uint64_t enough) const {
    WordSurvey survey;
    code_.survey(words.data(), words.size(), sign_of(column_.bytes), words[0], &survey);
    const Spread spread = spread_of(survey, column_.bytes);
    std::array<std::uint64_t, kSamples> rest;
    std::copy(words.begin(), words.end(), rest.begin());
    code_.subtract(rest.data(), words.size(), spread.bias, false, column_.mask);
    std::array<std::uint8_t, kSamples> plane;
    std::uint64_t cost = 0;
    for (unsigned k = 0; k < bytes_of(spread.width) && cost < enough; ++k) {
      code_.split_planes(rest.data(), words.size(), 1, 8 * k, plane.data(), 0);
      cost += literal_cost(std::as_bytes(std::span(plane)).first(words.size()));
    }
    return cost;
  }

  struct Places {
    std::size_t column, at;
  };

  const CpuCode& code_;
  std::vector<std::byte>& out_;
  ColumnWords column_;
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
  std::size_t most_bytes = 0;  // of a column of words
  for (std::size_t i = 0; i < count; ++i) {
    const Column& column = layout.columns[order[i]];
    if (column.offset != end || column.bytes == 0) return false;
    end += column.bytes;
    if (holds_words(column)) most_bytes = std::max<std::size_t>(most_bytes, column.bytes);
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
  Writer writer(code_, out, scratch, rows, first_row, rows * most_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    const Column& column = layout.columns[order[i]];
    const auto* first = reinterpret_cast<const std::uint8_t*>(raw.data()) + head + column.offset;
    if (holds_words(column)) {
      writer.add_words(i, first, row_bytes, column);
    } else {
      writer.add_raw(first, row_bytes, column.bytes);
    }
  }
  // Whatever they are, so many bytes are worth it if the raw ones need `enough`.
  const std::uint64_t enough = most_estimated(out.size()) * 20 / 19 + 1;
  const std::uint64_t raw_bytes = estimate_size(raw, 4, 4096, enough);
  if (raw_bytes >= enough || estimate_size(out, 16, 1024) * 20 < raw_bytes * 19) return true;
  out.clear();
  return false;
} catch (const std::bad_alloc&) {
  throw Error::out_of_memory();
}

}  // namespace mere::codec
