#include "columns_plain.hpp"

#include <bit>
#include <cstdint>
#include <vector>

namespace mere::reference {
namespace {

struct NotAllowed {};

void require(bool condition) {
  if (!condition) throw NotAllowed{};
}

struct Reader {
  std::span<const std::byte> bytes;
  std::size_t at = 0;

  std::uint64_t number(std::size_t size) {
    require(size <= bytes.size() - at);
    std::uint64_t value = 0;
    for (std::size_t k = 0; k < size; ++k) value |= std::to_integer<std::uint64_t>(bytes[at + k]) << (8 * k);
    at += size;
    return value;
  }
  std::vector<std::byte> take(std::size_t size) {
    require(size <= bytes.size() - at);
    std::vector<std::byte> taken(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    return taken;
  }
};

using Bitmap = std::vector<bool>;  // empty: the column has none

std::vector<std::uint64_t> read_words(Reader& in, std::size_t rows, std::uint64_t first, std::size_t column_bytes,
                                      unsigned flags, std::size_t width, unsigned shift, std::size_t like,
                                      std::uint64_t bias, std::vector<Bitmap>& bitmaps) {
  require((flags & 128) == 0 && (flags & 48) != 48);
  require(column_bytes == 1 || column_bytes == 2 || column_bytes == 4 || column_bytes == 8);
  require(width <= column_bytes && shift <= 63);
  require((flags & 2) == 0 || column_bytes >= 4);
  require((flags & 8) == 0 || (flags & 4) != 0);
  require((flags & 8) != 0 || like == 0);

  std::uint64_t common = 0;
  Bitmap kept(rows, true);
  if ((flags & 4) != 0) {
    common = in.number(8);
    if ((flags & 8) != 0) {
      require(like < bitmaps.size() && bitmaps[like].size() == rows + 1);
      for (std::size_t i = 0; i < rows; ++i) kept[i] = bitmaps[like][i];
    } else {
      const auto bits = in.take((rows + 7) / 8);
      for (std::size_t i = 0; i < bits.size() * 8; ++i) {
        const bool bit = (std::to_integer<unsigned>(bits[i / 8]) >> (i % 8) & 1U) != 0;
        require(i < rows || !bit);
        if (i < rows) kept[i] = bit;
      }
    }
  }
  std::uint64_t previous = (flags & 32) != 0 ? in.number(8) : 0;

  std::size_t count = 0;
  for (const bool bit : kept) count += bit ? 1 : 0;
  const auto stored = in.take(count * width);
  std::vector<std::uint64_t> words(rows);
  std::size_t k = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    std::uint64_t word = common;
    if (kept[i]) {
      std::uint64_t number = 0;
      for (std::size_t b = 0; b < width; ++b) {
        const std::size_t place = (flags & 64) != 0 ? k * width + b : b * count + k;
        number |= std::to_integer<std::uint64_t>(stored[place]) << (8 * b);
      }
      word = (number << shift) + bias;
      if ((flags & 16) != 0) word += first + i;
      if ((flags & 32) != 0) word += previous;
      previous = word;
      ++k;
    }
    if ((flags & 2) != 0) {
      if (column_bytes == 8) {
        word = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(word)));
      } else {
        const auto whole = static_cast<std::int32_t>(static_cast<std::uint32_t>(word));
        word = std::bit_cast<std::uint32_t>(static_cast<float>(whole));
      }
    }
    words[i] = word;
  }
  // One entry more than rows marks a bitmap that others may refer to, also if there are no rows.
  kept.push_back(true);
  bitmaps.back() = (flags & 4) != 0 ? kept : Bitmap{};
  return words;
}

void undo(std::span<const std::byte> filtered, std::span<std::byte> raw) {
  Reader in{filtered};
  const std::size_t columns = in.number(2);
  const std::size_t row_bytes = in.number(2);
  const std::size_t head = in.number(2);
  require(in.number(2) == 0);
  const std::uint64_t first = in.number(8);
  require(columns >= 1 && columns <= 256 && row_bytes >= 1 && head < row_bytes && head <= raw.size());
  const std::size_t rows = (raw.size() - head) / row_bytes;
  const std::size_t tail = (raw.size() - head) % row_bytes;
  const auto head_bytes = in.take(head);
  const auto tail_bytes = in.take(tail);
  for (std::size_t i = 0; i < head; ++i) raw[i] = head_bytes[i];
  for (std::size_t i = 0; i < tail; ++i) raw[raw.size() - tail + i] = tail_bytes[i];

  std::vector<Bitmap> bitmaps;
  std::size_t offset = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::uint64_t form = in.number(1);
    const auto flags = static_cast<unsigned>(in.number(1));
    const std::size_t width = in.number(1);
    const auto shift = static_cast<unsigned>(in.number(1));
    const std::size_t bytes = in.number(2);
    const std::size_t like = in.number(2);
    const std::uint64_t bias = in.number(8);
    require(form <= 1 && bytes >= 1 && bytes <= row_bytes - offset);
    if (form == 0) {
      require(flags == 0 && width == 0 && shift == 0 && like == 0 && bias == 0);
      const auto stored = in.take(rows * bytes);
      for (std::size_t i = 0; i < rows * bytes; ++i) {
        raw[head + i / bytes * row_bytes + offset + i % bytes] = stored[i];
      }
      bitmaps.emplace_back();
    } else {
      bitmaps.emplace_back();
      const auto words = read_words(in, rows, first, bytes, flags, width, shift, like, bias, bitmaps);
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t b = 0; b < bytes; ++b) {
          const std::size_t place = (flags & 1) != 0 ? bytes - 1 - b : b;
          raw[head + i * row_bytes + offset + place] = static_cast<std::byte>(words[i] >> (8 * b));
        }
      }
    }
    offset += bytes;
  }
  require(offset == row_bytes && in.at == filtered.size());
}

}  // namespace

bool undo_columns(std::span<const std::byte> filtered, std::span<std::byte> raw) {
  try {
    undo(filtered, raw);
    return true;
  } catch (const NotAllowed&) {
    return false;
  }
}

}  // namespace mere::reference
