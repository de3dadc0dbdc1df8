#pragma once
// Rows of made-up columns for the tests of filters: every kind of value that a filter treats in a way of its own.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "codec/filter.hpp"

namespace mere::codec::test {

struct Rows {
  RowLayout layout;
  std::vector<std::byte> bytes;
};

inline std::uint64_t bits_of(double value, std::uint32_t bytes) {
  if (bytes == 8) return std::bit_cast<std::uint64_t>(value);
  if (bytes == 4) return std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16);
}

// The words of one column. `pattern` counts from 0; patterns past the last begin again.
inline std::vector<std::uint64_t> make_words(std::mt19937_64& random, unsigned pattern, const Column& column,
                                             std::size_t rows) {
  std::vector<std::uint64_t> words(rows);
  const bool real = column.content == Column::Content::real;
  const auto number = [&](double value) {
    return real ? bits_of(value, column.bytes) : static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  };
  const std::uint64_t extremes[] = {0,
                                    ~std::uint64_t{0},
                                    std::uint64_t{1} << (8 * column.bytes - 1),
                                    (std::uint64_t{1} << (8 * column.bytes - 1)) - 1,
                                    bits_of(-0.0, column.bytes),
                                    bits_of(std::numeric_limits<double>::quiet_NaN(), column.bytes),
                                    bits_of(std::numeric_limits<double>::infinity(), column.bytes),
                                    bits_of(std::numeric_limits<double>::denorm_min(), column.bytes),
                                    bits_of(9007199254740993.0, column.bytes),
                                    bits_of(2147483648.0, column.bytes),
                                    bits_of(-2147483648.0, column.bytes),
                                    0x7ff0000000000001};
  std::uint64_t sum = random();
  for (std::size_t i = 0; i < rows; ++i) {
    const double row = static_cast<double>(i);
    const auto below = [&](std::uint64_t n) { return static_cast<double>(random() % n); };
    switch (pattern % 14) {
      case 0: words[i] = number(7); break;
      case 1: words[i] = number(below(5)); break;
      case 2: words[i] = random(); break;
      case 3: words[i] = random() % 2 == 0 ? number(-1) : number(row + below(100)); break;  // children of a tree
      case 4: words[i] = number(row * 3); break;
      case 5: words[i] = sum += random() % 100; break;  // rising, by differences
      case 6: words[i] = random() % 3 == 0 ? number(below(1000) / 8) : number(-2); break;
      case 7: words[i] = random() % 50 == 0 ? bits_of(-0.0, column.bytes) : number(below(200)); break;
      case 8: words[i] = extremes[random() % std::size(extremes)]; break;
      case 9: words[i] = std::uint64_t{0xabcdef0123456789} * (1 + random() % 40); break;  // few, wide
      case 10: words[i] = number(below(100000) * 65536); break;                           // zeros below
      case 11: words[i] = i % 1000 == 999 ? random() : number(0); break;
      case 12: words[i] = number(-below(300)); break;
      default: words[i] = i == 0 ? extremes[random() % std::size(extremes)] : number(below(3)); break;
    }
  }
  return words;
}

inline Rows make_rows(std::uint64_t seed, std::size_t rows) {
  std::mt19937_64 random(seed);
  Rows made;
  const std::size_t count = 1 + random() % 8;
  std::uint32_t offset = 0;
  for (std::size_t c = 0; c < count; ++c) {
    Column column;
    column.offset = offset;
    const auto kind = random() % 8;
    column.content = kind == 0 ? Column::Content::other : kind < 5 ? Column::Content::integer : Column::Content::real;
    constexpr std::uint32_t kSizes[] = {8, 4, 2, 1};
    column.bytes = column.content == Column::Content::other  ? static_cast<std::uint32_t>(1 + random() % 11)
                   : column.content == Column::Content::real ? kSizes[random() % 3]
                                                             : kSizes[random() % 4];
    column.big_endian = random() % 4 == 0;
    offset += column.bytes;
    made.layout.columns.push_back(column);
  }
  made.layout.row_bytes = offset;
  made.bytes.resize(rows * offset);
  unsigned pattern = static_cast<unsigned>(random());
  for (const Column& column : made.layout.columns) {
    if (column.content == Column::Content::other) {
      for (std::size_t i = 0; i < rows * column.bytes; ++i) {
        made.bytes[i / column.bytes * offset + column.offset + i % column.bytes] = static_cast<std::byte>(random() % 3);
      }
      continue;
    }
    // Neighbours with the same pattern and seed share their places.
    std::mt19937_64 column_random(random() % 4 == 0 ? 1 : random());
    if (random() % 4 != 0) pattern = static_cast<unsigned>(random() >> 8);
    const auto words = make_words(column_random, pattern, column, rows);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::uint32_t b = 0; b < column.bytes; ++b) {
        const std::uint32_t place = column.big_endian ? column.bytes - 1 - b : b;
        made.bytes[i * offset + column.offset + place] = static_cast<std::byte>(words[i] >> (8 * b));
      }
    }
  }
  return made;
}

}  // namespace mere::codec::test
