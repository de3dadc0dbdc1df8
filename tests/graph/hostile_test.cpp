// Files whose sums are right and whose records lie: one typed error each, or a harmless answer.

#include <doctest/doctest.h>

#include <functional>

#include <mere/diff.hpp>
#include "format/file_forger.hpp"
#include "graph/to_graph.hpp"
#include "graph/verify_graph.hpp"
#include "graph/written.hpp"

using namespace mere;
using format::NodeRecord;
using format::Section;
using format::testing::FileForger;
using test::write;
using test::Written;

namespace {

const std::vector<double> kValues = {1, 2, 3, 4, 5, 6};

// 0 list  1 array (2, 3)  2 dict of 12 keys "k0" .. and 27 int  then an object, a range, an opaque node, a set.
Graph sample() {
  Graph g;
  const std::int64_t shape[] = {2, 3};
  const NodeId array = g.array(Dtype::of<double>(), shape, Graph::Order::c,
                               {reinterpret_cast<const std::byte*>(kValues.data()), nullptr});
  const NodeId dict = g.dict();
  std::vector<NodeId> members;
  for (int i = 0; i < 12; ++i) {
    members.push_back(g.text("k" + std::to_string(i)));
    members.push_back(g.null());
  }
  g.fill(dict, members);
  const std::pair<NodeId, NodeId> state[] = {{g.text("x"), g.integer(1)}};
  const NodeId object =
      g.object(ObjectForm::construct, {.type = g.name("m", "T"), .args = g.tuple({}), .state = g.dict(state)});
  const NodeId range = g.range(g.integer(0), g.integer(5), g.integer(1));
  const NodeId opaque = g.opaque(g.dict(), std::as_bytes(std::span("abc", 3)));
  const NodeId set = g.set();
  g.fill(set, std::vector<NodeId>{g.integer(1), g.integer(2)});
  const Dtype record =
      Dtype::record({{"f", Dtype::of<float>(), 0, {}}, {"g", Dtype::subarray(Dtype::of<float>(), {2}), 4, {}}}, 12);
  g.model_root =
      g.list(std::vector<NodeId>{array, dict, object, range, opaque, set, g.dtype(record), g.text("h\xc3\xa9llo")});
  return g;
}

NodeId find_kind_id(const format::Image& image, Kind kind) {
  for (std::uint32_t id = 0;; ++id) {
    if (image.node(id).kind == static_cast<std::uint8_t>(kind)) return id;
  }
}

// The reason for which verification refuses a sample with one lie in it; or "none".
struct Lie {
  Written good = write(sample());
  FileForger forger{good.bytes};

  template <class Record>
  Lie& edit(Section section, std::uint64_t index, const std::function<void(Record&)>& change) {
    forger.edit<Record>(section, index, change);
    return *this;
  }
  Lie& node(Kind kind, const std::function<void(NodeRecord&)>& change) {
    return edit<NodeRecord>(Section::nodes, find_kind_id(*good.image, kind), change);
  }

  // What every reader of the graph makes of it: an Error or an answer, nothing else.
  std::string verdict() {
    const Written w = test::open_bytes(forger.build());
    try {
      Walk walk(w.root());
      while (walk.next()) {
        const Node node = walk.node();
        if (node.kind() == Kind::array && node.size() == 0) node.array().copy<double>();
        (void)node.path();
      }
    } catch (const Error&) {
    }
    try {
      graph::encode(graph::to_graph(*w.image, nullptr));
    } catch (const Error&) {
    }
    try {
      diff(w.root(), w.root());
    } catch (const Error&) {
    }
    try {
      graph::verify_graph(*w.image);
    } catch (const Error& error) {
      return std::string(to_text(error.reason()));
    }
    return "none";
  }
};

}  // namespace

TEST_CASE("hostile: the sample itself is sound") {
  CHECK(Lie().verdict() == "none");
}

TEST_CASE("hostile: shapes that wrap, negative or of too many dimensions") {
  const auto with_shape = [](std::int64_t a, std::int64_t b) {
    Lie lie;
    const std::uint64_t at = lie.good.image->node(find_kind_id(*lie.good.image, Kind::array)).b;
    return lie.edit<std::int64_t>(Section::extents, at, [&](std::int64_t& n) { n = a; })
        .edit<std::int64_t>(Section::extents, at + 1, [&](std::int64_t& n) { n = b; })
        .verdict();
  };
  CHECK(with_shape((std::int64_t{1} << 61) + 1, 1) == "shape_overflow");
  CHECK(with_shape(std::int64_t{1} << 62, std::int64_t{1} << 62) == "shape_overflow");
  CHECK(with_shape(-1, 3) == "shape_overflow");
  CHECK(with_shape(0, std::int64_t{1} << 62) == "shape_overflow");
  CHECK(with_shape(0, 1 << 20) == "schema");  // an array of no bytes has no buffer
  CHECK(with_shape(2, 4) == "out_of_bounds");
  CHECK(Lie().node(Kind::array, [](NodeRecord& r) { r.form = 65; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::array, [](NodeRecord& r) { r.form = 60; }).verdict() == "out_of_bounds");
  CHECK(Lie().node(Kind::array, [](NodeRecord& r) { r.flags = 9; }).verdict() == "bad_node");
}

TEST_CASE("hostile: strides that reach outside the buffer") {
  struct Case {
    std::int64_t first, second;
    std::string expected;
  };
  const Case cases[] = {{24, 8, "none"},
                        {1, 1, "none"},
                        {0, 0, "none"},
                        {-24, 8, "out_of_bounds"},
                        {24, 9, "out_of_bounds"},
                        {INT64_MIN, 0, "out_of_bounds"},
                        {INT64_MAX, INT64_MAX, "shape_overflow"}};
  for (const Case& c : cases) {
    CAPTURE(c.first);
    Lie lie;
    const std::uint64_t at = lie.good.image->node(find_kind_id(*lie.good.image, Kind::array)).b;
    lie.node(Kind::array, [](NodeRecord& r) { r.flags = static_cast<std::uint8_t>(format::Layout::strided); });
    // The shape is the last that stands in the column: strides are put behind it.
    FileForger::Column& extents = lie.forger.column(Section::extents);
    REQUIRE(at + 2 == extents.entry.count);
    for (const std::int64_t stride : {c.first, c.second}) {
      const auto* bytes = reinterpret_cast<const std::byte*>(&stride);
      extents.bytes.insert(extents.bytes.end(), bytes, bytes + sizeof stride);
    }
    extents.entry.count = extents.entry.model_end = extents.entry.program_end = at + 4;
    CHECK(lie.verdict() == c.expected);
  }
}

TEST_CASE("hostile: ids and ranges outside their columns") {
  CHECK(Lie().node(Kind::array, [](NodeRecord& r) { r.a = 1; }).verdict() == "schema");
  CHECK(Lie().node(Kind::array, [](NodeRecord& r) { r.b = UINT64_MAX; }).verdict() == "out_of_bounds");
  CHECK(Lie().edit<format::ArrayRecord>(Section::arrays, 0, [](auto& r) { r.type = 99; }).verdict() == "out_of_bounds");
  CHECK(Lie().edit<format::ArrayRecord>(Section::arrays, 0, [](auto& r) { r.buffer = 7; }).verdict() ==
        "out_of_bounds");
  CHECK(Lie().edit<format::ArrayRecord>(Section::arrays, 0, [](auto& r) { r.offset = UINT64_MAX - 8; }).verdict() ==
        "out_of_bounds");
  CHECK(Lie().edit<std::uint32_t>(Section::links, 0, [](auto& link) { link = 0xfffffffe; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::list, [](NodeRecord& r) { r.a = 0xffffffff; }).verdict() == "out_of_bounds");
  CHECK(Lie().node(Kind::list, [](NodeRecord& r) { r.b = UINT64_MAX; }).verdict() == "out_of_bounds");
  CHECK(Lie().node(Kind::text, [](NodeRecord& r) { r.a = 0xffffffff; }).verdict() == "out_of_bounds");
  CHECK(Lie().node(Kind::text, [](NodeRecord& r) { r.flags = format::kLongText; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::dtype, [](NodeRecord& r) { r.a = 99; }).verdict() == "out_of_bounds");
}

TEST_CASE("hostile: kinds and types that nobody knows, or that contradict themselves") {
  CHECK(Lie().node(Kind::set, [](NodeRecord& r) { r.kind = 22; }).verdict() == "unknown_kind");
  CHECK(Lie().node(Kind::set, [](NodeRecord& r) { r.kind = 255; }).verdict() == "unknown_kind");
  CHECK(Lie().edit<format::TypeRecord>(Section::types, 0, [](auto& r) { r.type_class = 23; }).verdict() ==
        "unknown_type");
  CHECK(Lie().edit<format::TypeRecord>(Section::types, 0, [](auto& r) { r.byte_order = 3; }).verdict() == "bad_type");
  CHECK(Lie().edit<format::TypeRecord>(Section::types, 0, [](auto& r) { r.itemsize = 3; }).verdict() == "bad_type");
  CHECK(Lie().edit<format::FieldRecord>(Section::fields, 0, [](auto& r) { r.type = 3; }).verdict() == "bad_type");
  CHECK(Lie().edit<format::FieldRecord>(Section::fields, 0, [](auto& r) { r.offset = UINT64_MAX; }).verdict() ==
        "bad_type");
  CHECK(Lie().edit<format::FieldRecord>(Section::fields, 1, [](auto& r) { r.name_bytes = 0xffffffff; }).verdict() ==
        "out_of_bounds");
}

TEST_CASE("hostile: required children that are missing or of another kind") {
  CHECK(Lie().node(Kind::object, [](NodeRecord& r) { r.flags = 0; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::object, [](NodeRecord& r) { r.flags = 0xff; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::object, [](NodeRecord& r) { r.a = 1; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::object, [](NodeRecord& r) { r.form = 3; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::object, [](NodeRecord& r) { r.form = 2; }).verdict() == "schema");
  CHECK(Lie().node(Kind::object, [](NodeRecord& r) { r.flags = 1 | 4 | 8; }).verdict() == "schema");
  CHECK(Lie().node(Kind::range, [](NodeRecord& r) { r.a = 2; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::range, [](NodeRecord& r) { r.b = 0; }).verdict() == "schema");
  CHECK(Lie().node(Kind::opaque, [](NodeRecord& r) { r.a = 1; }).verdict() == "bad_node");
  CHECK(Lie().node(Kind::opaque, [](NodeRecord& r) { ++r.b; }).verdict() == "schema");
  CHECK(Lie().node(Kind::name, [](NodeRecord& r) { r.form = 2; }).verdict() == "bad_node");
}

TEST_CASE("hostile: texts that are not UTF-8, and flags that do not fit them") {
  Lie broken;
  for (std::byte& b : broken.forger.column(Section::heap).bytes) {
    if (b == std::byte{0xc3}) b = std::byte{0xff};
  }
  CHECK(broken.verdict() == "bad_text");
  CHECK(Lie().node(Kind::text, [](NodeRecord& r) { r.flags = format::kSurrogates; }).verdict() == "bad_text");
}

TEST_CASE("hostile: a key twice, a member twice, and key indexes that lie") {
  const Lie lie;
  const NodeId dict = find_kind_id(*lie.good.image, Kind::dict), set = find_kind_id(*lie.good.image, Kind::set);
  const std::uint64_t first = lie.good.image->node(dict).b, members = lie.good.image->node(set).b;
  const std::uint32_t key = lie.good.image->link(first), member = lie.good.image->link(members);
  CHECK(Lie().edit<std::uint32_t>(Section::links, first + 2, [&](auto& link) { link = key; }).verdict() ==
        "duplicate_key");
  CHECK(Lie().edit<std::uint32_t>(Section::links, members + 1, [&](auto& link) { link = member; }).verdict() ==
        "duplicate_key");
  for (std::uint64_t i = 24; i < 24 + 1 + 3 + 12; ++i) {
    CAPTURE(i);
    CHECK(Lie().edit<std::uint32_t>(Section::links, first + i, [](auto& link) { link ^= 1; }).verdict() == "bad_node");
    // A false index can miss a key. It never leads to another one.
    for (const std::uint32_t lied : {0u, 5u, 0x80000000u, 0xffffffffu}) {
      Lie file;
      file.edit<std::uint32_t>(Section::links, first + i, [&](auto& link) { link = lied; });
      const Written w = test::open_bytes(file.forger.build());
      const Node node(w.image.get(), dict);
      for (std::size_t k = 0; k < 12; ++k) {
        try {
          const auto found = node.find(node.key(k).text());
          CHECK((!found || *found == node.value(k)));
        } catch (const Error&) {
        }
      }
    }
  }
  CHECK(Lie().edit<NodeRecord>(Section::nodes, dict, [](auto& r) { r.flags = 0; }).verdict() == "bad_node");
}

TEST_CASE("hostile: the model refers to nothing that only the metadata has") {
  Graph g = sample();
  const std::pair<NodeId, NodeId> entries[] = {{g.text("note"), g.real(2.5)}};
  g.metadata_root = g.dict(entries);
  const Written w = write(g);
  graph::verify_graph(*w.image);
  FileForger forger(w.bytes);
  const std::uint32_t last = static_cast<std::uint32_t>(w.image->section(Section::nodes).count - 1);
  forger.edit<std::uint32_t>(Section::links, 0, [&](std::uint32_t& link) { link = last; });
  const Written forged = test::open_bytes(forger.build());
  CHECK_THROWS_WITH_AS(graph::verify_graph(*forged.image), doctest::Contains("schema"), Error);
}

TEST_CASE("hostile: many lists that all claim all links end in a limit, soon") {
  Graph g;
  std::vector<NodeId> lists;
  for (int i = 0; i < 3000; ++i) lists.push_back(g.list(std::vector<NodeId>{g.list()}));
  g.model_root = g.list(lists);
  const Written good = write(g);
  FileForger forger(good.bytes);
  for (std::uint64_t id = 0; id < good.image->section(Section::nodes).count; ++id) {
    forger.edit<NodeRecord>(Section::nodes, id, [&](NodeRecord& r) {
      r.a = static_cast<std::uint32_t>(good.image->section(Section::links).count);
      r.b = 0;
    });
  }
  const Written w = test::open_bytes(forger.build());
  const auto is_limit = [](const std::function<void()>& ask) {
    try {
      ask();
    } catch (const Error& error) {
      return error.code() == Errc::limit;
    }
    return false;
  };
  CHECK(is_limit([&] { graph::verify_graph(*w.image); }));
  CHECK(is_limit([&] { graph::to_graph(*w.image, nullptr); }));
  CHECK(is_limit([&] { diff(w.root(), w.root()); }));
  CHECK(is_limit([&] {
    Walk walk(w.root());
    while (walk.next()) {
    }
  }));
}

TEST_CASE("hostile: types nested too deep, or of too many parts, are refused") {
  Dtype deep = Dtype::of<float>();
  CHECK_THROWS_WITH_AS(
      [&] {
        for (int i = 0; i < 100; ++i) deep = Dtype::record({{"x", deep, 0, {}}}, 4);
      }(),
      doctest::Contains("too_deep"), Error);
  Dtype wide = Dtype::of<float>();
  CHECK_THROWS_WITH_AS(
      [&] {
        for (int i = 0; i < 30; ++i) wide = Dtype::record({{"x", wide, 0, {}}, {"y", wide, 0, {}}}, 4);
      }(),
      doctest::Contains("too_large"), Error);
}
