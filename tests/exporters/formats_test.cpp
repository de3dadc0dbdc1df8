// npy, npz, safetensors and skops files that are written, read again by the importers.

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "exporters/array_bytes.hpp"
#include "exporters/export_case.hpp"
#include "graph/random_graph.hpp"
#include "graph/to_graph.hpp"

namespace mere::test {

namespace {

// A dict of arrays of every plain type, C and Fortran order, strided, of no elements and of no dimensions.
struct Arrays {
  std::vector<std::byte> memory = std::vector<std::byte>(8192, std::byte{3});
  Graph graph;

  explicit Arrays(std::span<const std::string_view> types) {
    std::vector<std::pair<NodeId, NodeId>> entries;
    std::size_t at = 0;
    const auto add = [&](const std::string& name, NodeId array) { entries.emplace_back(graph.text(name), array); };
    for (const std::string_view code : types) {
      const Dtype type = Dtype::parse(code);
      const auto size = static_cast<std::int64_t>(type.itemsize());
      const std::int64_t shape[] = {2, 3}, strides[] = {size * 12, size * 2}, none[] = {0, 4};
      const std::string name(code);
      add(name + " c", graph.array(type, shape, Graph::Order::c, {memory.data() + at, nullptr}));
      add(name + " strided", graph.array(type, shape, strides, {memory.data() + at + 1, nullptr}));
      add(name + " none", graph.array(type, none, Graph::Order::c, {}));
      add(name + " one", graph.array(type, {}, Graph::Order::c, {memory.data() + at, nullptr}));
      add(name + " fortran", graph.array(type, shape, Graph::Order::fortran, {memory.data() + at, nullptr}));
    }
    graph.model_root = graph.dict(entries);
  }
};

constexpr std::string_view kNumpyTypes[] = {"|b1", "<i1", "<i2", ">i4",      "<i8",     "<u1", "<u2",
                                            "<u4", "<u8", "<f2", "<f4",      ">f8",     "<c8", "<c16",
                                            "|S5", "<U3", "|V7", "<M8[25s]", "<m8[ns]", "<m8"};
constexpr std::string_view kTensorTypes[] = {"|b1", "<i1", "<i2", "<i4", "<i8", "<u1",
                                             "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"};

// The array at each key as its elements in C order, whatever its layout.
void check_elements(const Graph& found, const Graph& expected) {
  const Written a = write(found), b = write(expected);
  REQUIRE(a.root().size() == b.root().size());
  for (std::uint64_t i = 0; i < b.root().size(); ++i) {
    const std::string_view key = b.root().key(i).text();
    CAPTURE(std::string(key));
    const ArrayView x = a.root()[key].array(), y = b.root()[key].array();
    CHECK(x.dtype() == y.dtype());
    CHECK(x.shape() == y.shape());
    std::vector<std::byte> left(x.nbytes()), right(y.nbytes());
    x.copy_to(left);
    y.copy_to(right);
    CHECK(left == right);
  }
}

}  // namespace

TEST_CASE("npz: arrays of every type come back, stored and deflated, and the archive is the same each time") {
  const Arrays arrays(kNumpyTypes);
  for (const Compression compression : {Compression::none, Compression::zlib}) {
    const std::string bytes = export_bytes(ExportFormat::npz, arrays.graph, {.compression = compression});
    const importers::Imported imported = import_bytes(bytes);
    CHECK(imported.format == "npz");
    check_elements(imported.graph, arrays.graph);
    CHECK(bytes == export_bytes(ExportFormat::npz, arrays.graph, {.compression = compression}));
  }
}

TEST_CASE("npy: one array comes back, and an element type that NumPy lacks is refused") {
  const Arrays arrays(kNumpyTypes);
  Graph one;
  const std::int64_t shape[] = {2, 2};
  one.model_root = one.array(Dtype::of<std::int32_t>(), shape, Graph::Order::fortran, {arrays.memory.data(), nullptr});
  check_same(import_bytes(export_bytes(ExportFormat::npy, one)).graph, one);
  one.model_root = one.array(Dtype(TypeClass::bfloat16, 2), shape, Graph::Order::c, {arrays.memory.data(), nullptr});
  CHECK(refused_export(ExportFormat::npy, one).find("bfloat16") != std::string::npos);
  CHECK(refused_export(ExportFormat::npy, arrays.graph).find("the root: ") == 0);
}

TEST_CASE("npz: names that would lead out of the archive are refused") {
  for (const std::string_view name : {"../x", "/x", "a/../b", "", "a\\b", "c:x", "./x", "a//b"}) {
    CAPTURE(std::string(name));
    Graph graph;
    const std::int64_t shape[] = {0};
    const std::pair<NodeId, NodeId> entries[] = {
        {graph.text(name), graph.array(Dtype::of<double>(), shape, Graph::Order::c, {})}};
    graph.model_root = graph.dict(entries);
    CHECK(refused_export(ExportFormat::npz, graph) != "");
  }
}

TEST_CASE("safetensors: arrays of its types come back with texts of the metadata; others are refused by path") {
  Arrays arrays(kTensorTypes);
  const std::pair<NodeId, NodeId> entries[] = {{arrays.graph.text("author"), arrays.graph.text("somebody")},
                                               {arrays.graph.text("number"), arrays.graph.integer(1)}};
  arrays.graph.metadata_root = arrays.graph.dict(entries);
  const importers::Imported imported = import_bytes(export_bytes(ExportFormat::safetensors, arrays.graph));
  check_elements(imported.graph, arrays.graph);
  REQUIRE(imported.graph.metadata_root != kNoNode);
  CHECK(imported.graph.members(imported.graph.metadata_root).size() == 2);
  constexpr std::string_view kOther[] = {">i4"};
  CHECK(refused_export(ExportFormat::safetensors, Arrays(kOther).graph).find("[\">i4 ") == 0);
}

TEST_CASE("safetensors: bfloat16 and float8 come back as they were, by pickle too as far as it names them") {
  const std::vector<std::byte> memory(64, std::byte{0x3c});
  Graph graph;
  std::vector<std::pair<NodeId, NodeId>> entries;
  for (const TypeClass type : {TypeClass::bfloat16, TypeClass::float8_e4m3fn, TypeClass::float8_e5m2}) {
    const std::int64_t shape[] = {3};
    const Dtype dtype(type, type == TypeClass::bfloat16 ? 2 : 1);
    entries.emplace_back(graph.text(dtype.to_text()),
                         graph.array(dtype, shape, Graph::Order::c, {memory.data(), nullptr}));
  }
  graph.model_root = graph.dict(entries);
  check_elements(import_bytes(export_bytes(ExportFormat::safetensors, graph)).graph, graph);
  CHECK(export_bytes(ExportFormat::pickle, graph).find("ml_dtypes") != std::string::npos);
}

TEST_CASE("skops: a tree of what it holds comes back as it was, one object in two places too") {
  Graph graph;
  const std::vector<std::byte> memory(64, std::byte{0x3c});
  const std::int64_t shape[] = {2, 3}, two[] = {2}, square[] = {1, 2};
  const NodeId array = graph.array(Dtype::of<double>(), shape, Graph::Order::fortran, {memory.data(), nullptr});
  const NodeId shared = graph.list(std::span(&array, 1));
  const NodeId texts[] = {graph.text("a"), graph.text("\xf0\x9f\x98\x80 \"\\\n")};
  const NodeId numbers[] = {graph.integer(-7),
                            graph.real(0.1),
                            graph.real(3.0),
                            graph.real(-0.0),
                            graph.null(),
                            graph.boolean(true),
                            graph.unsigned_integer(UINT64_MAX)};
  std::vector<NodeId> members(std::begin(numbers), std::end(numbers));
  members.insert(members.end(), std::begin(texts), std::end(texts));
  members.push_back(graph.real(std::numeric_limits<double>::infinity()));
  members.push_back(graph.bytes(memory));
  members.push_back(graph.bytearray(memory));
  members.push_back(shared);
  members.push_back(shared);
  members.push_back(array);
  members.push_back(graph.tuple(texts));
  members.push_back(graph.slice(graph.integer(1), graph.null(), graph.integer(2)));
  members.push_back(graph.dtype(Dtype::parse("<U3")));
  members.push_back(graph.scalar(Dtype::of<std::int16_t>(), std::span(memory).first(2)));
  members.push_back(graph.name("sklearn.svm._classes", "SVC"));
  members.push_back(graph.name("numpy", "sqrt"));
  members.push_back(graph.object_array(two, texts));
  members.push_back(graph.object_array(square, texts));
  const std::pair<NodeId, NodeId> keys[] = {{graph.text("k"), graph.integer(1)}, {graph.integer(3), shared}};
  members.push_back(graph.dict(keys));
  const std::pair<NodeId, NodeId> state[] = {{graph.text("items"), graph.list(members)}, {graph.text("again"), shared}};
  graph.model_root = graph.object(ObjectForm::construct,
                                  {.type = graph.name("sklearn.svm._classes", "SVC"), .state = graph.dict(state)});
  for (const Compression compression : {Compression::none, Compression::zlib}) {
    const importers::Imported imported =
        import_bytes(export_bytes(ExportFormat::skops, graph, {.compression = compression}));
    CHECK(imported.format == "skops");
    check_same(imported.graph, graph);
  }
}

TEST_CASE("skops: what it cannot say is refused by its path") {
  Graph graph;
  const auto refused = [&](NodeId node) {
    const std::pair<NodeId, NodeId> entries[] = {{graph.text("part"), node}};
    graph.model_root = graph.dict(entries);
    return refused_export(ExportFormat::skops, graph);
  };
  const NodeId cycle = graph.list();
  graph.fill(cycle, {&cycle, 1});
  CHECK(refused(cycle).find("part: ") == 0);
  CHECK(refused(graph.complex({1, 2})).find("part: ") == 0);
  CHECK(refused(graph.ellipsis()).find("part: ") == 0);
  CHECK(refused(graph.name("m", "A.b")).find("part: ") == 0);
  CHECK(refused(graph.opaque(graph.dict(), {})).find("part: ") == 0);
  const std::pair<NodeId, NodeId> alike[] = {{graph.text("1"), graph.null()}, {graph.integer(1), graph.null()}};
  CHECK(refused(graph.dict(alike)).find("part{1}@key: ") == 0);
  const std::pair<NodeId, NodeId> pair[] = {{graph.tuple({}), graph.null()}};
  CHECK(refused(graph.dict(pair)).find("part{0}@key: ") == 0);
  const NodeId name = graph.name("m", "T");
  CHECK(refused(graph.object(ObjectForm::call, {.type = name, .state = graph.dict(alike)})).find("part: ") == 0);
  CHECK(refused(graph.object(ObjectForm::construct, {.type = name, .state = graph.list()})).find("part: ") == 0);
  CHECK(refused(graph.object(ObjectForm::record, {.type = graph.name("", "R"), .state = graph.dict()})) != "");
}

TEST_CASE("skops and pickle: whatever a random graph holds, it is written or refused") {
  std::size_t written = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    RandomGraph random(seed, seed % 3 == 0 ? 3 : 25);
    for (const ExportFormat format : {ExportFormat::skops, ExportFormat::pickle, ExportFormat::joblib}) {
      try {
        import_bytes(export_bytes(format, random.graph));
        ++written;
      } catch (const Error& error) {
        CAPTURE(seed);
        CAPTURE(error.what());
        CHECK((error.reason() == Reason::not_supported || error.code() == Errc::corrupt));
      }
    }
  }
  CHECK(written > 30);
}

TEST_CASE("exporters: a damaged file whose graph can be read is written or refused by every format") {
  std::mt19937_64 random(1);
  std::size_t read = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const RandomGraph source(seed, 20);
    const Written good = write(source.graph);
    // The manifest begins behind the data; a few bytes of it are changed at a time.
    const auto begin = static_cast<std::uint64_t>(good.image->section(format::Section::nodes).data - good.bytes.data());
    for (int round = 0; round < 25; ++round) {
      std::vector<std::byte> bytes = good.bytes;
      for (int i = 0; i < 3; ++i) {
        const std::uint64_t at = begin + random() % (bytes.size() - begin - 1152);
        bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>(random());
      }
      std::optional<Graph> graph;
      try {
        const Written damaged = open_bytes(bytes);
        graph = graph::to_graph(*damaged.image, nullptr);
        ++read;
        for (const ExportFormat format : {ExportFormat::skops, ExportFormat::pickle, ExportFormat::joblib,
                                          ExportFormat::npz, ExportFormat::safetensors}) {
          try {
            export_bytes(format, *graph, {});
          } catch (const Error&) {
          }
        }
      } catch (const Error&) {
      }
    }
  }
  CHECK(read > 100);
}

}  // namespace mere::test
