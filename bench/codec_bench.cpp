// How small and how fast are the codecs and the filter columns on the arrays of trees?
//   codec_bench FOLDER [ROUNDS] [CODE]        FOLDER made by make_tree_arrays.py; CODE: baseline, avx2 or avx512
// One thread. Every result is compared with the raw bytes before it is timed; decoding is timed with the sum of each
// block, into memory that was touched before. Times are of the processor. Prints one line a case: ratio, encode MB/s,
// decode GB/s (medians), and the spread.

#include <libdeflate.h>
#include <lz4.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "codec/block_codec.hpp"
#include "codec/columns_filter.hpp"
#include "codec/cpu_code.hpp"

namespace {

using namespace mere::codec;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw std::runtime_error("cannot read " + path);
  Bytes bytes(static_cast<std::size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

const CpuCode& find_code(const std::string& name) {
  for (std::size_t i = 0; i < cpu_code_count(); ++i) {
    if (cpu_code_at(i).name == name) return cpu_code_at(i);
  }
  throw std::runtime_error("this CPU has no code " + name);
}

struct Block {
  std::span<const std::byte> raw;
  const RowLayout* layout;
  std::uint64_t first_byte;
  Bytes filtered, stored, back;
  bool is_filtered = false;
};

struct Case {
  std::string name;
  EncodeChoice choice;
  bool filter;
  bool bare;  // the library's own function instead of ours, for comparison; without sums
  std::vector<Block> blocks;
  std::vector<double> encode_s, decode_s;
};

// Time of this thread on a processor: others may use the machine too.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const std::function<void()>& work) {
  const double start = thread_seconds();
  work();
  return thread_seconds() - start;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Working memory of the one thread.
struct Worker {
  const CpuCode* code = &cpu_code();
  BlockCodec codec;
  FilterScratch scratch;
  Bytes filtered, stored;
  std::uint64_t sums = 0;
  libdeflate_decompressor* bare = libdeflate_alloc_decompressor();
};

void encode(Worker& worker, const Case& c, Block& block, bool keep) {
  const ColumnsFilter filter(*worker.code);
  std::span<const std::byte> bytes = block.raw;
  block.is_filtered =
      c.filter && filter.encode(block.raw, *block.layout, {block.first_byte}, worker.filtered, worker.scratch);
  if (block.is_filtered) bytes = worker.filtered;
  worker.stored.resize(encode_bound(c.choice, bytes.size()));
  const std::size_t stored = worker.codec.encode(c.choice, bytes, worker.stored);
  if (!keep) return;
  block.filtered.resize(bytes.size());
  block.stored.assign(worker.stored.begin(), worker.stored.begin() + static_cast<std::ptrdiff_t>(stored));
}

void decode(Worker& worker, const Case& c, Block& block) {
  if (c.bare) {
    const char* in = reinterpret_cast<const char*>(block.stored.data());
    char* out = reinterpret_cast<char*>(block.back.data());
    if (c.choice.codec == CodecId::lz4) {
      LZ4_decompress_safe(in, out, static_cast<int>(block.stored.size()), static_cast<int>(block.back.size()));
    } else {
      std::size_t got = 0;
      libdeflate_zlib_decompress(worker.bare, in, block.stored.size(), out, block.back.size(), &got);
    }
    return;
  }
  if (block.is_filtered) {
    worker.filtered.resize(std::max(worker.filtered.size(), block.filtered.size()));
    const std::span<std::byte> filtered = std::span(worker.filtered).first(block.filtered.size());
    worker.codec.decode(c.choice.codec, block.stored, filtered);
    ColumnsFilter(*worker.code).decode(filtered, block.back, worker.scratch);
  } else {
    worker.codec.decode(c.choice.codec, block.stored, block.back);
  }
  worker.sums += worker.code->xxh3_64(block.back.data(), block.back.size());
}

void run(const std::string& folder, std::size_t rounds, const CpuCode& code) {
  const Bytes nodes = read_file(folder + "/nodes.bin");
  const Bytes values = read_file(folder + "/values.bin");
  const Bytes offset_bytes = read_file(folder + "/offsets.bin");
  std::vector<std::int64_t> offsets(offset_bytes.size() / 8);
  std::memcpy(offsets.data(), offset_bytes.data(), offsets.size() * 8);

  using enum Column::Content;
  const RowLayout node_layout{56,
                              {{0, 8, integer},
                               {8, 8, integer},
                               {16, 8, integer},
                               {24, 8, real},
                               {32, 8, real},
                               {40, 8, integer},
                               {48, 8, real}}};
  RowLayout value_layout{80, {}};
  for (std::uint32_t i = 0; i < 10; ++i) value_layout.columns.push_back({8 * i, 8, real});
  std::vector<Block> blocks;
  double total = 0;
  const auto add = [&](const Bytes& all, const RowLayout& layout, std::size_t from, std::size_t to) {
    const auto array = std::span(all).subspan(from * layout.row_bytes, (to - from) * layout.row_bytes);
    for (std::size_t at = 0; at < array.size(); at += kBlockBytes) {
      const auto raw = array.subspan(at, std::min(kBlockBytes, array.size() - at));
      blocks.push_back({raw, &layout, at, {}, {}, Bytes(raw.size())});
      total += static_cast<double>(raw.size());
    }
  };
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    add(nodes, node_layout, static_cast<std::size_t>(offsets[t]), static_cast<std::size_t>(offsets[t + 1]));
    add(values, value_layout, static_cast<std::size_t>(offsets[t]), static_cast<std::size_t>(offsets[t + 1]));
  }

  std::vector<Case> cases = {
      {"lz4, the library alone", {CodecId::lz4, false, 0}, false, true, blocks, {}, {}},
      {"lz4", {CodecId::lz4, false, 0}, false, false, blocks, {}, {}},
      {"zlib-6, libdeflate alone", {CodecId::zlib, false, 6}, false, true, blocks, {}, {}},
      {"zlib-6", {CodecId::zlib, false, 6}, false, false, blocks, {}, {}},
      {"columns, no codec", {CodecId::none, false, 0}, true, false, blocks, {}, {}},
      {"columns + lz4", {CodecId::lz4, false, 0}, true, false, blocks, {}, {}},
      {"columns + zlib-6", {CodecId::zlib, false, 6}, true, false, blocks, {}, {}},
      {"columns + zlib-12", {CodecId::zlib, false, 12}, true, false, blocks, {}, {}},
  };
  if (has_codec(CodecId::zstd))
    cases.push_back({"columns + zstd-3", {CodecId::zstd, false, 3}, true, false, blocks, {}, {}});

  Worker worker;
  worker.code = &code;
  for (Case& c : cases) {
    for (Block& block : c.blocks) {
      encode(worker, c, block, true);
      decode(worker, c, block);
      if (std::memcmp(block.back.data(), block.raw.data(), block.raw.size()) != 0) {
        throw std::runtime_error(c.name + ": other bytes came back");
      }
    }
  }
  for (std::size_t r = 0; r < rounds; ++r) {
    for (Case& c : cases) {
      if (!c.bare && (r < 3 || c.choice.level != 12)) {
        c.encode_s.push_back(seconds_of([&] {
          for (Block& block : c.blocks) encode(worker, c, block, false);
        }));
      }
      c.decode_s.push_back(seconds_of([&] {
        for (Block& block : c.blocks) decode(worker, c, block);
      }));
    }
  }
  std::printf("%zu blocks, %.1f MB raw, one thread, code for %s, %zu rounds\n", blocks.size(), total / 1e6, code.name,
              rounds);
  for (Case& c : cases) {
    double stored = 0, filtered = 0;
    std::size_t unfiltered = 0;
    for (const Block& block : c.blocks) {
      stored += static_cast<double>(block.stored.size());
      filtered += static_cast<double>(block.filtered.size());
      unfiltered += block.is_filtered ? 0 : 1;
    }
    const auto [least, most] = std::minmax_element(c.decode_s.begin(), c.decode_s.end());
    std::printf(
        "%-26s ratio %6.2f (filtered %5.2f, %3zu blocks not)  encode %7.1f MB/s  decode %6.3f GB/s (%.3f to %.3f)\n",
        c.name.c_str(), total / stored, total / filtered, unfiltered,
        c.encode_s.empty() ? 0.0 : total / median(c.encode_s) / 1e6, total / median(c.decode_s) / 1e9,
        total / *most / 1e9, total / *least / 1e9);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: codec_bench FOLDER [ROUNDS]\n");
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? static_cast<std::size_t>(std::stoul(argv[2])) : 15,
        argc > 3 ? find_code(argv[3]) : cpu_code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "codec_bench: %s\n", e.what());
    return 1;
  }
  return 0;
}
