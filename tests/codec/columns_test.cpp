#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "codec/columns_filter.hpp"
#include "codec/cpu_code.hpp"
#include "codec/random_rows.hpp"
#include "reference/columns_plain.hpp"

namespace {

using namespace mere::codec;
using mere::Error;
using mere::Reason;
using mere::codec::test::make_rows;
using mere::codec::test::Rows;
using Bytes = std::vector<std::byte>;

constexpr RowLayout kNothingKnown{};

RowLayout one_column(std::uint32_t bytes, Column::Content content, bool big_endian = false) {
  return {bytes, {{0, bytes, content, big_endian}}};
}

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// Filters and un-filters `raw`; returns the length of the filtered bytes, or 0 if the filter had nothing to offer.
std::size_t round_trip(std::span<const std::byte> raw, const RowLayout& layout, std::uint64_t first_byte = 0) {
  const ColumnsFilter filter;
  FilterScratch scratch;
  Bytes filtered;
  if (!filter.encode(raw, layout, {first_byte}, filtered, scratch)) {
    CHECK(filtered.empty());
    return 0;
  }
  CHECK(filtered.size() <= filter.bound(raw.size()));
  Bytes back(raw.size(), std::byte{0xee});
  filter.decode(filtered, back, scratch);
  CHECK(std::equal(back.begin(), back.end(), raw.begin(), raw.end()));
  return filtered.size();
}

TEST_CASE("columns: any rows of any layout come back to the bit, by every code and by the plain reference") {
  std::size_t filtered_blocks = 0;
  FilterScratch scratch;  // kept over all of them, as a thread does
  Bytes filtered, other;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const std::size_t counts[] = {64, 65, 100, 127, 200, 500, 1024, 1025, 3000};
    const Rows rows = make_rows(seed, counts[seed % std::size(counts)]);
    // The block begins and ends anywhere in the array.
    const std::size_t skip = seed % 3 == 0 ? 0 : (seed * 7919) % (2 * rows.layout.row_bytes);
    const std::size_t drop = seed % 2 == 0 ? 0 : (seed * 104729) % rows.layout.row_bytes;
    const auto raw = std::span(rows.bytes).subspan(skip, rows.bytes.size() - skip - drop);
    const ColumnsFilter filter(cpu_code_at(0));
    if (!filter.encode(raw, rows.layout, {skip}, filtered, scratch)) continue;
    ++filtered_blocks;
    Bytes plain(raw.size(), std::byte{1});
    REQUIRE(mere::reference::undo_columns(filtered, plain));
    CHECK(std::equal(plain.begin(), plain.end(), raw.begin(), raw.end()));
    for (std::size_t i = 0; i < cpu_code_count(); ++i) {
      CAPTURE(seed);
      CAPTURE(cpu_code_at(i).name);
      const ColumnsFilter variant(cpu_code_at(i));
      REQUIRE(variant.encode(raw, rows.layout, {skip}, other, scratch));
      CHECK(other == filtered);
      Bytes back(raw.size(), std::byte{2});
      variant.decode(filtered, back, scratch);
      CHECK(std::equal(back.begin(), back.end(), raw.begin(), raw.end()));
    }
  }
  CHECK(filtered_blocks > 300);
}

TEST_CASE("columns: blocks of few rows, or of none, are left alone") {
  const Rows rows = make_rows(3, 64);
  for (std::size_t length = 0; length < rows.bytes.size(); length += 7) {
    CHECK(round_trip(std::span(rows.bytes).first(length), rows.layout) == 0);
  }
}

TEST_CASE("columns: rows that are not known, too long, overlapping, or with gaps are left alone") {
  const Bytes raw(100000, std::byte{5});
  using enum Column::Content;
  CHECK(round_trip(raw, kNothingKnown) == 0);
  CHECK(round_trip(raw, {8, {}}) == 0);
  CHECK(round_trip(raw, {8, {{0, 4, integer, false}}}) == 0);
  CHECK(round_trip(raw, {8, {{0, 4, integer, false}, {2, 4, integer, false}}}) == 0);
  CHECK(round_trip(raw, {8, {{0, 8, integer, false}, {8, 0, integer, false}}}) == 0);
  CHECK(round_trip(raw, {8, {{4, 4, integer, false}, {0, 3, other, false}}}) == 0);
  CHECK(round_trip(raw, {65536, {{0, 65536, other, false}}}) == 0);
  RowLayout many{257, {}};
  for (std::uint32_t i = 0; i < 257; ++i) many.columns.push_back({i, 1, integer, false});
  CHECK(round_trip(raw, many) == 0);
}

TEST_CASE("columns: the order of the layout's columns does not matter") {
  using enum Column::Content;
  std::vector<std::uint32_t> values(4000);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::uint32_t>(i % 2 == 0 ? i : i * 977 % 300);
  const Bytes raw = bytes_of(values);
  const RowLayout sorted{8, {{0, 4, integer, false}, {4, 4, integer, false}}};
  const RowLayout turned{8, {{4, 4, integer, false}, {0, 4, integer, false}}};
  CHECK(round_trip(raw, sorted) > 0);
  CHECK(round_trip(raw, sorted) == round_trip(raw, turned));
}

TEST_CASE("columns: constant columns cost nothing a row") {
  using enum Column::Content;
  const std::size_t size =
      round_trip(Bytes(56 * 5000, std::byte{0x3f}), {56, {{0, 8, integer, false}, {8, 48, other, false}}});
  CHECK(size < 5000 * 48 + 1000);
  CHECK(round_trip(bytes_of(std::vector<double>(5000, -0.0)), one_column(8, real)) < 1000);
}

TEST_CASE("columns: row numbers are subtracted after the commonest value is left out, also past the first block") {
  std::vector<std::int64_t> children(20000);
  for (std::size_t i = 0; i < children.size(); ++i) {
    children[i] = i * 2654435761 % 7 < 3 ? -1 : static_cast<std::int64_t>(i + 1 + i % 3);
  }
  const Bytes raw = bytes_of(children);
  const auto layout = one_column(8, Column::Content::integer);
  // A bitmap, and one byte for each that is kept.
  CHECK(round_trip(raw, layout) < children.size() / 8 + children.size() + 100);
  const auto later = std::span(raw).subspan(80003);
  const std::size_t size = round_trip(later, layout, 80003);
  CHECK(size > 0);
  CHECK(size < children.size() / 8 + children.size() + 100);
}

TEST_CASE("columns: rising numbers are stored as differences, whatever the first one is") {
  std::vector<std::int64_t> times(10000);
  std::int64_t now = 1700000000000000000;
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = now += static_cast<std::int64_t>(1000 + i * 7919 % 200);
  CHECK(round_trip(bytes_of(times), one_column(8, Column::Content::integer)) < times.size() + 100);
}

TEST_CASE(
    "columns: doubles that are whole numbers are stored as integers, and one -0.0 or NaN among them is not lost") {
  std::vector<double> counts(10000);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<double>(i * 7919 % 251) - 100;
  const auto layout = one_column(8, Column::Content::real);
  CHECK(round_trip(bytes_of(counts), layout) < counts.size() + 100);
  counts[5000] = -0.0;
  CHECK(round_trip(bytes_of(counts), layout) > 0);
  counts[5000] = std::bit_cast<double>(std::uint64_t{0x7ff8000000abcdef});
  CHECK(round_trip(bytes_of(counts), layout) > 0);
  std::vector<float> floats(10000);
  for (std::size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<float>(i * 7919 % 251);
  CHECK(round_trip(bytes_of(floats), one_column(4, Column::Content::real)) < floats.size() + 100);
}

TEST_CASE("columns: columns that leave out the same rows share one bitmap") {
  using enum Column::Content;
  std::vector<std::int64_t> pairs(20000);
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const bool leaf = i * 2654435761 % 5 < 2;
    pairs[i] = leaf ? -1 : static_cast<std::int64_t>(i % 200);
    pairs[i + 1] = leaf ? -2 : static_cast<std::int64_t>(i * 31 % 200);
  }
  const std::size_t both = round_trip(bytes_of(pairs), {16, {{0, 8, integer, false}, {8, 8, integer, false}}});
  CHECK(both < 10000 / 8 + 2 * 6100 + 100);
}

TEST_CASE("columns: random bytes and rows that repeat are left to the codec") {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> noise(20000);
  for (auto& word : noise) word = random();
  CHECK(round_trip(bytes_of(noise), one_column(8, Column::Content::integer)) == 0);
}

TEST_CASE("columns: the same bytes give the same output, whatever the scratch memory held") {
  const Rows rows = make_rows(11, 2000);
  const ColumnsFilter filter;
  FilterScratch fresh, used;
  Bytes a, b;
  const bool offered = filter.encode(rows.bytes, rows.layout, {0}, a, fresh);
  const Rows others = make_rows(12, 9000);
  filter.encode(others.bytes, others.layout, {0}, b, used);
  CHECK(filter.encode(rows.bytes, rows.layout, {0}, b, used) == offered);
  CHECK(a == b);
}

TEST_CASE("filters: the table finds those it has, by number") {
  const FilterTable table = array_filters();
  REQUIRE(table.find(1) != nullptr);
  CHECK(table.find(1)->name() == "columns");
  CHECK(table.find(0) == nullptr);
  CHECK(table.find(2) == nullptr);
  CHECK(table.find_group(128) == nullptr);
  CHECK(FilterTable{}.find(1) == nullptr);
}

}  // namespace
