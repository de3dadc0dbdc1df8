// Does writing a model's arrays cost more than writing their bytes? write_file() from memory, all sums included,
// against a plain write() of the same bytes in calls of 1 MiB.
//
//   write_bench [DIRECTORY] [MB]

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "codec/filter.hpp"
#include "format/columns.hpp"
#include "format/image.hpp"
#include "format/verify.hpp"
#include "format/writer.hpp"
#include "os/descriptor.hpp"
#include "os/mapping.hpp"
#include "rounds.hpp"

namespace {

using namespace mere;

constexpr std::uint64_t kArrayBytes = 316'416;  // about that of one of model F's trees

// Arrays one after another in one piece of memory.
class MemorySource : public format::BufferSource {
 public:
  explicit MemorySource(std::uint64_t arrays) : bytes_(arrays * kArrayBytes) {
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, bytes_)));
    std::uint64_t x = 88172645463325252U;
    for (std::uint64_t at = 0; at < bytes_; at += 8) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      std::memcpy(memory_.get() + at, &x, 8);
    }
  }
  std::span<const std::byte> all() const { return {memory_.get(), bytes_}; }
  std::span<const std::byte> find_direct(std::uint32_t buffer, std::uint64_t offset,
                                         std::uint64_t length) const override {
    return {memory_.get() + buffer * kArrayBytes + offset, length};
  }
  void read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const override {
    std::memcpy(out.data(), memory_.get() + buffer * kArrayBytes + offset, out.size());
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::uint64_t bytes_;
  std::unique_ptr<std::byte, Free> memory_;
};

format::Columns columns_of(std::uint64_t arrays) {
  format::Columns c;
  format::BufferPlanner planner(c);
  c.nodes.push_back({8, 0, 0, static_cast<std::uint32_t>(arrays), 0});
  c.types.push_back({2, 0, 0, 0, 0, 8, 0, 0, 0});
  c.extents.push_back(kArrayBytes / 8);
  for (std::uint32_t i = 0; i < arrays; ++i) {
    const auto place = planner.add(kArrayBytes);
    c.arrays.push_back({0, place.buffer, place.offset});
    c.nodes.push_back({16, 0, 1, i, 0});
    c.links.push_back(i + 1);
  }
  planner.end_part();
  c.end_model();
  c.model_root = 0;
  return c;
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : std::filesystem::temp_directory_path();
  const std::uint64_t arrays = (argc > 2 ? std::stoull(argv[2]) : 600) * 1'000'000 / kArrayBytes;
  const std::string path = (directory / ("write_bench." + std::to_string(::getpid()))).string();
  const MemorySource source(arrays);
  const format::Columns columns = columns_of(arrays);
  os::Descriptor file;
  const auto fresh = [&] {
    file = os::Descriptor();
    ::unlink(path.c_str());
    file = os::Descriptor(::open(path.c_str(), O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0600));
    if (!file) os::throw_errno(errno, "open", path);
  };
  const auto dump = [&](unsigned threads) {
    format::WriteOptions options;
    options.threads = threads;
    os::DescriptorSink sink(file.get(), path);
    return format::write_file(columns, source, options, sink);
  };
  const auto plain = [&] {
    os::DescriptorSink sink(file.get(), path);
    for (std::uint64_t at = 0; at < source.all().size(); at += 1 << 20) {
      sink.write(source.all().subspan(at, std::min<std::uint64_t>(1 << 20, source.all().size() - at)));
    }
  };

  fresh();
  const std::uint64_t length = dump(2).file_bytes;
  {
    const os::Mapping map(file.get(), 0, length, {}, path);
    format::verify(format::Image(map.bytes(), path), {});
  }
  std::vector<bench::Case> cases = {{"plain write(), 1 MiB calls", fresh, plain, {}},
                                    {"write_file, 2 threads", fresh, [&] { dump(2); }, {}},
                                    {"write_file, 1 thread", fresh, [&] { dump(1); }, {}}};
  bench::run_rounds(cases);
  ::unlink(path.c_str());
  const std::string size = std::to_string(length / 1'000'000) + " MB";
  for (const bench::Case& c : cases) bench::print_samples(c.name, size, c.seconds, 1e3, false, "ms");
  const double base = bench::median(cases[0].seconds);
  bench::print_line("write_file, 2 threads / plain", size, bench::median(cases[1].seconds) / base, 0, "x", "reach 1.0");
  bench::print_line("write_file, 1 thread / plain", size, bench::median(cases[2].seconds) / base, 0, "x", "reach 1.3");
}
