#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <random>
#include <vector>

#include "codec/cpu_code.hpp"

namespace {

using namespace mere::codec;
using Words = std::vector<std::uint64_t>;

Words random_words(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Words words(count);
  for (auto& word : words) {
    switch (random() % 4) {
      case 0: word = random(); break;
      case 1: word = random() % 3; break;
      case 2: word = std::bit_cast<std::uint64_t>(static_cast<double>(random() % 1000)); break;
      default: word = 0 - random() % 100; break;
    }
  }
  return words;
}

// Calls `work` with baseline and each other code, on all counts around the widths of vectors.
template <class Work>
void for_all(const Work& work) {
  for (std::size_t i = 0; i < cpu_code_count(); ++i) {
    CAPTURE(cpu_code_at(i).name);
    for (std::size_t count = 0; count < 70; ++count) work(cpu_code_at(0), cpu_code_at(i), count);
    work(cpu_code_at(0), cpu_code_at(i), 1024);
  }
}

TEST_CASE("cpu code: planes and numbers split and join again, for every width and shift, as in baseline") {
  for_all([](const CpuCode& baseline, const CpuCode& code, std::size_t count) {
    const Words words = random_words(count, count);
    for (unsigned width = 0; width <= 8; ++width) {
      for (const unsigned shift : {0U, 1U, 13U, 40U, 63U}) {
        std::vector<std::uint8_t> planes(width * count + 1), expected(width * count + 1);
        baseline.split_planes(words.data(), count, width, shift, expected.data(), count);
        code.split_planes(words.data(), count, width, shift, planes.data(), count);
        REQUIRE(planes == expected);
        Words joined(count + 1), expected_words(count + 1);
        code.join_planes(planes.data(), count, width, shift, 77, joined.data(), count);
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint64_t low = width == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * width)) - 1;
          expected_words[i] = (((words[i] >> shift) & low) << shift) + 77;
        }
        REQUIRE(joined == expected_words);
        code.split_ordered(words.data(), count, width, shift, planes.data());
        code.join_ordered(planes.data(), width, shift, 77, joined.data(), count);
        REQUIRE(joined == expected_words);
      }
    }
  });
}

TEST_CASE("cpu code: compact and expand are each other's reverse, as in baseline") {
  for_all([](const CpuCode& baseline, const CpuCode& code, std::size_t count) {
    Words words = random_words(count + 100, count);
    std::vector<std::uint8_t> bitmap(count / 8 + 1), expected_bitmap(count / 8 + 1);
    Words kept(count + 16), expected_kept(count + 16);
    const std::size_t taken = code.compact(words.data(), 1, bitmap.data(), kept.data(), count);
    REQUIRE(taken == baseline.compact(words.data(), 1, expected_bitmap.data(), expected_kept.data(), count));
    REQUIRE(bitmap == expected_bitmap);
    for (std::size_t i = 0; i < taken; ++i) REQUIRE(kept[i] == expected_kept[i]);
    REQUIRE(code.count_bits(bitmap.data(), bitmap.size()) == taken);
    Words back(count);
    REQUIRE(code.expand(kept.data(), bitmap.data(), 1, false, 999, back.data(), count) == taken);
    REQUIRE(back == words);
    code.expand(kept.data(), bitmap.data(), 1, true, 999, back.data(), count);
    for (std::size_t i = 0; i < count; ++i) REQUIRE(back[i] == (words[i] == 1 ? 1 : words[i] + 999 + i));
    code.add_rows(words.data(), 5, count);
    for (std::size_t i = 0; i < count; ++i) REQUIRE(words[i] - 5 - i == random_words(count + 100, count)[i]);
  });
}

TEST_CASE("cpu code: columns come out of rows and go back, in either byte order") {
  for_all([](const CpuCode&, const CpuCode& code, std::size_t count) {
    for (const unsigned bytes : {1U, 2U, 4U, 8U}) {
      for (const bool big : {false, true}) {
        std::mt19937 random(static_cast<unsigned>(count));
        std::vector<std::uint8_t> rows(11 * count + 8), back(11 * count + 8);
        for (auto& b : rows) b = static_cast<std::uint8_t>(random());
        Words words(count);
        code.load_column(rows.data() + 2, 11, bytes, big, words.data(), count);
        for (std::size_t i = 0; i < count; ++i) {
          std::uint64_t word = 0;
          for (unsigned b = 0; b < bytes; ++b) {
            word |= static_cast<std::uint64_t>(rows[2 + 11 * i + (big ? bytes - 1 - b : b)]) << (8 * b);
          }
          REQUIRE(words[i] == word);
        }
        code.store_column(words.data(), count, bytes, big, back.data() + 2, 11);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const bool inside = i >= 2 && (i - 2) / 11 < count && (i - 2) % 11 < bytes;
          REQUIRE(back[i] == (inside ? rows[i] : 0));
        }
      }
    }
  });
}

TEST_CASE("cpu code: only whole numbers whose bits come back become integers") {
  const double not_whole[] = {-0.0,
                              0.5,
                              -1e-300,
                              9007199254740992.0,
                              1e300,
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::denorm_min()};
  for_all([&](const CpuCode&, const CpuCode& code, std::size_t count) {
    Words doubles(count), floats(count), integers(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto whole = static_cast<std::int64_t>(i * 7919 % 16777216) * (i % 2 == 0 ? 1 : -1);
      const double real = i == 0 ? 9007199254740991.0 : static_cast<double>(whole);
      doubles[i] = std::bit_cast<std::uint64_t>(real);
      floats[i] = std::bit_cast<std::uint32_t>(static_cast<float>(whole));
    }
    const Words given = doubles, given_floats = floats;
    REQUIRE(code.from_double(doubles.data(), count));
    for (std::size_t i = 1; i < count; ++i)
      REQUIRE(std::bit_cast<double>(given[i]) == static_cast<double>(static_cast<std::int64_t>(doubles[i])));
    code.to_double(doubles.data(), count);
    REQUIRE(doubles == given);
    REQUIRE(code.from_float(floats.data(), count));
    code.to_float(floats.data(), count);
    REQUIRE(floats == given_floats);
    for (const double real : not_whole) {
      if (count == 0) continue;
      Words spoiled = given;
      spoiled[count - 1] = std::bit_cast<std::uint64_t>(real);
      const Words before = spoiled;
      REQUIRE_FALSE(code.from_double(spoiled.data(), count));
      REQUIRE(spoiled == before);
      if (real == 9007199254740992.0) continue;  // too large for an integer of 4 bytes, and so for another reason
      spoiled = given_floats;
      spoiled[count - 1] = std::bit_cast<std::uint32_t>(static_cast<float>(real == 0.5       ? 0.5
                                                                           : real == -1e-300 ? -1e-30
                                                                                             : real));
      if (spoiled[count - 1] == 0) continue;  // the least double is 0 as a float
      REQUIRE_FALSE(code.from_float(spoiled.data(), count));
    }
  });
}

TEST_CASE("cpu code: any integer becomes the nearest double or float, as in baseline") {
  for_all([](const CpuCode&, const CpuCode& code, std::size_t count) {
    const Words words = random_words(count + 7, count);
    Words doubles = words, floats = words;
    code.to_double(doubles.data(), count);
    code.to_float(floats.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(doubles[i] == std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(words[i]))));
      REQUIRE(floats[i] == std::bit_cast<std::uint32_t>(
                               static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(words[i])))));
    }
  });
}

TEST_CASE("cpu code: the range is that of unsigned numbers, or of signed ones by their flipped sign") {
  for_all([](const CpuCode&, const CpuCode& code, std::size_t count) {
    if (count == 0) return;
    const Words words = random_words(count + 3, count);
    std::uint64_t least = 0, greatest = 0, low = ~std::uint64_t{0}, high = 0;
    code.range(words.data(), count, 0x80, &least, &greatest);
    for (const std::uint64_t word : words) {
      low = std::min(low, word ^ 0x80);
      high = std::max(high, word ^ 0x80);
    }
    REQUIRE(least == low);
    REQUIRE(greatest == high);
  });
}

}  // namespace
