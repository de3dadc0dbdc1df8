#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "codec/columns_filter.hpp"
#include "treefilter/tree_file.hpp"

namespace mere::treefilter {
namespace {

bool comes_back(const TreeFile& tree) {
  Bytes filtered;
  REQUIRE(encode(tree, filtered));
  const TreeFile back = decode(filtered, tree.count, tree.node_bytes, tree.columns);
  return back.nodes == tree.nodes && back.values == tree.values;
}

std::size_t filtered_bytes(const TreeFile& tree) {
  Bytes filtered;
  REQUIRE(encode(tree, filtered));
  return filtered.size();
}

// Of both arrays alone.
std::size_t column_bytes(const TreeFile& tree) {
  codec::FilterScratch scratch;
  const auto layouts = tree.layouts();
  std::size_t total = 0;
  Bytes filtered;
  for (std::size_t k = 0; k < 2; ++k) {
    const Bytes& raw = k == 0 ? tree.nodes : tree.values;
    total += codec::ColumnsFilter().encode(raw, layouts[k], {}, filtered, scratch) ? filtered.size() : raw.size();
  }
  return total;
}

TEST_CASE("trees of every kind and version come back, from less than the filter of columns keeps") {
  const auto files = tree_files();
  REQUIRE(files.size() >= 43);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    const TreeFile tree = read_tree(file);
    CHECK(comes_back(tree));
    if (tree.count >= 160) CHECK(filtered_bytes(tree) < column_bytes(tree));  // parts of few rows are not filtered
  }
}

TEST_CASE("what is derived: trees of whole counts need no correction at all") {
  // Bytes 4 and 5 hold the flags; from 8 on they are corrections.
  const auto flags = [](const std::string& name) {
    Bytes filtered;
    REQUIRE(encode(read_tree(name), filtered));
    return std::to_integer<unsigned>(filtered[4]) | std::to_integer<unsigned>(filtered[5]) << 8;
  };
  constexpr unsigned kExcess = 2, kLeafWeight = 256;
  CHECK(flags("pure-1.0.2") == (kExcess | kLeafWeight));
  CHECK(flags("mixed-1.0.2") == kExcess);
  CHECK(flags("outputs-1.0.2") == (kExcess | kLeafWeight));
  CHECK((flags("pure-1.9.1") & ~4U) == (kExcess | kLeafWeight));
  CHECK((flags("mixed-1.9.1") & ~4U) == kExcess);
  // The order in which leaves are split is not that of a walk: then children are kept.
  CHECK((flags("best_first-1.0.2") & 1U) == 1U);
}

TEST_CASE("any word of any node may differ from what is derived") {
  for (const char* name : {"pure-1.0.2", "mixed-1.9.1", "weighted-1.9.1", "regressor-1.9.1", "entropy-1.3.2"}) {
    CAPTURE(std::string(name));
    const TreeFile tree = read_tree(std::string(name));
    std::mt19937_64 random(1);
    for (int round = 0; round < 60; ++round) {
      TreeFile other = tree;
      const std::size_t node = random() % tree.count;
      const std::uint64_t changes[] = {random(), 1, std::uint64_t{1} << (random() % 64)};
      const std::uint64_t change = changes[round % 3];
      const std::size_t field = random() % (7 + tree.columns);
      if (field < 7) {
        if (field < 2) continue;  // of children, below
        other.set(node, 8 * field, other.get<std::uint64_t>(node, 8 * field) ^ change);
      } else {
        std::uint64_t word;
        std::byte* at = other.values.data() + (node * tree.columns + field - 7) * 8;
        std::memcpy(&word, at, 8);
        word ^= change;
        std::memcpy(at, &word, 8);
      }
      CHECK(comes_back(other));
      // One word costs its own part more, and no field as a whole.
      CHECK(filtered_bytes(other) <= filtered_bytes(tree) + 8 * tree.count * (tree.columns + 2) + 300);
    }
    if (tree.node_bytes == 64) {
      for (const std::size_t node : {std::size_t{0}, std::size_t{1}, tree.count - 1}) {
        TreeFile other = tree;
        other.set(node, 56, std::uint8_t{7});
        CHECK(comes_back(other));
      }
    }
  }
}

TEST_CASE("numbers that are none, infinite, tiny and negative zeros come back") {
  const double odd[] = {std::numeric_limits<double>::quiet_NaN(),  -std::numeric_limits<double>::infinity(), -0.0,
                        std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(),       1e-300};
  for (const char* name : {"pure-1.0.2", "mixed-1.0.2", "mixed-1.9.1", "weighted_mixed-1.9.1", "regressor-1.9.1"}) {
    const TreeFile tree = read_tree(std::string(name));
    std::mt19937 random(2);
    for (const double number : odd) {
      for (int round = 0; round < 8; ++round) {
        TreeFile other = tree;
        for (int k = 0; k < 3; ++k) {
          const std::size_t node = random() % tree.count;
          other.set(node, 8 * (3 + random() % 4), number);
          other.set_value(random() % tree.count, random() % tree.columns, number);
          if (round % 2 == 0) other.set(0, 48, number);
        }
        CHECK(comes_back(other));
      }
    }
  }
}

TEST_CASE("children in any order behind their parents are kept; others are not taken") {
  TreeFile tree = read_tree(std::string("pure-1.9.1"));
  std::swap_ranges(tree.nodes.begin(), tree.nodes.begin() + 8, tree.nodes.begin() + 8);
  CHECK(comes_back(tree));
  tree.set(0, 0, static_cast<std::uint64_t>(tree.count - 1));  // two parents
  CHECK(comes_back(tree));
  Bytes filtered;
  for (const std::uint64_t child :
       {std::uint64_t{0}, std::uint64_t{tree.count}, ~std::uint64_t{0}, ~std::uint64_t{1}}) {
    TreeFile other = tree;
    other.set(0, 8, child);
    CHECK(!encode(other, filtered));
    CHECK(filtered.empty());
  }
  // A byte that no field covers.
  tree.nodes[60] = std::byte{1};
  CHECK(!encode(tree, filtered));
}

TEST_CASE("random trees, one node, many columns") {
  std::mt19937 random(3);
  for (int round = 0; round < 150; ++round) {
    CAPTURE(round);
    const std::size_t columns = round % 10 == 0 ? 256 : 1 + random() % 9;
    TreeFile tree = random_tree(random, 1 + random() % 400, round % 2 == 0, columns);
    CHECK(comes_back(tree));
    // Sums that fit are found whatever the rest.
    for (std::size_t i = 0; i < tree.count; ++i) {
      double total = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        const double number = round % 3 == 0 ? static_cast<double>(random() % 5) : c == 0 ? 1.0 : 0.0;
        tree.set_value(i, c, number);
        total += number;
      }
      tree.set(i, 48, total);
    }
    CHECK(comes_back(tree));
  }
}

TEST_CASE("match: the nodes of a tree and a row of doubles for each, nothing else") {
  const TreeFile tree = read_tree(std::string("pure-1.9.1"));
  const auto layouts = tree.layouts();
  const std::uint64_t bytes[] = {tree.nodes.size(), tree.values.size(), 64};
  const TreeFilter filter;
  CHECK(filter.match(layouts, bytes) == 2);
  CHECK(filter.match(std::span(layouts).first(1), std::span(bytes).first(1)) == 0);
  CHECK(filter.match(std::span(layouts).subspan(1), std::span(bytes).subspan(1)) == 0);
  const std::uint64_t other_rows[] = {tree.nodes.size(), tree.values.size() - 8 * tree.columns};
  CHECK(filter.match(layouts, other_rows) == 0);
  const std::uint64_t no_rows[] = {0, 0};
  CHECK(filter.match(layouts, no_rows) == 0);
  const auto with = [&](auto change) {
    auto others = layouts;
    change(others);
    return filter.match(others, bytes);
  };
  CHECK(with([](auto& l) { l[0].columns[0].big_endian = true; }) == 0);
  CHECK(with([](auto& l) { l[0].columns[3].content = codec::Column::Content::integer; }) == 0);
  CHECK(with([](auto& l) { l[1].columns[0].content = codec::Column::Content::integer; }) == 0);
  CHECK(with([](auto& l) { std::swap(l[0], l[1]); }) == 0);
  CHECK(with([](auto& l) { l[1] = {}; }) == 0);
}

TEST_CASE("damage: any byte changed and any cut is an error or gives some bytes, of the size asked for") {
  for (const char* name :
       {"pure-1.0.2", "mixed-1.9.1", "weighted_mixed-1.9.1", "best_first-1.9.1", "regressor-1.9.1"}) {
    const TreeFile tree = read_tree(std::string(name));
    Bytes filtered;
    REQUIRE(encode(tree, filtered));
    std::size_t refused = 0;
    const auto try_decode = [&](const Bytes& bytes, std::size_t count) {
      try {
        decode(bytes, count, tree.node_bytes, tree.columns);
      } catch (const Error& error) {
        CHECK(error.reason() == Reason::bad_stream);
        ++refused;
      }
    };
    for (std::size_t at = 0; at < filtered.size(); at += at < 300 ? 1 : 17) {
      Bytes other = filtered;
      other[at] ^= std::byte{static_cast<unsigned char>(1U << (at % 8))};
      try_decode(other, tree.count);
      other[at] = std::byte{0xff};
      try_decode(other, tree.count);
    }
    for (std::size_t length = 0; length < filtered.size(); length += length < 100 ? 1 : 13) {
      const std::size_t before = refused;
      try_decode(Bytes(filtered.begin(), filtered.begin() + static_cast<std::ptrdiff_t>(length)), tree.count);
      CHECK(refused == before + 1);
    }
    const std::size_t before = refused;
    try_decode(filtered, tree.count - 1);
    try_decode(filtered, tree.count + 1);
    try_decode(filtered, 0);
    Bytes longer = filtered;
    longer.push_back(std::byte{0});
    try_decode(longer, tree.count);
    CHECK(refused == before + 4);
  }
}

}  // namespace
}  // namespace mere::treefilter
