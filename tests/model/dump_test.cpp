// Dumping: atomic, deterministic, to every sink, by every codec; metadata; graphs of open models.

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mere/mere.hpp>

#include "model/process_facts.hpp"
#include "model/reasons.hpp"
#include "model/records.hpp"
#include "os/child_process.hpp"
#include "os/scratch_directory.hpp"

namespace {

using mere::Codec;
using mere::DumpOptions;
using mere::Model;
using mere::OpenOptions;
using mere::Reason;
using mere::test::ChildProcess;
using mere::test::reason_of;
using mere::test::ScratchDirectory;

DumpOptions quick(Codec codec = Codec::none) {
  DumpOptions options;
  options.durability = mere::Durability::none;
  options.codec = codec;
  return options;
}

std::vector<std::byte> as_bytes(const std::string& text) {
  const auto span = std::as_bytes(std::span(text));
  return {span.begin(), span.end()};
}

OpenOptions lazy() {
  OpenOptions options;
  options.expand = mere::Expand::lazy;
  return options;
}

// Some of everything: large and small arrays, texts, shared and cyclic nodes.
forest::Forest sample() {
  return forest::make(12, 20000);
}

}  // namespace

TEST_CASE(
    "dump: the same bytes by one thread and by two, to a file, a pipe, a stream and memory, and in another process") {
  const ScratchDirectory scratch;
  for (const Codec codec : {Codec::none, Codec::lz4, Codec::zlib}) {
    CAPTURE(mere::to_text(codec));
    DumpOptions options = quick(codec);
    options.threads = 1;
    const std::vector<std::byte> one = mere::dump_bytes(sample(), options);
    options.threads = 2;
    CHECK(mere::dump_bytes(sample(), options) == one);

    mere::dump(sample(), scratch / "file.mere", options);
    CHECK(as_bytes(mere::test::read_file(scratch / "file.mere")) == one);

    std::ostringstream stream;
    mere::dump(sample(), stream, options);
    CHECK(as_bytes(stream.str()) == one);

    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::string piped;
    std::thread reader([&] {
      char part[8192];
      for (ssize_t n; (n = ::read(ends[0], part, sizeof part)) > 0;) piped.append(part, static_cast<std::size_t>(n));
    });
    mere::dump_descriptor(sample(), ends[1], options);
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);
    CHECK(as_bytes(piped) == one);

    ChildProcess child([&] {
      mere::dump(sample(), scratch / "child.mere", options);
      return 0;
    });
    CHECK(child.wait() == 0);
    CHECK(as_bytes(mere::test::read_file(scratch / "child.mere")) == one);
  }
}

TEST_CASE("dump: the content id is the same under every codec, level, alignment and filter") {
  const auto plain = mere::dump_bytes(sample(), quick());
  const mere::ContentId id = Model::from_bytes(plain).content_id();
  for (const Codec codec : {Codec::lz4, Codec::lz4hc, Codec::zlib, Codec::zstd, Codec::smallest}) {
    if (!mere::has_codec(codec)) continue;
    CAPTURE(mere::to_text(codec));
    for (const bool filters : {true, false}) {
      DumpOptions options = quick(codec);
      options.filters = filters;
      options.alignment = filters ? 4096 : 65536;
      const auto bytes = mere::dump_bytes(forest::make(2, 20000), options);
      const Model model = Model::from_bytes(bytes, nullptr, lazy());
      CHECK(model.content_id() == Model::from_bytes(mere::dump_bytes(forest::make(2, 20000))).content_id());
      model.verify(2);
      CHECK(model.info().stored_bytes < model.info().raw_bytes);
    }
  }
  DumpOptions options = quick();
  options.metadata = {{"by", "a test"}};
  CHECK(Model::from_bytes(mere::dump_bytes(sample(), options)).content_id() == id);
}

TEST_CASE("dump: an array may have a codec of its own, and stays mapped without one") {
  mere::Graph graph;
  const std::vector<double> wide(9000, 1);
  const std::vector<float> narrow(9000, 2);
  const std::vector<double> few(10, 3);
  const auto array = [&](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    const std::int64_t shape[] = {static_cast<std::int64_t>(values.size())};
    return graph.array(mere::Dtype::of<T>(), shape, mere::Graph::Order::c,
                       {reinterpret_cast<const std::byte*>(values.data()), nullptr});
  };
  const mere::NodeId items[] = {array(wide), array(narrow), array(few)};
  graph.model_root = graph.list(items);
  DumpOptions options = quick(Codec::zlib);
  options.codec_for = [](const mere::Dtype& type, std::uint64_t) -> std::optional<Codec> {
    if (type == mere::Dtype::of<double>()) return Codec::none;
    return std::nullopt;
  };
  const auto bytes = mere::dump_bytes(graph, options);
  const Model model = Model::from_bytes(bytes, nullptr, lazy());
  CHECK(model.at("[0]").array().is_mapped());
  CHECK(!model.at("[1]").array().is_mapped());
  CHECK(model.at("[2]").array().is_mapped());
  CHECK(model.at("[1]").array().copy<float>() == narrow);
  CHECK(model.info().codecs == std::vector<std::string>{"none", "zlib"});
}

TEST_CASE("dump: an existing file stays whole when a dump fails, and nothing is left beside it") {
  const ScratchDirectory scratch;
  const auto path = scratch / "a.mere";
  mere::dump(forest::make(1, 10), path, quick());
  const std::string before = mere::test::read_file(path);
  DumpOptions options = quick();
  options.progress = [](const mere::Progress& progress) {
    if (progress.done_bytes > 0) throw mere::Error(Reason::interrupted, "stopped by the test");
  };
  CHECK(reason_of([&] { mere::dump(sample(), path, options); }) == Reason::interrupted);
  mere::Graph empty;
  CHECK(reason_of([&] { mere::dump(empty, path, quick()); }) == Reason::bad_argument);
  options = quick();
  options.alignment = 1000;
  CHECK(reason_of([&] { mere::dump(sample(), path, options); }) == Reason::bad_argument);
  CHECK(mere::test::read_file(path) == before);
  CHECK(scratch.entries() == 1);
  CHECK(reason_of([&] { mere::dump(sample(), scratch / "none" / "a.mere", quick()); }) == Reason::no_file);
  CHECK(reason_of([&] { mere::dump(sample(), scratch.path(), quick()); }) == Reason::not_regular);
}

TEST_CASE("dump: a model that is open keeps its bytes when its file is replaced") {
  const ScratchDirectory scratch;
  const auto path = scratch / "a.mere";
  mere::dump(forest::make(1, 5000), path, quick());
  const Model old(path);
  mere::dump(forest::make(2, 5000), path, quick());
  CHECK(old.at("trees").size() == 1);
  CHECK(old.at("trees[0].nodes").array().field<std::int64_t>("left")[4999] == 5000);
  const Model replaced = old.reopen();
  CHECK(replaced.at("trees").size() == 2);
}

TEST_CASE("dump: a model is dumped over its own file") {
  const ScratchDirectory scratch;
  const auto path = scratch / "a.mere";
  mere::dump(sample(), path, quick());
  const Model model(path);
  const auto result = mere::dump(mere::to_graph(model), path, quick(Codec::lz4));
  CHECK(result.content_id == model.content_id());
  CHECK(Model(path, lazy()).info().codecs == std::vector<std::string>{"lz4"});
}

TEST_CASE("to_graph: a model dumped again has the same bytes") {
  mere::Graph graph;
  const double values[] = {1, 2, 3, 4, 5, 6};
  const std::int64_t shape[] = {2, 3}, three[] = {3}, back[] = {-16};
  const auto* data = reinterpret_cast<const std::byte*>(values);
  const mere::NodeId whole = graph.array(mere::Dtype::of<double>(), shape, mere::Graph::Order::c, {data, nullptr});
  const mere::NodeId view = graph.array(mere::Dtype::of<double>(), three, back, {data + 40, nullptr});
  const mere::NodeId cycle = graph.list();
  const std::byte big[] = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5},
                           std::byte{6}, std::byte{7}, std::byte{8}, std::byte{9}, std::byte{10}};
  const mere::NodeId one = graph.integer(1), two = graph.integer(2);
  const mere::NodeId slice = graph.slice(one, two, graph.null());
  const std::int64_t two_by_one[] = {2, 1};
  const mere::NodeId elements[] = {slice, cycle};
  const mere::NodeId objects = graph.object_array(two_by_one, elements);
  mere::ObjectParts parts;
  parts.type = graph.name("pkg.module", "Type.Inner");
  const mere::NodeId args[] = {one, graph.text("x")};
  parts.args = graph.tuple(args);
  const std::pair<mere::NodeId, mere::NodeId> state[] = {{graph.text("self"), cycle},
                                                         {graph.text("b"), graph.bytes(big)}};
  parts.state = graph.dict(state);
  const mere::NodeId object = graph.object(mere::ObjectForm::call, parts);
  const std::pair<mere::NodeId, mere::NodeId> info[] = {{graph.text("format"), graph.text("cloudpickle")}};
  const mere::NodeId opaque = graph.opaque(graph.dict(info), big);
  const mere::NodeId members[] = {cycle, graph.real(-0.0), graph.complex({1, 2})};
  const mere::NodeId frozen = graph.frozenset(std::span(members).subspan(1));
  const mere::NodeId all[] = {whole,
                              view,
                              objects,
                              object,
                              object,
                              opaque,
                              frozen,
                              graph.big_integer(big),
                              graph.boolean(true),
                              graph.ellipsis(),
                              graph.dtype(mere::Dtype::parse("<M8[25s]")),
                              graph.range(one, two, one),
                              graph.bytearray(big),
                              graph.scalar(mere::Dtype::of<float>(), std::span(big).first(4))};
  graph.fill(cycle, all);
  graph.model_root = cycle;
  graph.metadata_root = graph.dict(info);
  const auto bytes = mere::dump_bytes(graph);
  const Model model = Model::from_bytes(bytes);
  model.verify();
  CHECK(mere::dump_bytes(mere::to_graph(model)) == bytes);
  const auto packed = mere::dump_bytes(graph, quick(Codec::zlib));
  CHECK(mere::dump_bytes(mere::to_graph(Model::from_bytes(packed, nullptr, lazy()))) == bytes);
}

TEST_CASE("dump: metadata given as options is added to the graph's own, which stays as it is") {
  mere::Graph graph;
  const std::pair<mere::NodeId, mere::NodeId> own[] = {{graph.text("kept"), graph.integer(1)},
                                                       {graph.text("changed"), graph.integer(2)}};
  graph.model_root = graph.integer(7);
  graph.metadata_root = graph.dict(own);
  DumpOptions options = quick();
  options.metadata = {{"changed", "new"}, {"added", "too"}};
  const auto bytes = mere::dump_bytes(graph, options);
  const Model model = Model::from_bytes(bytes);
  const mere::Node metadata = model.metadata().value();
  CHECK(metadata["kept"].integer() == 1);
  CHECK(metadata["changed"].text() == "new");
  CHECK(metadata["added"].text() == "too");
  const auto own_bytes = mere::dump_bytes(graph);
  const Model without = Model::from_bytes(own_bytes);
  CHECK(without.metadata()->size() == 2);
  CHECK(without.content_id() == model.content_id());
}

TEST_CASE("dump: progress goes up to the whole, from the calling thread") {
  const auto caller = std::this_thread::get_id();
  std::uint64_t last = 0, total = 0;
  bool ordered = true;
  DumpOptions options = quick();
  options.progress = [&](const mere::Progress& progress) {
    ordered = ordered && progress.done_bytes >= last && std::this_thread::get_id() == caller;
    last = progress.done_bytes;
    total = progress.total_bytes;
  };
  mere::dump_bytes(sample(), options);
  CHECK(ordered);
  CHECK(last > 0);
  CHECK(last == total);
}

TEST_CASE("dump: a symbolic link is replaced, not followed") {
  const ScratchDirectory scratch;
  mere::test::write_file(scratch / "target", "untouched");
  std::filesystem::create_symlink("target", scratch / "link.mere");
  mere::dump(std::vector<std::string>{"x"}, scratch / "link.mere", quick());
  CHECK(mere::test::read_file(scratch / "target") == "untouched");
  CHECK(!std::filesystem::is_symlink(scratch / "link.mere"));
  const Model model(scratch / "link.mere");
  CHECK(model.root().size() == 1);
}

TEST_CASE("words: every option word is found again") {
  for (const Codec codec : {Codec::none, Codec::lz4, Codec::lz4hc, Codec::zlib, Codec::zstd, Codec::smallest}) {
    CHECK(mere::find_codec(mere::to_text(codec)) == codec);
  }
  for (const auto value : {mere::Durability::full, mere::Durability::none})
    CHECK(mere::find_durability(mere::to_text(value)) == value);
  for (const auto value : {mere::Verify::none, mere::Verify::manifest, mere::Verify::all})
    CHECK(mere::find_verify(mere::to_text(value)) == value);
  for (const auto value : {mere::Expand::shared, mere::Expand::in_memory, mere::Expand::lazy})
    CHECK(mere::find_expand(mere::to_text(value)) == value);
  CHECK(!mere::find_codec("rar"));
  CHECK(mere::has_codec(Codec::lz4));
}
