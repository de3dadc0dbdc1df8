#include <doctest/doctest.h>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "expect_error.hpp"
#include "file_forger.hpp"
#include "format/expand.hpp"
#include "format/verify.hpp"
#include "os/sanitized.hpp"
#include "sample_model.hpp"

namespace mere::format {
namespace {

using namespace testing;

WriteOptions options_of(codec::CodecId id, unsigned threads = 1, std::uint64_t alignment = kMinAlignment) {
  WriteOptions options;
  options.codec.codec = id;
  options.filter_table = codec::array_filters();
  options.threads = threads;
  options.alignment = alignment;
  return options;
}

Bytes rewrite_to_memory(const Bytes& file, const WriteOptions& options) {
  const Image image(file, "a.mere");
  os::MemorySink sink;
  const WriteResult result = rewrite(image, options, sink, std::uint64_t{1} << 32);
  CHECK(result.content_low == image.footer().content_low);
  CHECK(result.content_high == image.footer().content_high);
  return sink.take();
}

TEST_CASE("rewrite: gives the bytes that a dump with those options would have given") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(500, 1), random_bytes(20000, 2), small_numbers((2 << 20) + 800, 3),
                           small_numbers(70000, 4), random_bytes(1 << 20, 5)});
  std::vector<WriteOptions> all;
  for (const codec::CodecId id :
       {codec::CodecId::none, codec::CodecId::lz4, codec::CodecId::zlib, codec::CodecId::zstd}) {
    if (!codec::has_codec(id)) continue;
    all.push_back(options_of(id, 2));
    all.push_back(options_of(id, 1, 1 << 16));
  }
  for (const WriteOptions& from : all) {
    const Bytes file = write_to_memory(model, from);
    for (const WriteOptions& to : all) CHECK(rewrite_to_memory(file, to) == write_to_memory(model, to));
    CHECK(expanded_bytes(Image(file, "a.mere")) >=
          write_to_memory(model, options_of(codec::CodecId::none, 1, Image(file, "a.mere").alignment())).size());
  }
}

TEST_CASE("rewrite: damaged data, raw or encoded, is an error that names the file") {
  SampleModel model;
  fill_with_arrays(model, {random_bytes(300000, 2), small_numbers((2 << 20) + 800, 3)});
  for (const codec::CodecId id : {codec::CodecId::none, codec::CodecId::lz4}) {
    const Bytes file = write_to_memory(model, options_of(id));
    const Image good(file, "a.mere");
    for (std::uint32_t block = 0; block < 4; ++block) {
      Bytes bad = file;
      bad[good.block(block).offset + 70] ^= std::byte{4};
      const Image image(bad, "a.mere");
      for (const codec::CodecId to : {codec::CodecId::none, codec::CodecId::lz4}) {
        os::MemorySink sink;
        std::string message;
        const auto reason = reason_of([&] { rewrite(image, options_of(to, 2), sink, 1 << 30); }, &message);
        CHECK(code_of(reason.value_or(Reason::interrupted)) == Errc::corrupt);
        CHECK(message.find("a.mere") != std::string::npos);
      }
    }
  }
}

TEST_CASE("rewrite: more than the limit is refused before anything is decoded") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(1 << 20, 3), small_numbers(1 << 20, 4)});
  const Bytes file = write_to_memory(model, options_of(codec::CodecId::lz4));
  const Image image(file, "a.mere");
  os::MemorySink sink;
  CHECK(word(reason_of([&] { rewrite(image, {}, sink, (2 << 20) - 1); })) == "too_large");
  CHECK(sink.take().empty());
  rewrite(image, {}, sink, 2 << 20);
}

TEST_CASE("rewrite: records that grew in a newer minor version become ours") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(500, 1), random_bytes(20000, 2)});
  const Bytes file = write_to_memory(model);
  FileForger forger(file);
  forger.header.minor = 1;
  for (const Section s :
       {Section::nodes, Section::links, Section::extents, Section::buffers, Section::blocks, Section::sums}) {
    forger.widen(s, 8);
  }
  const Bytes wide = forger.build();
  os::MemorySink sink;
  rewrite(Image(wide, "wide.mere"), {}, sink, 1 << 20);
  CHECK(sink.take() == file);
}

// Counts and forgets.
struct CountingSink : os::Sink {
  std::uint64_t bytes = 0;
  void write(std::span<const std::byte> more) override { bytes += more.size(); }
};

std::uint64_t status_kib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stoull(line.substr(field.size() + 1));
  }
  return 0;
}

// The memory that `work` takes at its height, beyond what was there, in a process of its own.
template <class Work>
std::uint64_t peak_bytes(const Work& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    malloc_trim(0);                                 // what was freed before must not serve for nothing
    std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM starts again from VmRSS
    const std::uint64_t before = status_kib("VmRSS");
    work();
    const std::uint64_t peak = status_kib("VmHWM") - before;
    const bool told = ::write(ends[1], &peak, sizeof peak) == sizeof peak;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  std::uint64_t peak = 0;
  const bool told = ::read(ends[0], &peak, sizeof peak) == sizeof peak;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(told);
  CHECK(status == 0);
  return peak << 10;
}

// Holds what `work` takes against the limit that writer.hpp states, and prints it.
template <class Work>
void check_peak(const std::string& what, const Work& work) {
  constexpr std::uint64_t kLimitKib = 16 << 10;
  const std::uint64_t peak_kib = peak_bytes(work) >> 10;
  MESSAGE(what, ": ", peak_kib, " KiB");
  CHECK_MESSAGE(peak_kib < kLimitKib, what, ": ", peak_kib, " KiB, more than ", kLimitKib);
}

std::string words_of(codec::CodecId id, unsigned threads) {
  return std::string(to_text(id)) + ", " + std::to_string(threads) + " threads";
}

TEST_CASE("memory: dump and rewrite of 256 MiB hold 16 MiB beside the columns" * doctest::skip(!test::kMemoryIsOurs)) {
  SampleModel model;
  std::vector<Bytes> contents;
  for (std::uint64_t i = 0; i < 60; ++i) contents.push_back(small_numbers((4 << 20) + 8 * i, i));
  contents.push_back(random_bytes(16 << 20, 1));
  for (std::uint64_t i = 0; i < 2000; ++i) contents.push_back(small_numbers(800, i));
  fill_with_arrays(model, contents);
  contents = {};
  for (const unsigned threads : {2U, 3U}) {
    for (const codec::CodecId id : {codec::CodecId::none, codec::CodecId::lz4, codec::CodecId::zlib}) {
      for (const bool direct : {true, false}) {
        model.direct = direct;
        check_peak("dump, " + words_of(id, threads) + (direct ? ", direct" : ", gathered"), [&] {
          CountingSink sink;
          write_file(model.columns, model, options_of(id, threads), sink);
        });
      }
    }
    for (const codec::CodecId id : {codec::CodecId::lz4, codec::CodecId::zlib}) {
      const Bytes file = write_to_memory(model, options_of(id, 2));
      for (const codec::CodecId to : {codec::CodecId::none, codec::CodecId::lz4}) {
        check_peak("rewrite, " + std::string(to_text(id)) + " to " + words_of(to, threads), [&] {
          CountingSink sink;
          rewrite(Image(file, "a.mere"), options_of(to, threads), sink, std::uint64_t{1} << 32);
        });
      }
    }
  }
}

TEST_CASE("memory: arrays of single bytes take no more than others" * doctest::skip(!test::kMemoryIsOurs)) {
  SampleModel model;
  const std::uint32_t root = model.node(8), type = model.plain_type(2, 1, 2);
  std::vector<std::uint32_t> members;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Bytes bytes = random_bytes(4 << 20, i);
    for (std::byte& b : bytes) b &= std::byte{3};
    members.push_back(model.array(type, {4 << 20}, bytes));
  }
  model.link(root, members);
  model.columns.model_root = root;
  model.end_model();
  model.end_program();
  model.finish();
  check_peak("dump, " + words_of(codec::CodecId::zlib, 3), [&] {
    CountingSink sink;
    write_file(model.columns, model, options_of(codec::CodecId::zlib, 3), sink);
  });
}

}  // namespace
}  // namespace mere::format
