// Converting: .mere files anew, foreign files, what may not change on the way.

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>

#include <mere/mere.hpp>

#include "model/reasons.hpp"
#include "model/records.hpp"
#include "os/scratch_directory.hpp"

namespace {

using mere::Codec;
using mere::ConvertOptions;
using mere::Model;
using mere::Reason;
using mere::test::message_of;
using mere::test::reason_of;
using mere::test::ScratchDirectory;

ConvertOptions quick(Codec codec = Codec::none) {
  ConvertOptions options;
  options.dump.durability = mere::Durability::none;
  options.dump.codec = codec;
  return options;
}

mere::OpenOptions lazy() {
  mere::OpenOptions options;
  options.expand = mere::Expand::lazy;
  return options;
}

template <std::size_t N>
std::string literal(const char (&bytes)[N]) {
  return std::string(bytes, N - 1);
}
// Protocol 2: {"w": [1, 2.5], "n": None}.
const std::string kPickle = literal(
    "\x80\x02}q\x00(X\x01\x00\x00\x00wq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00"
    "eX\x01\x00\x00\x00nq\x03Nu.");
// os.system("true"), by REDUCE.
const std::string kSystem = literal(
    "\x80\x02"
    "cos\nsystem\nX\x04\x00\x00\x00true\x85R.");

}  // namespace

TEST_CASE("convert: a .mere gets another codec and alignment, and keeps its content id") {
  const ScratchDirectory scratch;
  const auto first = mere::dump(forest::make(4, 20000), scratch / "a.mere", quick().dump);
  ConvertOptions options = quick(Codec::zlib);
  const auto packed = mere::convert(scratch / "a.mere", scratch / "z.mere", options);
  CHECK(packed.source_format == "mere");
  CHECK(packed.dump.content_id == first.content_id);
  CHECK(packed.dump.file_bytes < first.file_bytes / 2);
  options = quick();
  options.dump.alignment = 65536;
  const auto plain = mere::convert(scratch / "z.mere", scratch / "b.mere", options);
  CHECK(plain.dump.content_id == first.content_id);
  CHECK(Model(scratch / "b.mere").info().alignment == 65536);
  options.dump.alignment = 4096;
  mere::convert(scratch / "b.mere", scratch / "c.mere", options);
  CHECK(mere::test::read_file(scratch / "c.mere") == mere::test::read_file(scratch / "a.mere"));
}

TEST_CASE("convert: a compressed .mere is the same whether dumped or converted so") {
  const ScratchDirectory scratch;
  mere::dump(forest::make(2, 20000), scratch / "a.mere", quick().dump);
  mere::dump(forest::make(2, 20000), scratch / "direct.mere", quick(Codec::lz4).dump);
  mere::convert(scratch / "a.mere", scratch / "converted.mere", quick(Codec::lz4));
  CHECK(mere::test::read_file(scratch / "converted.mere") == mere::test::read_file(scratch / "direct.mere"));
}

TEST_CASE("convert: metadata is added, from plain and from compressed files, beside what was there") {
  const ScratchDirectory scratch;
  ConvertOptions options = quick();
  options.dump.metadata = {{"first", "1"}};
  const auto id = mere::dump(forest::make(2, 3000), scratch / "a.mere", options.dump).content_id;
  mere::convert(scratch / "a.mere", scratch / "z.mere", quick(Codec::zlib));
  options.dump.metadata = {{"second", "2"}};
  for (const char* in : {"a.mere", "z.mere"}) {
    const auto result = mere::convert(scratch / in, scratch / "out.mere", options);
    CHECK(result.dump.content_id == id);
    const Model model(scratch / "out.mere");
    CHECK((*model.metadata())["first"].text() == "1");
    CHECK((*model.metadata())["second"].text() == "2");
    model.verify();
  }
}

TEST_CASE("convert: a file is converted onto itself") {
  const ScratchDirectory scratch;
  const auto first = mere::dump(forest::make(4, 20000), scratch / "a.mere", quick().dump);
  const auto result = mere::convert(scratch / "a.mere", scratch / "a.mere", quick(Codec::lz4));
  CHECK(result.dump.content_id == first.content_id);
  CHECK(Model(scratch / "a.mere", lazy()).info().codecs == std::vector<std::string>{"lz4"});
  CHECK(scratch.entries() == 1);
}

TEST_CASE("convert: a pickle becomes a model, told by its bytes") {
  const ScratchDirectory scratch;
  mere::test::write_file(scratch / "p.whatever", kPickle);
  const auto result = mere::convert(scratch / "p.whatever", scratch / "p.mere", quick());
  CHECK(result.source_format == "pickle");
  const Model model(scratch / "p.mere");
  CHECK(model.at("w[0]").integer() == 1);
  CHECK(model.at("w[1]").real() == 2.5);
  CHECK(model.at("n").is_null());
  const mere::Graph graph = mere::import_file(scratch / "p.whatever");
  const auto bytes = mere::dump_bytes(graph);
  CHECK(Model::from_bytes(bytes).content_id() == result.dump.content_id);
}

TEST_CASE("convert: a name that nobody vouched for is refused, and named; vouched for, it is data") {
  const ScratchDirectory scratch;
  mere::test::write_file(scratch / "evil.pkl", kSystem);
  const auto convert = [&](const ConvertOptions& options) {
    mere::convert(scratch / "evil.pkl", scratch / "out.mere", options);
  };
  CHECK(reason_of([&] { convert(quick()); }) == Reason::forbidden_global);
  const std::string message = message_of([&] { convert(quick()); });
  CHECK(message.find("os.system") != std::string::npos);
  CHECK(message.find("evil.pkl") != std::string::npos);
  CHECK(scratch.entries() == 1);
  ConvertOptions options = quick();
  options.trusted = {"os.system"};
  convert(options);
  const Model model(scratch / "out.mere");
  CHECK(model.root().type_name() == "os.system");
}

TEST_CASE("convert: unknown, empty and damaged files are refused, and leave nothing") {
  const ScratchDirectory scratch;
  const auto reason = [&](const std::string& content) {
    mere::test::write_file(scratch / "in", content);
    return reason_of([&] { mere::convert(scratch / "in", scratch / "out.mere", quick()); });
  };
  CHECK(reason("") == Reason::unknown_format);
  CHECK(reason("hello, world") == Reason::unknown_format);
  CHECK(reason(kPickle.substr(0, 20)) != std::nullopt);
  const auto bytes = mere::dump_bytes(forest::make(2, 3000));
  std::string damaged(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  damaged[5000] = static_cast<char>(damaged[5000] ^ 1);
  CHECK(reason(damaged) == Reason::checksum);
  CHECK(reason_of([&] { mere::convert(scratch / "absent", scratch / "out.mere", quick()); }) == Reason::no_file);
  CHECK(scratch.entries() == 1);
}

TEST_CASE("convert: a source that changes meanwhile is an error") {
  const ScratchDirectory scratch;
  mere::dump(forest::make(4, 20000), scratch / "a.mere", quick().dump);
  ConvertOptions options = quick(Codec::lz4);
  bool touched = false;
  options.dump.progress = [&](const mere::Progress&) {
    if (touched) return;
    touched = true;
    std::ofstream(scratch / "a.mere", std::ios::app | std::ios::binary) << "more";
  };
  CHECK(reason_of([&] { mere::convert(scratch / "a.mere", scratch / "out.mere", options); }) == Reason::file_changed);
  CHECK(scratch.entries() == 1);
}

TEST_CASE("convert: a foreign source that changes meanwhile is an error, with and without its SHA-256") {
  const ScratchDirectory scratch;
  // Eight doubles: progress is told of arrays.
  std::string array = "\x93NUMPY\x01" + std::string(1, '\0') + "v" + std::string(1, '\0') +
                      "{'descr': '<f8', 'fortran_order': False, 'shape': (8,), }";
  array += std::string(127 - array.size(), ' ') + "\n" + std::string(64, '\1');
  for (const bool digest : {false, true}) {
    for (const bool cut : {false, true}) {
      mere::test::write_file(scratch / "in.npy", array);
      ConvertOptions options = quick();
      options.source_digest = digest;
      options.dump.progress = [&](const mere::Progress&) {
        mere::test::write_file(scratch / "in.npy", cut ? array.substr(0, 20) : array + "more");
      };
      CHECK(reason_of([&] { mere::convert(scratch / "in.npy", scratch / "out.mere", options); }).has_value());
      CHECK(scratch.entries() == 1);
    }
  }
}

TEST_CASE("convert: a score that is none is refused, in words and in numbers") {
  const auto score = mere::CvScore::parse("roc:auc:0.5:0.25:3");
  REQUIRE(score);
  CHECK(score->metric == "roc:auc");
  CHECK(score->mean == 0.5);
  CHECK(score->std == 0.25);
  CHECK(score->n_splits == 3u);
  CHECK(mere::CvScore::parse("a:b:c:-1:0")->metric == "a:b:c");
  for (const char* bad :
       {"", "a", "a:1", ":1:1", "a:1:x", "a:x:1", "a:1:-1", "a:1:1:1", "a:1:1:x", "a:nan:1", "a:1:1:"}) {
    CAPTURE(bad);
    CHECK(!mere::CvScore::parse(bad));
  }
  const ScratchDirectory scratch;
  mere::test::write_file(scratch / "in.pkl", kPickle);
  ConvertOptions options = quick();
  options.cv_score = mere::CvScore{"accuracy", 0.5, -1, {}};
  CHECK(reason_of([&] { mere::convert(scratch / "in.pkl", scratch / "out.mere", options); }) == Reason::bad_argument);
}
