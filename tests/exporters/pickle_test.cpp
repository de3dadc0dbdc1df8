// Pickles and joblib files that are written, read again by the importers. tests/command/export_test.py loads them by
// the libraries they are for.

#include <doctest/doctest.h>

#include <string>

#include "exporters/export_case.hpp"
#include "graph/random_graph.hpp"

namespace mere::test {

namespace {

using exporters::WriteOptions;

// The operations of a pickle without frames can be compared as texts.
std::string small_pickle(const Graph& graph, int protocol) {
  return export_bytes(ExportFormat::pickle, graph, {.protocol = protocol});
}

}  // namespace

TEST_CASE("pickle: a random graph of any kind comes back with its content id, by every protocol") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed, 60, RandomGraph::Purpose::pickle);
    for (int protocol = 2; protocol <= 5; ++protocol) {
      CAPTURE(protocol);
      check_same(import_bytes(small_pickle(random.graph, protocol)).graph, random.graph);
    }
  }
}

TEST_CASE("joblib: a random graph of any kind comes back with its content id, arrays in two places too") {
  for (std::uint64_t seed = 1000; seed < 1100; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed, 60, RandomGraph::Purpose::pickle);
    for (int protocol = 2; protocol <= 5; ++protocol) {
      CAPTURE(protocol);
      check_same(import_bytes(export_bytes(ExportFormat::joblib, random.graph, {.protocol = protocol})).graph,
                 random.graph);
    }
  }
}

TEST_CASE("joblib: every codec of the build gives the same content") {
  const RandomGraph random(7, 400, RandomGraph::Purpose::pickle);
  const ContentId want = content_id_of(random.graph);
  for (const Compression compression :
       {Compression::zlib, Compression::gzip, Compression::lz4, Compression::xz, Compression::bz2}) {
    if (!has_compression(compression)) continue;
    for (const int level : {0, 1, 9}) {
      CAPTURE(to_text(compression));
      const std::string bytes =
          export_bytes(ExportFormat::joblib, random.graph, {.compression = compression, .level = level});
      const importers::Imported imported = import_bytes(bytes);
      CHECK(imported.codec == to_text(compression));
      CHECK(content_id_of(imported.graph) == want);
    }
  }
}

TEST_CASE("joblib: array bytes lie at multiples of 16") {
  Graph graph;
  std::vector<NodeId> arrays;
  const std::vector<std::byte> memory(1000, std::byte{0x5a});
  for (std::int64_t n = 1; n < 100; ++n) {
    const std::int64_t shape[] = {n};
    arrays.push_back(graph.array(Dtype::of<std::uint8_t>(), shape, Graph::Order::c, {memory.data(), nullptr}));
  }
  graph.model_root = graph.list(arrays);
  const std::string bytes = export_bytes(ExportFormat::joblib, graph, {});
  std::size_t found = 0;
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    if (bytes[at] == 'Z' && bytes[at - 1] == '\xff') {
      CHECK(at % 16 == 0);
      ++found;
    }
  }
  CHECK(found == 99);
}

TEST_CASE("pickle: the same graph gives the same bytes") {
  const RandomGraph random(3, 200, RandomGraph::Purpose::pickle);
  CHECK(small_pickle(random.graph, 5) == small_pickle(random.graph, 5));
}

TEST_CASE("pickle: a list of a million lists in each other is written and read without a deep stack") {
  Graph graph;
  NodeId inner = graph.list();
  for (int i = 0; i < 1'000'000; ++i) inner = graph.list(std::span(&inner, 1));
  graph.model_root = inner;
  const std::string bytes = small_pickle(graph, 5);
  check_same(import_bytes(bytes).graph, graph);
}

TEST_CASE("pickle: a tuple that holds itself by way of a list is one object again") {
  Graph graph;
  const NodeId list = graph.list();
  const NodeId extra = graph.object(ObjectForm::construct, {.type = graph.name("m", "T")});
  const NodeId members[] = {extra, list, graph.integer(1), graph.integer(2)};
  for (const std::size_t count : {std::size_t{2}, std::size_t{4}}) {
    const NodeId tuple = graph.tuple(std::span(members).first(count));
    graph.fill(list, {&tuple, 1});
    graph.model_root = tuple;
    for (int protocol = 2; protocol <= 5; ++protocol) {
      check_same(import_bytes(small_pickle(graph, protocol)).graph, graph);
    }
  }
}

TEST_CASE("pickle: an object among its own arguments, behind a list, is made once") {
  Graph graph;
  for (const ObjectForm form : {ObjectForm::construct, ObjectForm::call}) {
    const NodeId object = graph.reserve_object();
    const NodeId list = graph.list(std::span(&object, 1));
    graph.fill_object(object, form,
                      {.type = graph.name("m", "T"), .args = graph.tuple(std::span(&list, 1)), .state = graph.dict()});
    graph.model_root = object;
    for (int protocol = 2; protocol <= 5; ++protocol) {
      check_same(import_bytes(small_pickle(graph, protocol)).graph, graph);
    }
  }
}

TEST_CASE("pickle: what holds itself through tuples alone is refused, by its path") {
  Graph graph;
  const NodeId tuple = graph.reserve(Kind::tuple);
  const NodeId frozen = graph.frozenset(std::span(&tuple, 1));
  graph.fill(tuple, {&frozen, 1});
  const std::pair<NodeId, NodeId> entries[] = {{graph.text("knot"), tuple}};
  graph.model_root = graph.dict(entries);
  for (int protocol = 2; protocol <= 5; ++protocol) {
    CHECK(refused_export(ExportFormat::pickle, graph, {.protocol = protocol}).find("knot") == 0);
  }
}

TEST_CASE("pickle: a chain of tuples that hold the first by lists is bounded work") {
  // Each tuple is begun again inside every later one: the square of their number.
  Graph graph;
  std::vector<NodeId> tuples(3000), lists;
  for (NodeId& tuple : tuples) tuple = graph.reserve(Kind::tuple);
  for (std::size_t i = 0; i < tuples.size(); ++i) {
    lists.push_back(graph.list(std::span(&tuples[0], 1)));
    const NodeId members[] = {lists[i], i + 1 < tuples.size() ? tuples[i + 1] : graph.null()};
    graph.fill(tuples[i], members);
  }
  graph.model_root = tuples[0];
  try {
    small_pickle(graph, 5);
    FAIL("it was written");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::too_large);
  }
}

TEST_CASE("pickle: records, nameless types, calls with keywords and broken opaque parts are refused by path") {
  Graph graph;
  const auto refused = [&](NodeId node, int protocol = 5) {
    const std::pair<NodeId, NodeId> entries[] = {{graph.text("part"), node}};
    graph.model_root = graph.dict(entries);
    return refused_export(ExportFormat::pickle, graph, {.protocol = protocol});
  };
  const NodeId name = graph.name("m", "T");
  CHECK(refused(graph.object(ObjectForm::record, {.type = graph.name("", "Forest"), .state = graph.dict()}))
            .find("part: ") == 0);
  CHECK(refused(graph.name("", "Forest")).find("part: ") == 0);
  const std::pair<NodeId, NodeId> keyword[] = {{graph.text("a"), graph.null()}};
  CHECK(refused(graph.object(ObjectForm::call, {.type = name, .kwargs = graph.dict(keyword)})).find("part: ") == 0);
  CHECK(refused(graph.object(ObjectForm::construct, {.type = name, .setter = name})).find("part: ") == 0);
  for (const std::string_view bytes : {"", "\x80\x05.", "\x80\x04N.", "\x80\x05N", "\x80\x05N.N", "\x80\x05q",
                                       "\x80\x05j", "\x80\x05X\xff\xff\xff\xff.", "\x80\x05P1\n."}) {
    CHECK(refused(graph.opaque(graph.dict(), std::as_bytes(std::span(bytes)))).find("part: ") == 0);
  }
}

TEST_CASE("pickle: a name cannot smuggle operations into an older protocol") {
  Graph graph;
  graph.model_root = graph.name("m", "T\ncos\nsystem");
  CHECK(refused_export(ExportFormat::pickle, graph, {.protocol = 3}).find("line break") != std::string::npos);
  graph.model_root = graph.name("m\nx", "T");
  CHECK(refused_export(ExportFormat::joblib, graph, {.protocol = 2}).find("line break") != std::string::npos);
  const std::string modern = small_pickle(graph, 4);
  check_same(import_bytes(modern).graph, graph);
}

TEST_CASE("pickle: opaque parts are spliced in with their memo shifted") {
  // ("x", ["y"], the same list), by memo entries of its own.
  const std::string part =
      raw("\x80\x05(\x8c\x01x\x94]\x94\x8c\x01ya"
          "j\x01\x00\x00\x00t\x94.");
  Graph graph;
  const NodeId opaque = graph.opaque(graph.dict(), std::as_bytes(std::span(part)));
  const NodeId before = graph.list();
  const NodeId members[] = {before, opaque, before, opaque};
  graph.model_root = graph.list(members);
  const Graph back = std::move(import_bytes(small_pickle(graph, 5)).graph);
  const auto items = back.members(back.model_root);
  REQUIRE(items.size() == 4);
  CHECK(items[0] == items[2]);
  CHECK(items[1] == items[3]);
  const auto inner = back.members(items[1]);
  REQUIRE(inner.size() == 3);
  CHECK(back.text_value(inner[0]) == "x");
  CHECK(inner[1] == inner[2]);
  CHECK(back.kind(inner[1]) == Kind::list);
}

TEST_CASE("pickle: integers of every width, texts of every length form") {
  Graph graph;
  std::vector<NodeId> members;
  for (int bits = 0; bits < 64; ++bits) {
    for (const std::int64_t around : {-1, 0, 1}) {
      members.push_back(
          graph.integer(static_cast<std::int64_t>((std::uint64_t{1} << bits) + static_cast<std::uint64_t>(around))));
      members.push_back(
          graph.integer(static_cast<std::int64_t>(-(std::uint64_t{1} << bits) + static_cast<std::uint64_t>(around))));
    }
  }
  for (const std::size_t length : {8, 9, 255, 256, 300}) {
    std::vector<std::byte> number(length, std::byte{0x81});
    members.push_back(graph.big_integer(number));
    number.back() = std::byte{1};
    members.push_back(graph.big_integer(number));
  }
  for (const std::size_t length : {0, 1, 255, 256, 65535, 65536, 70000}) {
    const std::string text(length, 'x');
    members.push_back(graph.text(text));
    members.push_back(graph.bytes(std::as_bytes(std::span(text))));
    members.push_back(graph.bytearray(std::as_bytes(std::span(text))));
    const std::string high(length, '\xf0');
    members.push_back(graph.bytes(std::as_bytes(std::span(high))));
  }
  graph.model_root = graph.list(members);
  for (int protocol = 2; protocol <= 5; ++protocol) {
    check_same(import_bytes(small_pickle(graph, protocol)).graph, graph);
  }
}

TEST_CASE("pickle: batches of a thousand, and one more") {
  for (const int count : {0, 1, 2, 999, 1000, 1001, 2000, 2001}) {
    Graph graph;
    std::vector<NodeId> items, entries;
    for (int i = 0; i < count; ++i) {
      items.push_back(graph.integer(i));
      entries.push_back(graph.integer(i));
      entries.push_back(graph.list());
    }
    const NodeId dict = graph.dict();
    graph.fill(dict, entries);
    const NodeId set = graph.set();
    graph.fill(set, items);
    const NodeId all[] = {graph.list(items), dict, set, graph.frozenset(items), graph.tuple(items)};
    graph.model_root = graph.list(all);
    for (int protocol = 2; protocol <= 5; ++protocol) {
      check_same(import_bytes(small_pickle(graph, protocol)).graph, graph);
    }
  }
}

}  // namespace mere::test
