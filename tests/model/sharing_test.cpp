// Many processes, one copy; files that change under their readers.

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <fstream>

#include <sys/mman.h>
#include <unistd.h>

#include <mere/mere.hpp>

#include "model/reasons.hpp"
#include "model/records.hpp"
#include "os/child_process.hpp"
#include "os/sanitized.hpp"
#include "os/scratch_directory.hpp"

namespace {

using mere::Model;
using mere::Reason;
using mere::test::ChildProcess;
using mere::test::reason_of;
using mere::test::ScratchDirectory;

mere::DumpOptions quick() {
  mere::DumpOptions options;
  options.durability = mere::Durability::none;
  return options;
}

double read_whole(const Model& model) {
  double sum = 0;
  const std::span<const std::byte> bytes = model.bytes();
  for (std::size_t i = 0; i < bytes.size(); i += 512) sum += std::to_integer<int>(bytes[i]);
  return sum;
}

// A count in memory that parent and children see.
struct SharedCount {
  std::atomic<int>* value;
  SharedCount()
      : value(new (mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                  std::atomic<int>(0)) {}
  ~SharedCount() { munmap(value, 4096); }
  void wait_for(int wanted) const {
    while (value->load() < wanted) usleep(1000);
  }
};

}  // namespace

TEST_CASE("sharing: eight processes that read a whole model hold one copy together") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  // 32 MB: large beside what processes differ in anyway.
  const auto result = mere::dump(std::vector<double>(4'000'000, 0.5), path, mere::DumpOptions());
  constexpr int kWorkers = 8;
  const SharedCount started, open_now, opened, leave;
  std::vector<ChildProcess> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      ++*started.value;
      open_now.wait_for(1);
      const Model model(path);
      const double sum = read_whole(model);
      ++*opened.value;
      leave.wait_for(1);
      return sum > 0 ? 0 : 1;
    });
  }
  const auto total_pss = [&] {
    std::uint64_t sum = 0;
    for (const auto& worker : workers) sum += mere::memory_usage(worker.pid()).pss_bytes;
    return sum;
  };
  started.wait_for(kWorkers);
  const std::uint64_t before = total_pss();
  ++*open_now.value;
  opened.wait_for(kWorkers);
  const std::uint64_t after = total_pss();
  ++*leave.value;
  for (auto& worker : workers) CHECK(worker.wait() == 0);
  const double ratio = static_cast<double>(after - before) / static_cast<double>(result.file_bytes);
  MESSAGE("PSS of 8 workers over base, in files: " << ratio);
  // The file once, and half a megabyte a process. ThreadSanitizer's shadow of what is read is many times the file.
  if (!mere::test::kThreadSanitizer) CHECK(ratio < 1.0 + 8 * 0.5e6 / static_cast<double>(result.file_bytes));
  CHECK(ratio > 0.9);
}

TEST_CASE("sharing: readers see the old file or the new one while it is replaced again and again") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  mere::dump(std::vector<std::int64_t>(20000, 0), path, quick());
  const SharedCount stop;
  std::vector<ChildProcess> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      int rounds = 0;
      while (stop.value->load() == 0 || rounds < 50) {
        const Model model(path);
        model.verify(1);
        const auto values = model.root().array().span<std::int64_t>();
        for (const std::int64_t value : values) {
          if (value != values[0]) return 1;
        }
        ++rounds;
      }
      return 0;
    });
  }
  for (int i = 1; i <= 150; ++i)
    mere::dump(std::vector<std::int64_t>(20000 + static_cast<std::size_t>(i % 7), i), path, quick());
  ++*stop.value;
  for (auto& reader : readers) CHECK(reader.wait() == 0);
  CHECK(scratch.entries() == 1);
}

TEST_CASE("sharing: a dump that is killed leaves the old file, and the next one works") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  mere::dump(std::vector<double>(100, 1.0), path, quick());
  const std::string before = mere::test::read_file(path);
  for (int i = 0; i < 10; ++i) {
    ChildProcess writer([&] {
      const std::vector<double> values(3'000'000, 2.0);
      for (;;) mere::dump(values, path, quick());
      return 0;
    });
    usleep(static_cast<useconds_t>(3000 * i));
    writer.kill(SIGKILL);
    CHECK(writer.wait() == -SIGKILL);
    const Model model(path);
    model.verify(1);
  }
  mere::dump(std::vector<double>(100, 1.0), path, quick());
  CHECK(mere::test::read_file(path) == before);
}

TEST_CASE("faults: a file cut under its reader ends in a typed error where faults are guarded") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  mere::dump(std::map<std::string, std::vector<double>>{{"a", std::vector<double>(1'000'000, 1.5)},
                                                        {"b", std::vector<double>(9000, 2.5)}},
             path, quick());
  ChildProcess reader([&] {
    mere::guard_faults();
    const Model model(path);
    const auto bytes = mere::dump_bytes(std::vector<int>{1});
    const Model other = Model::from_bytes(bytes);
    const mere::ArrayView array = model.at("a").array();
    if (truncate(path.c_str(), 100'000) != 0) return 1;
    std::vector<double> out(1'000'000);
    if (reason_of([&] { array.copy_to(std::as_writable_bytes(std::span(out))); }) != Reason::fault) return 2;
    if (!model.faulted()) return 3;
    if (!model.stale()) return 4;
    if (reason_of([&] { model.verify(2); }) != Reason::fault) return 5;
    if (reason_of([&] { model.sha256(); }) != Reason::fault) return 6;
    if (reason_of([&] { mere::load<std::map<std::string, std::vector<double>>>(model); }) != Reason::fault) return 7;
    if (reason_of([&] { model.at("b"); }) != Reason::fault) return 9;
    if (other.faulted()) return 8;
    return 0;
  });
  CHECK(reader.wait() == 0);
}

TEST_CASE("faults: what the zeros of a lost page lead to is told as a fault") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  const auto out = scratch / "out.mere";
  std::vector<double> values(1'000'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * i % 1000003);
  mere::DumpOptions compressed = quick();
  compressed.codec = mere::Codec::lz4;
  mere::dump(std::map<std::string, std::vector<double>>{{"a", values}}, path, compressed);
  const auto cut = [&] { return truncate(path.c_str(), 4096) == 0; };
  mere::OpenOptions lazy;
  lazy.expand = mere::Expand::lazy;

  SUBCASE("decoding a compressed array") {
    ChildProcess reader([&] {
      mere::guard_faults();
      const Model model(path, lazy);
      const mere::ArrayView array = model.at("a").array();
      std::vector<std::byte> copy(static_cast<std::size_t>(array.nbytes()));
      if (!cut()) return 1;
      if (reason_of([&] { array.copy_to(copy); }) != Reason::fault) return 2;
      if (reason_of([&] { model.at("a"); }) != Reason::fault) return 3;
      return reason_of([&] { model.verify(1); }) == Reason::fault ? 0 : 4;
    });
    CHECK(reader.wait() == 0);
  }
  SUBCASE("converting, which leaves no file") {
    ChildProcess converter([&] {
      mere::guard_faults();
      mere::ConvertOptions options;
      options.dump = quick();
      options.dump.threads = 1;
      bool is_cut = false;
      options.dump.progress = [&](const mere::Progress&) { is_cut = is_cut || cut(); };
      if (reason_of([&] { mere::convert(path, out, options); }) != Reason::fault) return 1;
      return is_cut ? 0 : 2;
    });
    CHECK(converter.wait() == 0);
    CHECK_FALSE(std::filesystem::exists(out));
  }
}

TEST_CASE("faults: unguarded, a file cut under its reader ends the process by SIGBUS, as documented") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  mere::dump(std::vector<double>(1'000'000, 1.5), path, quick());
  ChildProcess reader([&] {
    const Model model(path);
    if (truncate(path.c_str(), 100'000) != 0) return 1;
    return read_whole(model) > 0 ? 0 : 2;
  });
  CHECK(reader.wait() == -SIGBUS);
}

TEST_CASE("faults: a file that is overwritten in place is stale, and gives no unsafe access") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  mere::dump(forest::make(5, 2000), path, quick());
  const Model model(path);
  std::string content = mere::test::read_file(path);
  for (std::size_t i = 64; i < content.size(); i += 7) content[i] = static_cast<char>(content[i] * 31 + 7);
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  CHECK(model.stale());
  CHECK(reason_of([&] { model.verify(1); }) != std::nullopt);
  reason_of([&] { mere::load<forest::Forest>(model); });
  reason_of([&] {
    for (mere::Walk walk(model.root()); walk.next();) walk.path();
  });
}
