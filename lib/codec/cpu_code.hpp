#pragma once
// The hot loops of this room, once for each instruction set. Every table gives the same results to the bit.
// Included by code built for one CPU only: nothing of the C++ library but types may come in through here.

#include <cstddef>
#include <cstdint>

namespace mere::codec {

// The room that the state of a running XXH3 needs, and its alignment.
inline constexpr std::size_t kXxh3StateBytes = 576;
inline constexpr std::size_t kXxh3StateAlignment = 64;

// Least and greatest of words, as they are and with the bit `sign` turned; and the bits in which any two differ.
struct WordSurvey {
  std::uint64_t least = ~std::uint64_t{0}, greatest = 0;
  std::uint64_t turned_least = ~std::uint64_t{0}, turned_greatest = 0;
  std::uint64_t differs = 0;
};

struct CpuCode {
  const char* name;

  // XXH3, seed 0 (docs/format.md).
  std::uint64_t (*xxh3_64)(const void* bytes, std::size_t size);
  void (*xxh3_reset)(void* state);
  void (*xxh3_update)(void* state, const void* bytes, std::size_t size);
  void (*xxh3_finish_128)(const void* state, std::uint64_t* low, std::uint64_t* high);

  // Of the filter columns (docs/filters.md). Words are 64 bits; arithmetic wraps.
  // words[i] = (sum of planes[k * stride + i] << 8 k, k < width) << shift, + bias.
  void (*join_planes)(const std::uint8_t* planes, std::size_t stride, unsigned width, unsigned shift,
                      std::uint64_t bias, std::uint64_t* words, std::size_t count);
  // The same from whole numbers of `width` bytes, one after the other.
  void (*join_ordered)(const std::uint8_t* numbers, unsigned width, unsigned shift, std::uint64_t bias,
                       std::uint64_t* words, std::size_t count);
  // words[i] is the next of `kept` (+ row + i, if `rows`) where bit i of `bitmap` is set, else `common`. Returns the
  // number taken. Reads up to 8 words past those of `kept`. `count` words, 64 to a round: bitmap has whole bytes.
  std::size_t (*expand)(const std::uint64_t* kept, const std::uint8_t* bitmap, std::uint64_t common, bool rows,
                        std::uint64_t row, std::uint64_t* words, std::size_t count);
  void (*add_rows)(std::uint64_t* words, std::uint64_t row, std::size_t count);
  void (*to_double)(std::uint64_t* words, std::size_t count);  // from int64 to the bits of a double
  void (*to_float)(std::uint64_t* words, std::size_t count);   // from int32 in the low half to the bits of a float
  std::size_t (*count_bits)(const std::uint8_t* bitmap, std::size_t bytes);
  // A column of rows, `bytes` (1, 2, 4, 8) wide, from and to the low bytes of words.
  void (*load_column)(const std::uint8_t* rows, std::size_t row_bytes, unsigned bytes, bool big_endian,
                      std::uint64_t* words, std::size_t count);
  void (*store_column)(const std::uint64_t* words, std::size_t count, unsigned bytes, bool big_endian,
                       std::uint8_t* rows, std::size_t row_bytes);

  // Bytes of one plane: planes[k * stride + i] = words[i] >> (8 k + shift).
  void (*split_planes)(const std::uint64_t* words, std::size_t count, unsigned width, unsigned shift,
                       std::uint8_t* planes, std::size_t stride);
  // numbers: the low `width` bytes of words[i] >> shift.
  void (*split_ordered)(const std::uint64_t* words, std::size_t count, unsigned width, unsigned shift,
                        std::uint8_t* numbers);
  // False, and nothing is changed that matters, unless every word holds the bits of a double (float) that is a whole
  // number and comes back from an integer to the bit.
  bool (*from_double)(std::uint64_t* words, std::size_t count);
  bool (*from_float)(std::uint64_t* words, std::size_t count);
  // Adds words to what is known of those before them. `sign` is the highest bit of their column's numbers, `first` any
  // of the words.
  void (*survey)(const std::uint64_t* words, std::size_t count, std::uint64_t sign, std::uint64_t first,
                 WordSurvey* survey);
  // words[i] = (words[i] - less (- i, if `rows`)) & mask.
  void (*subtract)(std::uint64_t* words, std::size_t count, std::uint64_t less, bool rows, std::uint64_t mask);
  // differences[i] = (words[i + 1] - words[i]) & mask; so count + 1 words.
  void (*subtract_previous)(const std::uint64_t* words, std::size_t count, std::uint64_t mask,
                            std::uint64_t* differences);
  // Sets bitmap and kept: words that are not `common`. Writes up to 8 words past the last kept. Returns their number.
  std::size_t (*compact)(const std::uint64_t* words, std::uint64_t common, std::uint8_t* bitmap, std::uint64_t* kept,
                         std::size_t count);
};

extern const CpuCode kBaselineCode;
#if defined(__x86_64__)
extern const CpuCode kAvx2Code;
extern const CpuCode kAvx512Code;
#endif

// The best of them for this CPU; all those that it can run are at index 0 (baseline) to cpu_code_count() - 1.
const CpuCode& cpu_code() noexcept;
const CpuCode& cpu_code_at(std::size_t index) noexcept;
std::size_t cpu_code_count() noexcept;

}  // namespace mere::codec
