// How small and how fast are archives that know trees, against the filter of columns and against copying?
//   tree_bench FOLDER [ROUNDS]        FOLDER made by make_tree_arrays.py, or by
// tests/data/trees/make.py
// One thread. Every result is compared with the raw bytes before it is timed; decoding is timed with the sums of the
// arrays, into memory that was touched before. Times are of the processor, of rounds in which each case runs once.

#include <time.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "codec/block_codec.hpp"
#include "codec/checksum.hpp"
#include "codec/columns_filter.hpp"
#include "rounds.hpp"
#include "treefilter/tree_filter.hpp"

namespace {

using namespace mere::codec;
using Bytes = std::vector<std::byte>;

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw std::runtime_error("cannot read " + path);
  Bytes bytes(static_cast<std::size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Tree {
  std::span<const std::byte> raw[2];
  Bytes back[2];
};

// Working memory, and what was stored last of each array or tree.
struct Worker {
  BlockCodec codec;
  FilterScratch scratch;
  Bytes filtered, room;
  std::vector<Bytes> stored;
  std::vector<std::size_t> filtered_bytes;
  std::uint64_t sums = 0;
};

struct Case {
  std::string name;
  EncodeChoice choice;
  bool by_tree;
  Worker worker = {};
  std::vector<double> encode_s = {}, decode_s = {};
  std::size_t stored = 0;
};

void encode(Case& c, std::vector<Tree>& trees, std::span<const RowLayout> layouts) {
  Worker& w = c.worker;
  w.stored.resize(2 * trees.size());
  w.filtered_bytes.assign(2 * trees.size(), 0);
  c.stored = 0;
  const auto keep = [&](std::size_t i, std::span<const std::byte> bytes) {
    w.room.resize(std::max(w.room.size(), encode_bound(c.choice, bytes.size())));
    const std::size_t length = w.codec.encode(c.choice, bytes, w.room);
    w.stored[i].assign(w.room.begin(), w.room.begin() + static_cast<std::ptrdiff_t>(length));
    c.stored += length;
  };
  for (std::size_t t = 0; t < trees.size(); ++t) {
    if (c.by_tree) {
      if (!mere::treefilter::TreeFilter().encode(trees[t].raw, layouts, w.filtered, w.scratch)) {
        throw std::runtime_error("the filter does not take tree " + std::to_string(t));
      }
      w.filtered_bytes[2 * t] = w.filtered.size();
      keep(2 * t, w.filtered);
      continue;
    }
    for (std::size_t k = 0; k < 2; ++k) {
      const bool is_filtered = ColumnsFilter().encode(trees[t].raw[k], layouts[k], {}, w.filtered, w.scratch);
      if (is_filtered) w.filtered_bytes[2 * t + k] = w.filtered.size();
      keep(2 * t + k, is_filtered ? std::span<const std::byte>(w.filtered) : trees[t].raw[k]);
    }
  }
}

void decode(Case& c, std::vector<Tree>& trees) {
  Worker& w = c.worker;
  for (std::size_t t = 0; t < trees.size(); ++t) {
    Tree& tree = trees[t];
    for (std::size_t k = 0; k < 2; ++k) {
      const std::size_t length = w.filtered_bytes[2 * t + k];
      if (c.by_tree && k == 1) break;
      if (length == 0) {
        w.codec.decode(c.choice.codec, w.stored[2 * t + k], tree.back[k]);
        continue;
      }
      w.room.resize(std::max(w.room.size(), length));
      const std::span<std::byte> filtered = std::span(w.room).first(length);
      w.codec.decode(c.choice.codec, w.stored[2 * t + k], filtered);
      if (c.by_tree) {
        const std::span<std::byte> back[2] = {tree.back[0], tree.back[1]};
        mere::treefilter::TreeFilter().decode(filtered, back, w.scratch);
      } else {
        ColumnsFilter().decode(filtered, tree.back[k], w.scratch);
      }
    }
    for (const Bytes& back : tree.back) w.sums += xxh3_64(back);
  }
}

void run(const std::string& folder, std::size_t rounds) {
  const Bytes nodes = read_file(folder + "/nodes.bin"), values = read_file(folder + "/values.bin"),
              offset_bytes = read_file(folder + "/offsets.bin");
  std::vector<std::int64_t> offsets(offset_bytes.size() / 8);
  std::memcpy(offsets.data(), offset_bytes.data(), offsets.size() * 8);
  const auto count = static_cast<std::size_t>(offsets.back());
  const std::size_t node_bytes = nodes.size() / count, row_bytes = values.size() / count;

  using enum Column::Content;
  RowLayout layouts[2] = {{node_bytes,
                           {{0, 8, integer},
                            {8, 8, integer},
                            {16, 8, integer},
                            {24, 8, real},
                            {32, 8, real},
                            {40, 8, integer},
                            {48, 8, real}}},
                          {row_bytes, {}}};
  if (node_bytes > 56) {
    layouts[0].columns.push_back({56, 1, integer});
    layouts[0].columns.push_back({57, static_cast<std::uint32_t>(node_bytes - 57), other});
  }
  for (std::uint32_t c = 0; c < row_bytes / 8; ++c) layouts[1].columns.push_back({8 * c, 8, real});
  std::vector<Tree> trees;
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    const auto from = static_cast<std::size_t>(offsets[t]), n = static_cast<std::size_t>(offsets[t + 1]) - from;
    trees.push_back({{std::span(nodes).subspan(from * node_bytes, n * node_bytes),
                      std::span(values).subspan(from * row_bytes, n * row_bytes)},
                     {Bytes(n * node_bytes, std::byte{1}), Bytes(n * row_bytes, std::byte{1})}});
  }

  const auto total = static_cast<double>(nodes.size() + values.size());
  std::vector<Case> cases;
  cases.push_back({"columns + zlib-6", {CodecId::zlib, false, 6}, false});
  cases.push_back({"tree + zlib-6", {CodecId::zlib, false, 6}, true});
  cases.push_back({"tree + lz4", {CodecId::lz4, false, 0}, true});
  if (has_codec(CodecId::zstd)) cases.push_back({"tree + zstd-3", {CodecId::zstd, false, 3}, true});
  std::vector<double> copy_s;
  for (std::size_t round = 0; round <= rounds; ++round) {
    for (Case& c : cases) {
      double start = thread_seconds();
      encode(c, trees, layouts);
      c.encode_s.push_back(thread_seconds() - start);
      if (round == 0) {
        for (Tree& tree : trees) {
          for (Bytes& back : tree.back) std::fill(back.begin(), back.end(), std::byte{1});
        }
      }
      start = thread_seconds();
      decode(c, trees);
      c.decode_s.push_back(thread_seconds() - start);
      for (const Tree& tree : trees) {
        for (std::size_t k = 0; round == 0 && k < 2; ++k) {
          bench::require(std::memcmp(tree.back[k].data(), tree.raw[k].data(), tree.raw[k].size()) == 0, c.name);
        }
      }
    }
    const double start = thread_seconds();
    for (Tree& tree : trees) {
      for (std::size_t k = 0; k < 2; ++k) std::memcpy(tree.back[k].data(), tree.raw[k].data(), tree.raw[k].size());
    }
    copy_s.push_back(thread_seconds() - start);
  }
  std::printf("# %zu trees, %zu nodes of %zu + %zu bytes, one thread\n", trees.size(), count, node_bytes, row_bytes);
  const std::string size = bench::mb(nodes.size() + values.size());
  // What is to be reached is said of classifiers with pure leaves and ten classes, as they were before 1.3.
  const bool has_reach = node_bytes == 56 && row_bytes == 80;
  for (Case& c : cases) {
    const double ratio = total / static_cast<double>(c.stored);
    const bool reaches = has_reach && c.name == "tree + zlib-6";
    bench::print_line(c.name + ": ratio", size, ratio, 0, "x", reaches ? bench::at_least(ratio, 35) : "");
    bench::print_samples(c.name + ": encode", size, c.encode_s, total / 1e6, true, "MB/s",
                         reaches ? bench::at_least(total / bench::median(c.encode_s) / 1e6, 500) : "");
    bench::print_samples(c.name + ": decode and sum", size, c.decode_s, total / 1e9, true, "GB/s",
                         reaches ? bench::at_least(total / bench::median(c.decode_s) / 1e9, 2.5) : "");
  }
  bench::print_samples("memcpy", size, copy_s, total / 1e9, true, "GB/s");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: tree_bench FOLDER [ROUNDS]\n");
    return 2;
  }
  return bench::run_program([&] { run(argv[1], argc > 2 ? std::stoul(argv[2]) : 15); });
}
