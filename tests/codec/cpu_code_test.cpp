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

TEST_CASE(
    "cpu code: columns come out of rows and go back, in either byte order, also where nothing lies between them") {
  for_all([](const CpuCode&, const CpuCode& code, std::size_t count) {
    for (const std::size_t bytes : {1U, 2U, 4U, 8U}) {
      for (const std::size_t row_bytes : {std::size_t{11}, bytes}) {
        for (const bool big : {false, true}) {
          std::mt19937 random(static_cast<unsigned>(count));
          std::vector<std::uint8_t> rows(row_bytes * count + 8), back(row_bytes * count + 8);
          for (auto& b : rows) b = static_cast<std::uint8_t>(random());
          Words words(count);
          code.load_column(rows.data() + 2, row_bytes, static_cast<unsigned>(bytes), big, words.data(), count);
          for (std::size_t i = 0; i < count; ++i) {
            std::uint64_t word = 0;
            for (std::size_t b = 0; b < bytes; ++b) {
              word |= static_cast<std::uint64_t>(rows[2 + row_bytes * i + (big ? bytes - 1 - b : b)]) << (8 * b);
            }
            REQUIRE(words[i] == word);
          }
          code.store_column(words.data(), count, static_cast<unsigned>(bytes), big, back.data() + 2, row_bytes);
          for (std::size_t i = 0; i < rows.size(); ++i) {
            const bool inside = i >= 2 && (i - 2) / row_bytes < count && (i - 2) % row_bytes < bytes;
            REQUIRE(back[i] == (inside ? rows[i] : 0));
          }
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

TEST_CASE("cpu code: a survey holds the ends of the words with and without their sign, and the bits that differ") {
  for_all([](const CpuCode&, const CpuCode& code, std::size_t count) {
    Words words = random_words(count + 3, count);
    if (count % 2 == 0) {
      for (auto& word : words) word = word << 5 | 9;
    }
    const std::size_t half = count / 2;
    const std::uint64_t first = count == 0 ? 0 : words[0];
    WordSurvey survey, expected;
    code.survey(words.data(), half, 0x80, first, &survey);
    code.survey(words.data() + half, count - half, 0x80, first, &survey);
    for (const std::uint64_t word : words) {
      expected.least = std::min(expected.least, word);
      expected.greatest = std::max(expected.greatest, word);
      expected.turned_least = std::min(expected.turned_least, word ^ 0x80);
      expected.turned_greatest = std::max(expected.turned_greatest, word ^ 0x80);
      for (const std::uint64_t other : words) expected.differs |= word ^ other;
    }
    REQUIRE(survey.least == expected.least);
    REQUIRE(survey.greatest == expected.greatest);
    REQUIRE(survey.turned_least == expected.turned_least);
    REQUIRE(survey.turned_greatest == expected.turned_greatest);
    REQUIRE(survey.differs == expected.differs);
  });
}

TEST_CASE("cpu code: subtracts a number, the row, or the word before") {
  for_all([](const CpuCode&, const CpuCode& code, std::size_t count) {
    const Words words = random_words(count + 5, count + 1);
    for (const std::uint64_t mask : {~std::uint64_t{0}, std::uint64_t{0xffff}}) {
      Words plain = words, rows = words, previous(count + 1, 7);
      code.subtract(plain.data(), count, 1000, false, mask);
      code.subtract(rows.data(), count, 1000, true, mask);
      code.subtract_previous(words.data(), count, mask, previous.data());
      for (std::size_t i = 0; i < count; ++i) {
        REQUIRE(plain[i] == ((words[i] - 1000) & mask));
        REQUIRE(rows[i] == ((words[i] - 1000 - i) & mask));
        REQUIRE(previous[i] == ((words[i + 1] - words[i]) & mask));
      }
      REQUIRE(plain[count] == words[count]);
      REQUIRE(rows[count] == words[count]);
      REQUIRE(previous[count] == 7);
    }
  });
}

}  // namespace
