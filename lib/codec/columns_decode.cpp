#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>

#include "codec/columns_filter.hpp"
#include "codec/cpu_code.hpp"

namespace mere::codec {
namespace {

using namespace columns;

// Rows of one round, so that all columns of them stay in the first cache: a multiple of 64, for whole bytes of bitmaps.
constexpr std::size_t kRoundBytes = 32768;
constexpr std::size_t kMaxRoundRows = 1024;

[[noreturn]] void throw_damaged(std::string_view what, std::size_t offset) {
  throw Error(Reason::bad_stream,
              "filter columns: " + std::string(what) + " at filtered byte " + std::to_string(offset));
}

// Reads the payload from front to back; every length is held against what remains.
class Payload {
 public:
  explicit Payload(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t offset() const { return offset_; }

  const std::uint8_t* take(std::uint64_t length, std::string_view what) {
    if (length > bytes_.size() - offset_) {
      throw_damaged(std::string(what) + " of " + std::to_string(length) + " bytes does not fit into the " +
                        std::to_string(bytes_.size() - offset_) + " that remain",
                    offset_);
    }
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes_.data()) + offset_;
    offset_ += static_cast<std::size_t>(length);
    return first;
  }
  void expect_end() const {
    if (offset_ != bytes_.size()) throw_damaged(std::to_string(bytes_.size() - offset_) + " bytes too many", offset_);
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
};

template <class T>
T load(const std::uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// One column, and how far its decoding has come.
struct ColumnState {
  std::uint8_t form = 0, flags = 0;
  unsigned width = 0, shift = 0;
  std::uint32_t bytes = 0, offset = 0;
  std::uint64_t bias = 0, common = 0;
  const std::uint8_t* bitmap = nullptr;  // of elided columns
  const std::uint8_t* data = nullptr;    // raw column or planes
  std::size_t kept = 0;                  // words in each plane
  std::size_t taken = 0;                 // of them, so far
  std::uint64_t previous = 0;

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

struct Table {
  std::array<ColumnState, kMaxColumns> columns;
  std::size_t count = 0;
  std::size_t row_bytes = 0;
  std::size_t rows = 0;
  std::uint64_t first_row = 0;
};

void read_words(const CpuCode& code, Payload& payload, Table& table, std::size_t index, const std::uint8_t* record,
                std::size_t at) {
  ColumnState& column = table.columns[index];
  column.flags = record[1];
  column.width = record[2];
  column.shift = record[3];
  column.bias = load<std::uint64_t>(record + 8);
  const auto like = load<std::uint16_t>(record + 6);
  if (column.bytes != 1 && column.bytes != 2 && column.bytes != 4 && column.bytes != 8) {
    throw_damaged("words of " + std::to_string(column.bytes) + " bytes (expected 1, 2, 4 or 8)", at);
  }
  if ((column.flags & ~kKnownFlags) != 0) throw_damaged("flags " + std::to_string(column.flags), at);
  if (column.has(kAddRow) && column.has(kAddPrevious)) throw_damaged("both the row and the previous word to add", at);
  if (column.has(kWhole) && column.bytes < 4) throw_damaged("whole numbers for reals of less than 4 bytes", at);
  if (column.has(kSamePlaces) && !column.has(kElide))
    throw_damaged("the places of another column, but none elided", at);
  if (column.width > column.bytes) throw_damaged(std::to_string(column.width) + " planes, more than bytes", at);
  if (column.shift > 63) throw_damaged("a shift by " + std::to_string(column.shift) + " bits", at);
  if (!column.has(kSamePlaces) && like != 0) throw_damaged("a reserved field is not zero", at);
  column.kept = table.rows;
  if (column.has(kElide)) {
    column.common = load<std::uint64_t>(payload.take(8, "the commonest word"));
    if (column.has(kSamePlaces)) {
      if (like >= index || table.columns[like].bitmap == nullptr) {
        throw_damaged("the places of column " + std::to_string(like) + ", which has none before this one", at);
      }
      column.bitmap = table.columns[like].bitmap;
      column.kept = table.columns[like].kept;
    } else {
      const std::size_t bitmap_bytes = (table.rows + 7) / 8;
      column.bitmap = payload.take(bitmap_bytes, "a bitmap");
      if (table.rows % 8 != 0 && (column.bitmap[bitmap_bytes - 1] >> (table.rows % 8)) != 0) {
        throw_damaged("bits behind the last row", payload.offset() - 1);
      }
      column.kept = code.count_bits(column.bitmap, bitmap_bytes);
    }
  }
  if (column.has(kAddPrevious)) column.previous = load<std::uint64_t>(payload.take(8, "the word before the first"));
  column.data = payload.take(static_cast<std::uint64_t>(column.width) * column.kept, "numbers");
}

void read_column(const CpuCode& code, Payload& payload, Table& table, std::size_t index, std::size_t& row_offset) {
  const std::size_t at = payload.offset();
  const std::uint8_t* record = payload.take(kColumnBytes, "a column");
  ColumnState& column = table.columns[index];
  column = ColumnState{};
  column.form = record[0];
  column.bytes = load<std::uint16_t>(record + 4);
  column.offset = static_cast<std::uint32_t>(row_offset);
  if (column.bytes == 0 || column.bytes > table.row_bytes - row_offset) {
    throw_damaged("a column of " + std::to_string(column.bytes) + " bytes at byte " + std::to_string(row_offset) +
                      " of a row of " + std::to_string(table.row_bytes),
                  at);
  }
  row_offset += column.bytes;
  if (column.form == kFormWords) {
    read_words(code, payload, table, index, record, at);
  } else if (column.form == kFormRaw) {
    const bool reserved = record[1] != 0 || load<std::uint16_t>(record + 2) != 0 ||
                          load<std::uint16_t>(record + 6) != 0 || load<std::uint64_t>(record + 8) != 0;
    if (reserved) throw_damaged("a reserved field is not zero", at);
    column.data = payload.take(static_cast<std::uint64_t>(column.bytes) * table.rows, "a raw column");
  } else {
    throw_damaged("a column of unknown form " + std::to_string(column.form), at);
  }
}

void put_raw(const ColumnState& column, std::size_t row, std::size_t count, std::uint8_t* rows, std::size_t row_bytes) {
  const std::uint8_t* from = column.data + row * column.bytes;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(rows + i * row_bytes + column.offset, from + i * column.bytes, column.bytes);
  }
}

// Rows `row` to row + count of one column, from planes to their places.
void put_words(const CpuCode& code, ColumnState& column, const Table& table, std::size_t row, std::size_t count,
               std::uint64_t* kept_words, std::uint64_t* all_words, std::uint8_t* rows) {
  const std::uint8_t* bitmap = column.bitmap == nullptr ? nullptr : column.bitmap + row / 8;
  const std::size_t kept = bitmap == nullptr ? count : code.count_bits(bitmap, (count + 7) / 8);
  std::uint64_t* words = bitmap == nullptr ? all_words : kept_words;
  if (column.has(kInOrder)) {
    code.join_ordered(column.data + column.taken * column.width, column.width, column.shift, column.bias, words, kept);
  } else {
    code.join_planes(column.data + column.taken, column.kept, column.width, column.shift, column.bias, words, kept);
  }
  column.taken += kept;
  if (column.has(kAddPrevious)) {
    for (std::size_t i = 0; i < kept; ++i) words[i] = column.previous += words[i];
  }
  if (bitmap != nullptr) {
    code.expand(kept_words, bitmap, column.common, column.has(kAddRow), table.first_row + row, all_words, count);
  } else if (column.has(kAddRow)) {
    code.add_rows(all_words, table.first_row + row, count);
  }
  if (column.has(kWhole)) column.bytes == 8 ? code.to_double(all_words, count) : code.to_float(all_words, count);
  code.store_column(all_words, count, column.bytes, column.has(kBigEndian), rows + column.offset, table.row_bytes);
}

}  // namespace

void ColumnsFilter::decode(std::span<const std::byte> filtered, std::span<std::byte> raw, FilterScratch& scratch) const
    try {
  Payload payload(filtered);
  const std::uint8_t* header = payload.take(kHeaderBytes, "the header");
  Table table;
  table.count = load<std::uint16_t>(header);
  table.row_bytes = load<std::uint16_t>(header + 2);
  table.first_row = load<std::uint64_t>(header + 8);
  const std::size_t head = load<std::uint16_t>(header + 4);
  if (table.count == 0 || table.count > kMaxColumns) throw_damaged(std::to_string(table.count) + " columns", 0);
  if (table.row_bytes == 0) throw_damaged("rows of no bytes", 2);
  if (head >= table.row_bytes || head > raw.size())
    throw_damaged("a part row of " + std::to_string(head) + " bytes", 4);
  if (load<std::uint16_t>(header + 6) != 0) throw_damaged("a reserved field is not zero", 6);
  table.rows = (raw.size() - head) / table.row_bytes;
  const std::size_t tail = (raw.size() - head) % table.row_bytes;

  auto* out = reinterpret_cast<std::uint8_t*>(raw.data());
  const std::uint8_t* head_bytes = payload.take(head, "the part row at the start");
  if (head > 0) std::memcpy(out, head_bytes, head);
  const std::uint8_t* tail_bytes = payload.take(tail, "the part row at the end");
  if (tail > 0) std::memcpy(out + raw.size() - tail, tail_bytes, tail);

  std::size_t row_offset = 0;
  for (std::size_t c = 0; c < table.count; ++c) read_column(code_, payload, table, c, row_offset);
  if (row_offset != table.row_bytes) {
    throw_damaged("columns of " + std::to_string(row_offset) + " bytes in rows of " + std::to_string(table.row_bytes),
                  payload.offset());
  }
  payload.expect_end();

  const std::size_t round = std::clamp(kRoundBytes / table.row_bytes / 64 * 64, std::size_t{64}, kMaxRoundRows);
  // Eight more, which expand() may read.
  scratch.words[0].resize(kMaxRoundRows + 8);
  scratch.words[1].resize(kMaxRoundRows + 8);
  for (std::size_t row = 0; row < table.rows; row += round) {
    const std::size_t count = std::min(round, table.rows - row);
    std::uint8_t* rows = out + head + row * table.row_bytes;
    for (std::size_t c = 0; c < table.count; ++c) {
      ColumnState& column = table.columns[c];
      if (column.form == kFormRaw) {
        put_raw(column, row, count, rows, table.row_bytes);
      } else {
        put_words(code_, column, table, row, count, scratch.words[0].data(), scratch.words[1].data(), rows);
      }
    }
  }
} catch (const std::bad_alloc&) {
  throw Error::out_of_memory();
}

}  // namespace mere::codec
