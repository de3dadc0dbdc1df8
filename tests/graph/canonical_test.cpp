// The one form of a graph in a file: docs/format.md 4.

#include <doctest/doctest.h>

#include <algorithm>

#include "graph/verify_graph.hpp"
#include "graph/written.hpp"

using namespace mere;
using test::write;
using test::Written;

namespace {

NodeId list_of(Graph& g, std::vector<NodeId> items) {
  return g.list(items);
}
NodeId tuple_of(Graph& g, std::vector<NodeId> items) {
  return g.tuple(items);
}

template <class T>
const std::byte* data_of(const std::vector<T>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

}  // namespace

TEST_CASE("encode: equal leaves stand once, and 1, True, 1.0, 0.0 and -0.0 stay apart") {
  Graph g;
  g.model_root = list_of(g, {g.integer(1), g.boolean(true), g.real(1.0), g.real(0.0), g.real(-0.0), g.integer(1),
                             g.text("1"), g.bytes(std::as_bytes(std::span("1", 1))), g.text("1"), g.name("", "1")});
  const Written w = write(g);
  const Node root = w.root();
  CHECK(root[0] == root[5]);
  CHECK(root[6] == root[8]);
  CHECK(w.image->section(format::Section::nodes).count == 9);
}

TEST_CASE("encode: tuples of leaves stand once, also inside each other; lists and bytearrays never") {
  Graph g;
  const auto pair = [&] { return tuple_of(g, {g.integer(1), g.text("a")}); };
  g.model_root =
      list_of(g, {tuple_of(g, {pair(), g.null()}), tuple_of(g, {pair(), g.null()}), list_of(g, {}), list_of(g, {}),
                  tuple_of(g, {list_of(g, {})}), tuple_of(g, {list_of(g, {})}), g.bytearray({}), g.bytearray({})});
  const Written w = write(g);
  const Node root = w.root();
  CHECK(root[0] == root[1]);
  CHECK_FALSE(root[2] == root[3]);
  CHECK_FALSE(root[4] == root[5]);
  CHECK_FALSE(root[6] == root[7]);
}

TEST_CASE("encode: one list in two places is one list, two equal lists are two") {
  Graph g;
  const NodeId shared = list_of(g, {g.integer(7)});
  g.model_root = list_of(g, {shared, shared, list_of(g, {g.integer(7)})});
  const Written w = write(g);
  CHECK(w.root()[0] == w.root()[1]);
  CHECK_FALSE(w.root()[0] == w.root()[2]);
}

TEST_CASE("encode: what no root reaches is dropped") {
  Graph g;
  g.text("secret");
  g.list();
  g.model_root = g.null();
  const Written w = write(g);
  CHECK(w.image->section(format::Section::nodes).count == 1);
  CHECK(w.image->section(format::Section::heap).count == 0);
}

TEST_CASE("encode: sets give the same bytes in whatever order they were built") {
  const auto build = [](std::vector<int> order) {
    Graph g;
    std::vector<NodeId> made(6, kNoNode);
    const NodeId nothing[] = {g.null()};
    for (const int i : order) {
      switch (i) {
        case 0: made[0] = g.integer(5); break;
        case 1: made[1] = g.text("five"); break;
        case 2: made[2] = g.frozenset(nothing); break;
        case 3: {
          // An object that leads back to itself.
          made[3] = g.reserve_object();
          const std::pair<NodeId, NodeId> entries[] = {{g.text("self"), made[3]}};
          g.fill_object(made[3], ObjectForm::construct, {.type = g.name("m", "A"), .state = g.dict(entries)});
          break;
        }
        case 4: made[4] = g.object(ObjectForm::construct, {.type = g.name("m", "B")}); break;
        default: made[5] = g.tuple(std::vector<NodeId>{g.integer(-1), g.real(2.5)});
      }
    }
    std::vector<NodeId> members;
    for (const int i : order) members.push_back(made[static_cast<std::size_t>(i)]);
    members.push_back(members[0]);
    const NodeId set = g.set();
    g.fill(set, members);
    g.model_root = set;
    return write(g).bytes;
  };
  std::vector<int> order = {0, 1, 2, 3, 4, 5};
  const auto first = build(order);
  for (int n = 0; n < 40; ++n) {
    std::next_permutation(order.begin() + n % 3, order.end());
    CHECK(build(order) == first);
  }
}

TEST_CASE("encode: numbers in a set rise") {
  Graph g;
  std::vector<NodeId> members = {g.unsigned_integer(UINT64_MAX), g.integer(3), g.integer(-4), g.integer(0)};
  const std::byte low[9] = {std::byte{0}, {}, {}, {}, {}, {}, {}, {}, std::byte{0x80}};
  members.push_back(g.big_integer(low));
  const NodeId set = g.set();
  g.fill(set, members);
  g.model_root = set;
  const Written w = write(g);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < w.root().size(); ++i) texts.push_back(w.root()[i].integer_text());
  CHECK(texts == std::vector<std::string>{"-2361183241434822606848", "-4", "0", "3", "18446744073709551615"});
}

TEST_CASE("encode: cycles through every kind of container come back as they were") {
  Graph g;
  const NodeId list = g.list();
  const NodeId tuple = g.reserve(Kind::tuple);
  const NodeId dict = g.dict();
  const NodeId object = g.reserve_object();
  g.fill(list, std::vector<NodeId>{tuple});
  g.fill(tuple, std::vector<NodeId>{dict});
  g.fill(dict, std::vector<NodeId>{g.text("o"), object});
  g.fill_object(object, ObjectForm::call, {.type = g.name("", "f"), .state = list});
  g.model_root = list;
  const Written w = write(g);
  CHECK(w.at("[0][0].o@state") == w.root());
  Walk walk(w.root());
  std::size_t count = 0;
  while (walk.next()) ++count;
  CHECK(count == 6);
}

TEST_CASE("encode: a graph in which 2^60 paths lead through 60 tuples is small and quick") {
  Graph g;
  NodeId last = g.list();
  for (int i = 0; i < 60; ++i) last = g.tuple(std::vector<NodeId>{last, last});
  g.model_root = last;
  const Written w = write(g);
  CHECK(w.image->section(format::Section::nodes).count == 61);
  graph::verify_graph(*w.image);
  Walk walk(w.root());
  std::size_t count = 0;
  while (walk.next()) ++count;
  CHECK(count == 61);
  CHECK(Node(w.image.get(), 60).path().size() == 180);
}

TEST_CASE("encode: nesting deeper than any stack is written, walked and named") {
  Graph g;
  NodeId last = g.null();
  for (int i = 0; i < 200000; ++i) last = g.tuple(std::vector<NodeId>{last, g.integer(i)});
  g.model_root = last;
  const Written w = write(g);
  graph::verify_graph(*w.image);
  Walk walk(w.root());
  while (walk.next()) {
  }
  CHECK(w.image->section(format::Section::nodes).count == 400001);
}

TEST_CASE("encode: big integers stand in as few bytes as hold them") {
  Graph g;
  std::vector<std::byte> padded(40);
  padded[8] = std::byte{1};
  std::vector<std::byte> small(40);
  small[0] = std::byte{9};
  g.model_root = list_of(g, {g.big_integer(padded), g.big_integer(small), g.unsigned_integer(5)});
  const Written w = write(g);
  CHECK(w.root()[0].integer_bytes().size() == 9);
  CHECK(w.root()[0].integer_text() == "18446744073709551616");
  CHECK(w.root()[1].integer() == 9);
  CHECK(w.root()[2].integer() == 5);
}

TEST_CASE("encode: lone surrogates are flagged and kept, other broken texts refused") {
  Graph g;
  g.model_root = g.text("a\xed\xa0\x80");
  const Written w = write(g);
  CHECK(w.image->node(0).flags == format::kSurrogates);
  CHECK(w.root().text() == "a\xed\xa0\x80");
  for (const char* broken : {"\xff", "\xc0\x80", "a\xc3", "\xf5\x80\x80\x80", "\xe0\x80\x80"}) {
    Graph bad;
    bad.model_root = bad.text(broken);
    CHECK_THROWS_WITH_AS(graph::encode(bad), doctest::Contains("bad_text"), Error);
  }
}

TEST_CASE("encode: a dict with one key twice is refused") {
  Graph g;
  g.model_root = g.dict();
  g.fill(g.model_root, std::vector<NodeId>{g.text("a"), g.null(), g.text("b"), g.null(), g.text("a"), g.null()});
  CHECK_THROWS_WITH_AS(graph::encode(g), doctest::Contains("duplicate_key"), Error);
}

TEST_CASE("encode: dicts keep their order, and every key of a large one is found, no other") {
  Graph g;
  std::vector<NodeId> members;
  for (int i = 0; i < 1000; ++i) {
    members.push_back(i % 10 == 9 ? g.integer(i) : g.text("key" + std::to_string((i * 37) % 1000)));
    members.push_back(g.integer(i));
  }
  g.model_root = g.dict();
  g.fill(g.model_root, members);
  const Written w = write(g);
  graph::verify_graph(*w.image);
  for (int i = 0; i < 1000; ++i) {
    CHECK(w.root().value(static_cast<std::size_t>(i)).integer() == i);
    if (i % 10 != 9) CHECK(w.root()["key" + std::to_string((i * 37) % 1000)].integer() == i);
  }
  CHECK_FALSE(w.root().find("key"));
  CHECK_FALSE(w.root().find("nothing"));
  CHECK_THROWS_AS(w.root()["nothing"], Error);
}

TEST_CASE(
    "encode: a node of the model that the metadata reaches too stays the model's; ids do not depend on the metadata") {
  const auto build = [](bool with_metadata) {
    Graph g;
    const NodeId text = g.text("shared");
    g.model_root = list_of(g, {text, g.integer(1)});
    if (with_metadata) {
      const std::pair<NodeId, NodeId> entries[] = {{g.text("note"), text}, {g.text("more"), g.real(1)}};
      g.metadata_root = g.dict(entries);
    }
    return write(g);
  };
  const Written with = build(true), without = build(false);
  CHECK(with.result.content_low == without.result.content_low);
  CHECK(with.result.content_high == without.result.content_high);
  CHECK(with.at("@metadata.note") == with.root()[0]);
  CHECK(with.image->section(format::Section::nodes).model_end == without.image->section(format::Section::nodes).count);
}

TEST_CASE("encode: shapes, types and field names that are equal stand once") {
  Graph g;
  const Dtype type = Dtype::record({{"x", Dtype::of<double>(), 0, {}}}, 8);
  std::vector<NodeId> items;
  std::vector<double> values(64);
  for (int i = 0; i < 100; ++i) {
    const std::int64_t shape[] = {64};
    items.push_back(g.array(i % 2 ? type : Dtype::of<double>(), shape, Graph::Order::c, {data_of(values), nullptr}));
  }
  g.model_root = g.list(items);
  const Written w = write(g);
  CHECK(w.image->section(format::Section::extents).count == 1);
  CHECK(w.image->section(format::Section::types).count == 2);
  CHECK(w.image->section(format::Section::heap).count == 1);
}
