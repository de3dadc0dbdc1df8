#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "codec/columns_filter.hpp"

namespace {

using namespace mere::codec;

TEST_CASE("columns: records of a tree come back to the bit") {
  struct Record {
    std::int64_t left, right;
    double threshold, weight;
  };
  std::mt19937_64 random(1);
  std::vector<Record> rows(5000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool leaf = random() % 2 == 0;
    rows[i] = {leaf ? -1 : static_cast<std::int64_t>(i + 1), leaf ? -1 : static_cast<std::int64_t>(i + random() % 200),
               leaf ? -2.0 : static_cast<double>(random() % 100000) / 7, static_cast<double>(random() % 1000)};
  }
  RowLayout layout{32, {{0, 8, Column::Content::integer, false}, {8, 8, Column::Content::integer, false},
                        {16, 8, Column::Content::real, false}, {24, 8, Column::Content::real, false}}};
  const auto bytes = std::as_bytes(std::span(rows));
  const ColumnsFilter filter;
  FilterScratch scratch;
  std::vector<std::byte> out;
  for (std::size_t first : {0, 5, 32, 100}) {
    const auto raw = bytes.subspan(first);
    REQUIRE(filter.encode(raw, layout, {first}, out, scratch));
    CHECK(out.size() < raw.size() / 2);
    CHECK(out.size() <= filter.bound(raw.size()));
    std::vector<std::byte> back(raw.size());
    filter.decode(out, back, scratch);
    CHECK(std::memcmp(back.data(), raw.data(), raw.size()) == 0);
  }
}

}  // namespace
