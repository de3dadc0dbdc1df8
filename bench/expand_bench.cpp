// Is expanding a compressed model as fast as its codec alone, and how small and how fast is an archive?
//
//   expand_bench FOREST_MERE

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <lz4.h>
#include <zlib.h>
#ifdef MERE_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include <mere/dump.hpp>
#include <mere/model.hpp>
#include "rounds.hpp"

namespace {

using Bytes = std::vector<std::byte>;

// The arrays of the first 100 trees, in a list.
mere::Graph first_trees(const mere::Model& forest) {
  mere::Graph graph;
  std::vector<mere::NodeId> arrays;
  for (int tree = 0; tree < 100; ++tree) {
    for (const char* name : {"nodes", "values"}) {
      const mere::ArrayView array = forest.at("estimators_[" + std::to_string(tree) + "].tree_." + name).array();
      // The source borrows the map of `forest`, which outlives the graph.
      arrays.push_back(graph.array(array.dtype(), array.shape(), array.strides(), {array.data(), nullptr}));
    }
  }
  graph.model_root = graph.list(arrays);
  return graph;
}

// Calls `work(i)` for i below `count`, on `threads` threads that take the next one each.
void share_out(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto loop = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < count;) work(i);
  };
  std::vector<std::thread> others;
  for (unsigned t = 1; t < threads; ++t) others.emplace_back(loop);
  loop();
  for (std::thread& t : others) t.join();
}

// Memory that is there: written once, page by page.
struct Target {
  std::vector<Bytes> arrays;
  explicit Target(const mere::Model& model) {
    for (std::size_t i = 0; i < model.root().size(); ++i) {
      arrays.emplace_back(static_cast<std::size_t>(model.root()[i].array().nbytes()), std::byte{1});
    }
  }
};

void decode_block(const mere::SegmentInfo& block, const std::byte* file, std::byte* out) {
  const auto* in = reinterpret_cast<const char*>(file + block.offset);
  bool whole = false;
  if (block.codec == "lz4") {
    whole = LZ4_decompress_safe(in, reinterpret_cast<char*>(out), static_cast<int>(block.stored_bytes),
                                static_cast<int>(block.raw_bytes)) == static_cast<int>(block.raw_bytes);
  } else if (block.codec == "zlib") {
#ifdef MERE_HAVE_LIBDEFLATE
    thread_local const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
        libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
    whole = libdeflate_zlib_decompress(inflater.get(), in, block.stored_bytes, out, block.raw_bytes, nullptr) ==
            LIBDEFLATE_SUCCESS;
#else
    uLongf length = block.raw_bytes;
    whole = uncompress(reinterpret_cast<Bytef*>(out), &length, reinterpret_cast<const Bytef*>(in),
                       block.stored_bytes) == Z_OK &&
            length == block.raw_bytes;
#endif
  } else {
    std::memcpy(out, in, block.raw_bytes);
    whole = true;
  }
  if (!whole) throw std::runtime_error("a block does not decode");
}

void bench_codec(const mere::Graph& graph, const mere::Model& forest, mere::Codec codec, bool filters) {
  mere::DumpOptions options;
  options.codec = codec;
  options.filters = filters;
  options.threads = 1;
  const Bytes file = mere::dump_bytes(graph, options);
  mere::OpenOptions lazy;
  lazy.expand = mere::Expand::lazy;
  const mere::Model model = mere::Model::from_bytes(file, nullptr, lazy);
  Target target(model);
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < target.arrays.size(); ++i) {
    const mere::ArrayView array = model.root()[i].array();
    array.copy_to(target.arrays[i]);
    const std::string path = "estimators_[" + std::to_string(i / 2) + "].tree_." + (i % 2 == 0 ? "nodes" : "values");
    const auto original = forest.at(path).array().bytes();
    bench::require(std::equal(original.begin(), original.end(), target.arrays[i].begin(), target.arrays[i].end()),
                   path);
    raw += original.size();
  }

  const std::string name = std::string(mere::to_text(codec)) + (filters ? " with filters" : "");
  const std::string size = bench::mb(raw);
  const auto rate = [&](const bench::Case& c) { return static_cast<double>(raw) / bench::median(c.seconds) / 1e9; };
  const auto read_all = [&](unsigned threads) {
    share_out(target.arrays.size(), threads, [&](std::size_t i) { model.root()[i].array().copy_to(target.arrays[i]); });
  };
  if (filters) {
    mere::OpenOptions in_memory;
    in_memory.expand = mere::Expand::in_memory;
    in_memory.threads = 1;
    // What new memory costs that is written once.
    const auto copy = [&] {
      const std::vector<Bytes> fresh(target.arrays);
      if (fresh.front().empty()) throw std::runtime_error("nothing was copied");
    };
    std::vector<bench::Case> cases = {{"encode", {}, [&] { mere::dump_bytes(graph, options); }, {}},
                                      {"expand", {}, [&] { mere::Model::from_bytes(file, nullptr, in_memory); }, {}},
                                      {"read", {}, [&] { read_all(1); }, {}},
                                      {"copy", {}, copy, {}}};
    bench::run_rounds(cases);
    const double ratio = static_cast<double>(raw) / static_cast<double>(file.size());
    const bool is_archive = codec == mere::Codec::zlib;
    const auto line = [&](std::size_t i, const char* what, double scale, const char* unit, const std::string& reach) {
      bench::print_samples("archive, " + name + ": " + what, size, cases[i].seconds, static_cast<double>(raw) / scale,
                           true, unit, reach);
    };
    bench::print_line("archive, " + name + ": ratio", size, ratio, 0, "x",
                      is_archive ? bench::at_least(ratio, 35) : "");
    line(0, "encode, 1 thread", 1e6, "MB/s", is_archive ? bench::at_least(rate(cases[0]) * 1e3, 500) : "");
    line(1, "verify and expand into new memory", 1e9, "GB/s", "");
    line(3, "the same memory by copying arrays", 1e9, "GB/s", "");
    // A tree's two arrays are decoded together, so reading each alone decodes it twice.
    line(2, "read each array alone, 1 thread", 1e9, "GB/s", is_archive ? bench::at_least(rate(cases[2]), 0.9) : "");
    return;
  }

  std::vector<mere::SegmentInfo> blocks;
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (const mere::SegmentInfo& s : model.segments()) {
    if (s.what != "segment" && s.what != "arena") continue;
    blocks.push_back(s);
    places.push_back(place);
    place += s.raw_bytes;
  }
  Bytes bare(place, std::byte{1});
  const auto decode_all = [&](unsigned threads) {
    share_out(blocks.size(), threads,
              [&](std::size_t i) { decode_block(blocks[i], file.data(), bare.data() + places[i]); });
  };
  std::vector<bench::Case> cases = {{"the codec alone, 1 thread", {}, [&] { decode_all(1); }, {}},
                                    {"expand, summed, 1 thread", {}, [&] { read_all(1); }, {}},
                                    {"the codec alone, 2 threads", {}, [&] { decode_all(2); }, {}},
                                    {"expand, summed, 2 threads", {}, [&] { read_all(2); }, {}}};
  bench::run_rounds(cases);
  for (const auto& c : cases) {
    bench::print_samples(name + ": " + c.name, size, c.seconds, static_cast<double>(raw) / 1e9, true, "GB/s");
  }
  for (const std::size_t i : {0u, 2u}) {
    const double part = rate(cases[i + 1]) / rate(cases[i]);
    bench::print_line(name + ": expand / codec alone, " + (i == 0 ? "1 thread" : "2 threads"), size, part, 0, "x",
                      bench::at_least(part, 0.9));
  }
}

std::uint64_t status_kb(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::strtoull(line.c_str() + std::strlen(field) + 1, nullptr, 10);
  }
  return 0;
}

// Expanding into private memory takes the data and 16 MiB + the manifest beside it.
void bench_memory(const mere::Graph& graph) {
  mere::DumpOptions options;
  options.codec = mere::Codec::lz4;
  const Bytes file = mere::dump_bytes(graph, options);
  mere::OpenOptions open;
  open.expand = mere::Expand::in_memory;
  open.threads = 2;
  std::ofstream("/proc/self/clear_refs") << "5\n";
  const std::uint64_t before_kb = status_kb("VmRSS");
  const mere::Model model = mere::Model::from_bytes(file, nullptr, open);
  const double peak = static_cast<double>(status_kb("VmHWM") - before_kb) * 1024;
  const double beyond = (peak - static_cast<double>(model.info().raw_bytes)) / 1e6;
  const double limit = static_cast<double>((16u << 20) + model.info().manifest_bytes) / 1e6;
  bench::print_line("memory of expanding, beyond the data", bench::mb(model.info().raw_bytes), beyond, 0, "MB",
                    bench::at_most(beyond, limit));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: expand_bench FOREST_MERE\n");
    return 2;
  }
  return bench::run_program([&] {
    const mere::Model forest(argv[1]);
    const mere::Graph graph = first_trees(forest);
    bench_memory(graph);
    bench_codec(graph, forest, mere::Codec::lz4, false);
    bench_codec(graph, forest, mere::Codec::zlib, false);
    bench_codec(graph, forest, mere::Codec::lz4, true);
    bench_codec(graph, forest, mere::Codec::zlib, true);
    if (mere::has_codec(mere::Codec::zstd)) bench_codec(graph, forest, mere::Codec::zstd, true);
  });
}
