// Is a dump as fast as plain write() of the same bytes, and what memory does it take?
//
//   dump_bench FOREST_MERE FOLDER      FOLDER lies on the file system to measure (ext4 in the tables)

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mere/dump.hpp>
#include <mere/model.hpp>
#include "rounds.hpp"

namespace {

namespace fs = std::filesystem;

void check_call(bool succeeded, const char* what) {
  if (!succeeded) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

// The bytes of a file in private memory, every page of it touched.
std::shared_ptr<std::byte> private_copy(const fs::path& path, std::size_t& bytes) {
  bytes = static_cast<std::size_t>(fs::file_size(path));
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check_call(memory != MAP_FAILED, "mmap");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check_call(fd >= 0, "open");
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got = read(fd, static_cast<char*>(memory) + done, bytes - done);
    check_call(got > 0, "read");
    done += static_cast<std::size_t>(got);
  }
  close(fd);
  return {static_cast<std::byte*>(memory), [bytes](std::byte* p) { munmap(p, bytes); }};
}

// What a program would do that has the arrays and no format: one thread, calls of 1 MiB, no fallocate.
void plain_write(const fs::path& path, const std::byte* data, std::size_t bytes, bool durable) {
  const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  check_call(fd >= 0, "open");
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t put = write(fd, data + done, std::min<std::size_t>(bytes - done, 1 << 20));
    check_call(put > 0, "write");
    done += static_cast<std::size_t>(put);
  }
  if (durable) check_call(fsync(fd) == 0, "fsync");
  close(fd);
}

void bench_forest(const fs::path& forest, const fs::path& folder) {
  std::size_t bytes = 0;
  const std::shared_ptr<std::byte> memory = private_copy(forest, bytes);
  const mere::Model model = mere::Model::from_bytes({memory.get(), bytes}, memory);
  const mere::Graph graph = mere::to_graph(model);
  const fs::path ours = folder / "dump_bench.mere", plain = folder / "dump_bench.bin";
  const auto options = [](unsigned threads, mere::Durability durability) {
    mere::DumpOptions o;
    o.threads = threads;
    o.durability = durability;
    return o;
  };
  {
    const mere::DumpResult result = mere::dump(graph, ours, options(2, mere::Durability::none));
    bench::require(result.content_id == model.content_id(), "dumped again, a model keeps its content id");
    const mere::Model again(ours);
    again.verify();
  }
  // Files of earlier rounds are removed, and what they left to write is written, before the clock starts.
  const auto clear = [&] {
    fs::remove(ours);
    fs::remove(plain);
  };
  const auto clear_and_sync = [&] {
    clear();
    sync();
  };
  std::vector<bench::Case> cases = {
      {"plain write(), 1 MiB calls", clear, [&] { plain_write(plain, memory.get(), bytes, false); }, {}},
      {"dump, 2 threads, Durability::none",
       clear,
       [&] { mere::dump(graph, ours, options(2, mere::Durability::none)); },
       {}},
      {"dump, 1 thread, Durability::none",
       clear,
       [&] { mere::dump(graph, ours, options(1, mere::Durability::none)); },
       {}}};
  bench::run_rounds(cases);
  std::vector<bench::Case> durable = {
      {"plain write() + fsync", clear_and_sync, [&] { plain_write(plain, memory.get(), bytes, true); }, {}},
      {"dump, 2 threads, durable",
       clear_and_sync,
       [&] { mere::dump(graph, ours, options(2, mere::Durability::full)); },
       {}}};
  bench::run_rounds(durable);

  const std::string size = bench::mb(bytes);
  const double base = bench::median(cases[0].seconds), base_durable = bench::median(durable[0].seconds);
  for (const auto& c : cases) bench::print_samples("F: " + c.name, size, c.seconds, 1e3, false, "ms");
  for (const auto& c : durable) bench::print_samples("F: " + c.name, size, c.seconds, 1e3, false, "ms");
  const double two = bench::median(cases[1].seconds) / base, one = bench::median(cases[2].seconds) / base;
  const double safe = bench::median(durable[1].seconds) / base_durable;
  bench::print_line("F: dump, 2 threads / plain write()", size, two, 0, "x", bench::at_most(two, 1.0));
  bench::print_line("F: dump, 1 thread / plain write()", size, one, 0, "x", bench::at_most(one, 1.3));
  bench::print_line("F: durable dump / plain write() + fsync", size, safe, 0, "x", bench::at_most(safe, 1.1));
  clear();
}

std::uint64_t status_kb(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::strtoull(line.c_str() + std::strlen(field) + 1, nullptr, 10);
  }
  return 0;
}

void bench_memory(const fs::path& forest, const fs::path& folder) {
  std::size_t bytes = 0;
  const std::shared_ptr<std::byte> memory = private_copy(forest, bytes);
  const mere::Model model = mere::Model::from_bytes({memory.get(), bytes}, memory);
  const mere::Graph graph = mere::to_graph(model);
  const fs::path ours = folder / "dump_bench.mere";
  const auto manifest = model.info().manifest_bytes;
  for (const mere::Codec codec : {mere::Codec::none, mere::Codec::lz4}) {
    std::ofstream("/proc/self/clear_refs") << "5\n";  // VmHWM starts again
    const std::uint64_t before_kb = status_kb("VmRSS");
    mere::DumpOptions options;
    options.codec = codec;
    options.threads = 2;
    options.durability = mere::Durability::none;
    mere::dump(graph, ours, options);
    const double used = static_cast<double>(status_kb("VmHWM") - before_kb) * 1024 / 1e6;
    const double limit = static_cast<double>((16u << 20) + manifest) / 1e6;
    bench::print_line("F: memory of a dump, codec " + std::string(mere::to_text(codec)), bench::mb(bytes), used, 0,
                      "MB", bench::at_most(used, limit));
  }
  fs::remove(ours);
}

void bench_small_arrays(const fs::path& folder) {
  constexpr std::size_t kArrays = 10000, kNumbers = 64;
  // Each array in memory of its own, as a dict of NumPy arrays has them.
  std::vector<std::shared_ptr<std::vector<double>>> arrays;
  for (std::size_t i = 0; i < kArrays; ++i) {
    arrays.push_back(std::make_shared<std::vector<double>>(kNumbers, 0.5 + static_cast<double>(i)));
  }
  const auto build = [&] {
    mere::Graph graph;
    std::vector<std::pair<mere::NodeId, mere::NodeId>> entries;
    entries.reserve(kArrays);
    for (std::size_t i = 0; i < kArrays; ++i) {
      const mere::ArraySource source{reinterpret_cast<const std::byte*>(arrays[i]->data()), arrays[i]};
      entries.emplace_back(graph.text("k" + std::to_string(i)),
                           graph.array(mere::Dtype::of<double>(), mere::Dims{kNumbers}, mere::Graph::Order::c, source));
    }
    graph.model_root = graph.dict(entries);
    return graph;
  };
  const fs::path path = folder / "dump_bench_small.mere";
  mere::DumpOptions options;
  options.durability = mere::Durability::none;
  const mere::Graph graph = build();
  mere::dump(graph, path, options);
  const auto file_bytes = fs::file_size(path);
  const mere::Model model(path);
  model.verify();
  for (std::size_t i = 0; i < kArrays; i += 97) {
    bench::require(model.at("k" + std::to_string(i)).array().span<double>()[63] == arrays[i]->back(),
                   "an array differs");
  }
  const std::vector<std::byte> bytes(file_bytes, std::byte{1});
  const auto clear = [&] { fs::remove(path); };
  std::vector<bench::Case> cases = {
      {"10,000 x 512 B: one write()", clear, [&] { plain_write(path, bytes.data(), bytes.size(), false); }, {}},
      {"10,000 x 512 B: dump", clear, [&] { mere::dump(graph, path, options); }, {}},
      {"10,000 x 512 B: build the graph and dump", clear, [&] { mere::dump(build(), path, options); }, {}}};
  bench::run_rounds(cases, 101);
  for (const auto& c : cases) {
    const bool is_dump = c.name.ends_with("B: dump");
    bench::print_samples(c.name, bench::mb(file_bytes), c.seconds, 1e3, false, "ms",
                         is_dump ? bench::at_most(bench::median(c.seconds) * 1e3, 5) : "");
  }
  const double size = static_cast<double>(file_bytes) / 1e6;
  bench::print_line("10,000 x 512 B: file", "", size, 0, "MB", bench::at_most(size, 5.8));
  clear();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: dump_bench FOREST_MERE FOLDER\n");
    return 2;
  }
  return bench::run_program([&] {
    bench_small_arrays(argv[2]);
    bench_memory(argv[1], argv[2]);
    bench_forest(argv[1], argv[2]);
  });
}
