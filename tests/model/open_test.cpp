// Opening: from names, descriptors, bytes and streams; options; what an open file holds; when it is stale.

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mere/mere.hpp>

#include "model/process_facts.hpp"
#include "model/reasons.hpp"
#include "model/records.hpp"
#include "os/child_process.hpp"
#include "os/scratch_directory.hpp"

namespace {

using mere::Model;
using mere::OpenOptions;
using mere::Reason;
using mere::test::ChildProcess;
using mere::test::count_descriptors;
using mere::test::count_maps;
using mere::test::message_of;
using mere::test::reason_of;
using mere::test::ScratchDirectory;

const std::map<std::string, std::vector<double>> kArrays = {{"a", std::vector<double>(5000, 1.5)}, {"b", {1, 2, 3}}};

mere::DumpOptions quick(mere::Codec codec = mere::Codec::none) {
  mere::DumpOptions options;
  options.durability = mere::Durability::none;
  options.codec = codec;
  return options;
}

// The cache of these tests is their own.
struct PrivateCache {
  ScratchDirectory scratch;
  PrivateCache() {
    ::chmod(scratch.path().c_str(), 0700);
    ::setenv("MERE_CACHE_DIR", (scratch / "cache").c_str(), 1);
  }
  ~PrivateCache() { ::unsetenv("MERE_CACHE_DIR"); }
};

}  // namespace

TEST_CASE("open: an open file holds one map and no descriptor") {
  const ScratchDirectory scratch;
  mere::dump(kArrays, scratch / "held.mere", quick());
  const std::size_t before = count_descriptors();
  {
    const Model model(scratch / "held.mere");
    const Model same = model;
    CHECK(count_descriptors() == before);
    CHECK(count_maps("held.mere") == 1);
    CHECK(same.at("a").array().span<double>()[4999] == 1.5);
  }
  CHECK(count_maps("held.mere") == 0);
}

TEST_CASE("open: 200 models are open at once where 64 descriptors are allowed") {
  const ScratchDirectory scratch;
  mere::dump(kArrays, scratch / "many.mere", quick());
  ChildProcess child([&] {
    const rlimit few{64, 64};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
    std::vector<Model> models;
    for (int i = 0; i < 200; ++i) models.emplace_back(scratch / "many.mere");
    return models[199].at("b").array().span<double>()[2] == 3 ? 0 : 2;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("open: nodes, views and copies work while any handle lives, and after the first one is gone") {
  const ScratchDirectory scratch;
  mere::dump(kArrays, scratch / "a.mere", quick());
  Model copy;
  {
    const Model model(scratch / "a.mere");
    copy = model;
  }
  const mere::Node node = copy.at("a");
  std::filesystem::remove(scratch / "a.mere");
  CHECK(node.array().span<double>().size() == 5000);
}

TEST_CASE("open: many threads read one model at once") {
  const ScratchDirectory scratch;
  mere::dump(forest::make(20, 200), scratch / "f.mere", quick());
  const Model model(scratch / "f.mere");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const Model mine = model;
        const auto nodes = mine.at("trees[" + std::to_string(i % 20) + "].nodes").array();
        if (nodes.field<std::int64_t>("left")[10] != 11) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("open: what is no regular file is refused at once") {
  const ScratchDirectory scratch;
  CHECK(reason_of([&] { Model(scratch / "absent.mere"); }) == Reason::no_file);
  CHECK(reason_of([&] { Model(scratch.path()); }) == Reason::not_regular);
  CHECK(reason_of([&] { Model("/dev/zero"); }) == Reason::not_regular);
  REQUIRE(mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK(reason_of([&] { Model(scratch / "fifo"); }) == Reason::not_regular);
  CHECK(message_of([&] { Model(scratch / "absent.mere"); }).find("absent.mere") != std::string::npos);
}

TEST_CASE("open: a sparse file of a terabyte is refused without being read") {
  const ScratchDirectory scratch;
  mere::test::write_file(scratch / "sparse.mere", "");
  if (truncate((scratch / "sparse.mere").c_str(), off_t{1} << 40) != 0) {
    MESSAGE("skipped: the file system has no files of a terabyte");
    return;
  }
  CHECK(reason_of([&] { Model(scratch / "sparse.mere"); }) == Reason::bad_magic);
}

TEST_CASE("open: empty, short and foreign files have reasons of their own") {
  const ScratchDirectory scratch;
  const auto bytes = mere::dump_bytes(kArrays);
  const std::string whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto opened_as = [&](const std::string& content) {
    mere::test::write_file(scratch / "x", content);
    return reason_of([&] { Model(scratch / "x"); });
  };
  CHECK(opened_as("") == Reason::truncated);
  CHECK(opened_as("PK\3\4 and so on") == Reason::bad_magic);
  CHECK(opened_as(whole.substr(0, 40)) == Reason::truncated);
  CHECK(opened_as(whole.substr(0, whole.size() - 1)) == Reason::truncated);
  CHECK(opened_as(whole + "x") == Reason::truncated);
  CHECK(opened_as(whole) == std::nullopt);
}

TEST_CASE("open: from a descriptor at an offset, from bytes, from a stream and from a pipe, it is the same model") {
  const ScratchDirectory scratch;
  const auto bytes = mere::dump_bytes(kArrays);
  const std::string whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const mere::ContentId id = Model::from_bytes(bytes).content_id();
  mere::test::write_file(scratch / "inside", "header of another format" + whole + "its end");

  const int fd = ::open((scratch / "inside").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  const Model inside = Model::from_descriptor(fd, 24, whole.size());
  CHECK(reason_of([&] { Model::from_descriptor(fd, 24); }) == Reason::truncated);
  CHECK(reason_of([&] { Model::from_descriptor(fd, 24, whole.size() + 8); }) == Reason::truncated);
  CHECK(reason_of([&] { Model::from_descriptor(fd, ~std::uint64_t{0}, 10); }) == Reason::truncated);
  ::close(fd);
  CHECK(inside.content_id() == id);
  CHECK(inside.at("b").array().copy<double>()[1] == 2);
  CHECK(!inside.stale());
  CHECK(reason_of([&] { inside.reopen(); }) == Reason::bad_argument);

  std::istringstream stream(whole);
  const Model streamed = Model::from_stream(stream);
  CHECK(streamed.content_id() == id);
  CHECK(streamed.at("a").array().span<double>().size() == 5000);

  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::thread writer([&] {
    std::size_t done = 0;
    while (done < whole.size()) {
      const ssize_t n = ::write(ends[1], whole.data() + done, std::min<std::size_t>(4000, whole.size() - done));
      if (n < 0) break;
      done += static_cast<std::size_t>(n);
    }
    ::close(ends[1]);
  });
  const Model piped = Model::from_pipe(ends[0]);
  writer.join();
  ::close(ends[0]);
  CHECK(piped.content_id() == id);

  OpenOptions limited;
  limited.limits.memory_bytes = 1000;
  std::istringstream again(whole);
  CHECK(reason_of([&] { Model::from_stream(again, limited); }) == Reason::too_large);
}

TEST_CASE("open: bytes at any address do") {
  const auto bytes = mere::dump_bytes(kArrays);
  std::vector<std::byte> shifted(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
  const Model model = Model::from_bytes(std::span(shifted).subspan(1));
  CHECK(model.at("a").array().copy<double>()[0] == 1.5);
  CHECK(model.at("a").array().values<double>()[4999] == 1.5);
}

TEST_CASE("open: every option opens") {
  const ScratchDirectory scratch;
  const auto result = mere::dump(kArrays, scratch / "a.mere", quick());
  for (int bits = 0; bits < 32; ++bits) {
    OpenOptions options;
    options.copy_on_write = (bits & 1) != 0;
    options.populate = (bits & 2) != 0;
    options.huge_pages = (bits & 4) != 0;
    options.verify = (bits & 8) != 0 ? mere::Verify::all : mere::Verify::manifest;
    options.expand = (bits & 16) != 0 ? mere::Expand::lazy : mere::Expand::in_memory;
    options.content_id = result.content_id;
    const Model model(scratch / "a.mere", options);
    CHECK(model.at("b").array().span<double>()[0] == 1);
  }
  OpenOptions options;
  options.content_id = mere::ContentId{1, 2};
  CHECK(reason_of([&] { Model(scratch / "a.mere", options); }) == Reason::content_differs);
  options = {};
  options.populate = true;
  const Model populated(scratch / "a.mere", options);
  const std::vector<bool> pages = populated.resident_pages();
  CHECK(pages.size() == (result.file_bytes + 4095) / 4096);
  CHECK(std::count(pages.begin(), pages.end(), true) == static_cast<std::ptrdiff_t>(pages.size()));
}

TEST_CASE("open: verify finds a changed byte of an array, a plain open serves it") {
  const ScratchDirectory scratch;
  mere::dump(kArrays, scratch / "a.mere", quick());
  std::string content = mere::test::read_file(scratch / "a.mere");
  content[4096 + 80] = static_cast<char>(content[4096 + 80] ^ 1);
  mere::test::write_file(scratch / "a.mere", content);
  const Model model(scratch / "a.mere");
  CHECK(reason_of([&] { model.verify(); }) == Reason::checksum);
  OpenOptions options;
  options.verify = mere::Verify::all;
  CHECK(reason_of([&] { Model(scratch / "a.mere", options); }) == Reason::checksum);
  options.verify = mere::Verify::manifest;
  CHECK(reason_of([&] { Model(scratch / "a.mere", options); }) == std::nullopt);
}

TEST_CASE("open: copy-on-write pages belong to one process") {
  const ScratchDirectory scratch;
  mere::dump(kArrays, scratch / "a.mere", quick());
  OpenOptions options;
  options.copy_on_write = true;
  const Model model(scratch / "a.mere", options);
  auto* first = const_cast<double*>(model.at("a").array().span<double>().data());
  ChildProcess child([&] {
    *first = 99;
    return *first == 99 ? 0 : 1;
  });
  CHECK(child.wait() == 0);
  CHECK(*first == 1.5);
  *first = 7;
  const Model other(scratch / "a.mere");
  CHECK(other.at("a").array().span<double>()[0] == 1.5);
  CHECK(reason_of([&] { other.verify(); }) == std::nullopt);
}

TEST_CASE("open: a model is used in children forked after it was opened") {
  const ScratchDirectory scratch;
  mere::dump(forest::make(10, 1000), scratch / "f.mere", quick());
  Model model(scratch / "f.mere");
  std::vector<ChildProcess> children;
  for (int i = 0; i < 4; ++i) {
    children.emplace_back([&] {
      const auto loaded = mere::load<forest::Forest>(model);
      return loaded.trees[9].nodes[999].left == 1000 ? 0 : 1;
    });
  }
  model = Model();
  for (auto& child : children) CHECK(child.wait() == 0);
}

TEST_CASE("stale: tells a replaced, removed, cut, grown or touched file from one that is as it was") {
  const ScratchDirectory scratch;
  const std::filesystem::path path = scratch / "a.mere";
  const auto fresh = [&] {
    mere::dump(kArrays, path, quick());
    Model model(path);
    CHECK(!model.stale());
    return model;
  };
  Model model = fresh();
  mere::dump(kArrays, path, quick());
  CHECK(model.stale());
  const Model again = model.reopen();
  CHECK(!again.stale());
  CHECK(again.content_id() == model.content_id());
  CHECK(model.at("b").array().span<double>()[0] == 1);

  model = fresh();
  std::filesystem::remove(path);
  CHECK(model.stale());
  CHECK(reason_of([&] { model.reopen(); }) == Reason::no_file);

  model = fresh();
  const auto size = static_cast<off_t>(std::filesystem::file_size(path));
  REQUIRE(truncate(path.c_str(), size - 100) == 0);
  CHECK(model.stale());
  CHECK(reason_of([&] { model.reopen(); }) == Reason::truncated);
  REQUIRE(truncate(path.c_str(), size) == 0);
  CHECK(model.stale());

  model = fresh();
  const timespec times[2] = {{0, UTIME_OMIT}, {1000000000, 5}};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  CHECK(model.stale());

  model = fresh();
  std::filesystem::rename(path, scratch / "elsewhere.mere");
  CHECK(model.stale());

  const int fd = ::open((scratch / "elsewhere.mere").c_str(), O_RDWR | O_CLOEXEC);
  const Model unnamed = Model::from_descriptor(fd);
  CHECK(!unnamed.stale());
  REQUIRE(ftruncate(fd, size + 10) == 0);
  CHECK(unnamed.stale());
  ::close(fd);
  CHECK(!unnamed.stale());
}

TEST_CASE("open: a compressed file is expanded once and shared, or in memory, or not at all") {
  const PrivateCache cache;
  const ScratchDirectory scratch;
  const auto path = scratch / "c.mere";
  const auto result = mere::dump(kArrays, path, quick(mere::Codec::zlib));
  OpenOptions lazy;
  lazy.expand = mere::Expand::lazy;
  const Model unread(path, lazy);
  CHECK(!unread.expanded());
  CHECK(!unread.at("a").array().is_mapped());
  CHECK(reason_of([&] { unread.at("a").array().data(); }) == Reason::not_mapped);
  CHECK(unread.at("a").array().copy<double>()[4999] == 1.5);
  CHECK(mere::cache_list().empty());

  OpenOptions memory;
  memory.expand = mere::Expand::in_memory;
  const Model private_copy(path, memory);
  CHECK(private_copy.at("a").array().span<double>()[4999] == 1.5);
  CHECK(private_copy.content_id() == result.content_id);
  CHECK(mere::cache_list().empty());
  memory.limits.memory_bytes = 10000;
  CHECK(reason_of([&] { Model(path, memory); }) == Reason::too_large);

  const Model shared(path);
  CHECK(shared.expanded());
  CHECK(shared.at("a").array().span<double>()[4999] == 1.5);
  CHECK(shared.content_id() == result.content_id);
  CHECK(shared.name() == path.string());
  CHECK(!shared.stale());
  CHECK(shared.sha256() == unread.sha256());
  REQUIRE(mere::cache_list().size() == 1);
  CHECK(mere::cache_list()[0].digest == unread.sha256());
  const Model second(path);
  CHECK(second.expanded());
  CHECK(mere::cache_list().size() == 1);
  const auto bytes = mere::test::read_file(path);
  CHECK(Model::from_bytes(std::as_bytes(std::span(bytes))).expanded());
  CHECK(mere::cache_list().size() == 1);
  CHECK(mere::cache_clear() > 0);
  CHECK(mere::cache_list().empty());
  CHECK(shared.at("a").array().span<double>()[0] == 1.5);
}

TEST_CASE("info: says what the file holds") {
  const ScratchDirectory scratch;
  mere::DumpOptions options = quick();
  options.metadata = {{"trained", "2024"}};
  const auto result = mere::dump(kArrays, scratch / "a.mere", options);
  const Model model(scratch / "a.mere");
  const mere::ModelInfo info = model.info();
  CHECK(info.name == (scratch / "a.mere").string());
  CHECK(info.file_bytes == result.file_bytes);
  CHECK(info.content_id == result.content_id);
  CHECK(info.arrays == 2);
  CHECK(info.array_bytes == 5003 * 8);
  CHECK(info.nodes == 5);
  CHECK(info.buffers == 2);
  CHECK(info.has_metadata);
  CHECK(!info.has_program);
  CHECK(info.codecs == std::vector<std::string>{"none"});
  CHECK(info.filters.empty());
  REQUIRE(model.metadata());
  CHECK((*model.metadata())["trained"].text() == "2024");
  const auto segments = model.segments();
  REQUIRE(segments.size() == 12);
  CHECK(segments[0].what == "segment");
  CHECK(segments[1].what == "arena");
  CHECK(segments[2].what == "nodes");
  CHECK(segments[0].offset == 4096);
  std::uint64_t end = 0;
  for (const auto& segment : segments) {
    CHECK(segment.offset >= end);
    end = segment.offset + segment.stored_bytes;
  }
  CHECK(end <= info.file_bytes);
  CHECK(model.sha256().size() == 64);
}

TEST_CASE("model: one that was never opened says so") {
  const Model none;
  CHECK(!none);
  CHECK(reason_of([&] { none.root(); }) == Reason::bad_argument);
  CHECK(reason_of([&] { none.info(); }) == Reason::bad_argument);
  CHECK(reason_of([&] { none.stale(); }) == Reason::bad_argument);
}

TEST_CASE("content id: text and back") {
  const mere::ContentId id{0x0123456789abcdef, 0xfedcba9876543210};
  CHECK(id.to_text() == "fedcba98765432100123456789abcdef");
  CHECK(mere::ContentId::parse(id.to_text()) == id);
  CHECK(!mere::ContentId::parse("fedc"));
  CHECK(!mere::ContentId::parse(std::string(31, '0') + "g"));
}
