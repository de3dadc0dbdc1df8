#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <mere/diff.hpp>
#include "graph/random_graph.hpp"
#include "graph/written.hpp"

using namespace mere;
using test::write;
using test::Written;

namespace {

// {"name": text, "coef": values, "pair": [x, x] or [x, y]}
Written small(const char* text, const std::vector<double>& values, bool shared = true) {
  Graph g;
  const std::int64_t shape[] = {static_cast<std::int64_t>(values.size())};
  const NodeId array = g.array(Dtype::of<double>(), shape, Graph::Order::c,
                               {reinterpret_cast<const std::byte*>(values.data()), nullptr});
  const NodeId x = g.list();
  const NodeId pair[] = {x, shared ? x : g.list()};
  const std::pair<NodeId, NodeId> entries[] = {
      {g.text("name"), g.text(text)}, {g.text("coef"), array}, {g.text("pair"), g.list(pair)}};
  g.model_root = g.dict(entries);
  return write(g);
}

}  // namespace

TEST_CASE("diff: equal files have no differences") {
  const Written a = small("a", {1, 2, 3}), b = small("a", {1, 2, 3});
  CHECK(diff(a.root(), b.root()).same());
}

TEST_CASE("diff: a changed value is told by its path and both texts") {
  const Written a = small("a", {1, 2, 3}), b = small("b", {1, 2, 3});
  const DiffResult result = diff(a.root(), b.root());
  REQUIRE(result.count == 1);
  CHECK(result.differences[0].change == Change::value);
  CHECK(result.differences[0].path == "name");
  CHECK(result.differences[0].first == "\"a\"");
  CHECK(result.differences[0].second == "\"b\"");
}

TEST_CASE("diff: elements that differ are counted, with the largest distances and the first place") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Written a = small("a", {1, 2, nan, 4, 0.0}), b = small("a", {1, 2.5, nan, 3, -0.0});
  const DiffResult result = diff(a.root(), b.root());
  REQUIRE(result.count == 1);
  const Difference& found = result.differences[0];
  CHECK(found.change == Change::elements);
  CHECK(found.path == "coef");
  REQUIRE(found.elements.size() == 1);
  CHECK(found.elements[0].differing == 3);
  CHECK(found.elements[0].values == 5);
  CHECK(found.elements[0].max_absolute == 1.0);
  CHECK(found.elements[0].max_relative == 0.25);
  CHECK(found.elements[0].first_index == std::vector<std::int64_t>{1});
}

TEST_CASE("diff: shapes and sharing are differences of their own") {
  const Written a = small("a", {1, 2, 3}), b = small("a", {1, 2}, false);
  const DiffResult result = diff(a.root(), b.root());
  REQUIRE(result.count == 2);
  CHECK(result.differences[0].change == Change::shape);
  CHECK(result.differences[0].first == "(3,)");
  CHECK(result.differences[1].change == Change::sharing);
  CHECK(result.differences[1].path == "pair[1]");
  DiffOptions options;
  options.ignore_sharing = true;
  CHECK(diff(a.root(), b.root(), options).count == 1);
}

TEST_CASE("diff: keys added, removed and moved") {
  const auto make = [](std::vector<std::string> keys) {
    Graph g;
    std::vector<NodeId> members;
    for (const std::string& key : keys) {
      members.push_back(g.text(key));
      members.push_back(g.list());
    }
    g.model_root = g.dict();
    g.fill(g.model_root, members);
    return write(g);
  };
  const Written a = make({"a", "b", "c"}), b = make({"c", "b", "d"});
  const DiffResult result = diff(a.root(), b.root());
  REQUIRE(result.count == 3);
  CHECK(result.differences[0].change == Change::order);
  CHECK(result.differences[1].change == Change::removed);
  CHECK(result.differences[1].path == "a");
  CHECK(result.differences[2].change == Change::added);
  CHECK(result.differences[2].path == "d");
  CHECK(result.differences[2].second == "list");
}

TEST_CASE("diff: beyond the limit, differences are counted only") {
  const auto make = [](std::int64_t count) {
    Graph g;
    std::vector<NodeId> items;
    for (std::int64_t i = 0; i < count; ++i) items.push_back(g.integer(i));
    g.model_root = g.list(items);
    return write(g);
  };
  const Written a = make(10), b = make(50);
  DiffOptions options;
  options.limit = 3;
  const DiffResult result = diff(a.root(), b.root(), options);
  CHECK(result.count == 40);
  CHECK(result.differences.size() == 3);
}

TEST_CASE("diff: fields of records are told one by one") {
  struct Row {
    std::int32_t left;
    float threshold;
  };
  const Dtype type =
      Dtype::record({{"left", Dtype::of<std::int32_t>(), 0, {}}, {"threshold", Dtype::of<float>(), 4, {}}}, 8);
  const auto make = [&](std::vector<Row> rows) {
    Graph g;
    const std::int64_t shape[] = {static_cast<std::int64_t>(rows.size())};
    g.model_root = g.array(type, shape, Graph::Order::c, {reinterpret_cast<const std::byte*>(rows.data()), nullptr});
    return write(g);
  };
  const Written a = make({{1, 1.f}, {2, 2.f}}), b = make({{1, 1.f}, {2, 3.f}});
  const DiffResult result = diff(a.root(), b.root());
  REQUIRE(result.count == 1);
  REQUIRE(result.differences[0].elements.size() == 1);
  CHECK(result.differences[0].elements[0].field == "threshold");
  CHECK(result.differences[0].elements[0].max_absolute == 1.0);
}

TEST_CASE("diff: every random graph is the same as itself, plain or compressed") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const test::RandomGraph random(seed);
    const Written plain = write(random.graph), packed = write(random.graph, codec::CodecId::lz4);
    CHECK(diff(plain.root(), packed.root()).count == 0);
  }
}

TEST_CASE("diff: every change has a word") {
  for (int i = 0; i <= static_cast<int>(Change::sharing); ++i) CHECK(to_text(static_cast<Change>(i)) != "unknown");
}
