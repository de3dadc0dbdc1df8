// How fast do the kernels of tree ensembles predict, and what does packing cost? Run: predict_bench DIR...
// Each directory has the arrays of one model, made by bench/export_trees.py. Every kernel's result is held against
// scikit-learn's to the bit before anything is timed; rounds of all kernels are interleaved.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "lower/tree_packer.hpp"
#include "predict/trees/tree_code.hpp"
#include "predict/trees/tree_kernel.hpp"

namespace mere::predict {

// lib/predict/trees compiled once more, without what bounds a walk: bench/meson.build.
extern const TreeCode kUnboundedScalarTrees;
#if defined(__x86_64__)
extern const TreeCode kUnboundedAvx2Trees, kUnboundedAvx512Trees;
#endif

}  // namespace mere::predict

namespace {

using mere::lower::TreeColumns;
using mere::lower::TreePacker;
using mere::predict::CpuLevel;
using mere::predict::Kernel;
using mere::program::Matrix;
using mere::program::MutableMatrix;

constexpr const mere::predict::TreeCode* kUnbounded[] = {
    &mere::predict::kUnboundedScalarTrees,
#if defined(__x86_64__)
    &mere::predict::kUnboundedAvx2Trees,
    &mere::predict::kUnboundedAvx512Trees,
#endif
};

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Of this thread alone: what long runs are timed by, since others may run meanwhile.
double worked_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

template <class T>
std::vector<T> read(const std::string& path, bool needed = true) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    if (!needed) return {};
    std::fprintf(stderr, "no file %s\n", path.c_str());
    std::exit(1);
  }
  std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

std::vector<std::int64_t> widened(const std::vector<std::int32_t>& from) {
  return {from.begin(), from.end()};
}

// Arrays of all trees one after another.
struct Model {
  std::vector<std::int64_t> left, right, feature, offset;
  std::vector<double> threshold, value, x, expected, base;
  std::vector<std::uint8_t> missing_left;
  std::size_t trees = 0, width = 0, classes = 0, rows = 0, columns = 0;
  double scale = 1;        // of leaf values
  bool normalize = false;  // counts of classes
  bool compare_double = false;
};

Model read_model(const std::string& dir) {
  Model m;
  std::ifstream meta(dir + "/meta.txt");
  std::size_t nodes = 0;
  meta >> m.trees >> nodes >> m.classes >> m.rows >> m.columns;
  if (!(meta >> m.scale)) m.scale = 1;
  m.left = widened(read<std::int32_t>(dir + "/left.i32"));
  m.right = widened(read<std::int32_t>(dir + "/right.i32"));
  m.feature = widened(read<std::int32_t>(dir + "/feature.i32"));
  m.offset = read<std::int64_t>(dir + "/offset.i64");
  m.threshold = read<double>(dir + "/threshold.f64");
  m.value = read<double>(dir + "/value.f64");
  m.missing_left = read<std::uint8_t>(dir + "/miss.u8", false);
  m.x = read<double>(dir + "/X.f64");
  m.width = m.value.size() / nodes;
  m.normalize = m.width > 1;
  m.compare_double = !m.missing_left.empty();
  m.base = read<double>(dir + (m.compare_double ? "/baseline.f64" : "/init.f64"), false);
  m.expected = read<double>(dir + (m.compare_double ? "/expected_raw.f64" : "/expected.f64"));
  return m;
}

std::unique_ptr<mere::program::TreeEnsemble> pack(const Model& m, bool small_layouts) {
  mere::lower::TreePackerOptions options;
  options.what = "model";
  options.columns = m.columns;
  options.outputs = m.classes;
  options.leaf_width = m.width;
  options.compare_double = m.compare_double;
  options.mean = m.normalize;
  options.base = m.base;
  options.small_layouts = small_layouts;
  options.expected_nodes = m.left.size();
  TreePacker packer(options);
  for (std::size_t t = 0; t < m.trees; ++t) {
    const auto first = static_cast<std::size_t>(m.offset[t]);
    const std::size_t count = static_cast<std::size_t>(m.offset[t + 1]) - first;
    TreeColumns tree;
    tree.left = std::span(m.left).subspan(first, count);
    tree.right = std::span(m.right).subspan(first, count);
    tree.feature = std::span(m.feature).subspan(first, count);
    tree.threshold = std::span(m.threshold).subspan(first, count);
    if (!m.missing_left.empty()) tree.missing_left = std::span(m.missing_left).subspan(first, count);
    tree.leaf_row = [&](std::size_t node, std::span<double> row) {
      const double* from = m.value.data() + (first + node) * m.width;
      double sum = 0;
      for (std::size_t k = 0; k < m.width; ++k) sum += from[k];
      for (std::size_t k = 0; k < m.width; ++k) row[k] = m.normalize ? from[k] / sum : m.scale * from[k];
    };
    packer.add(tree);
  }
  return packer.finish();
}

double at(std::vector<double> sorted, double part) {
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * part)];
}

struct Case {
  std::string name;
  std::unique_ptr<Kernel> kernel;
  std::vector<double> one, all;
};

void run(const Kernel& kernel, const Model& m, std::size_t first, std::size_t rows, double* to) {
  static mere::predict::Workspace workspace;
  const Matrix x{m.x.data() + first * m.columns, rows, m.columns, m.columns};
  MutableMatrix out{to, rows, m.classes, m.classes};
  const auto mark = workspace.mark();
  kernel.run({&x, 1}, out, workspace);
  workspace.release_to(mark);
}

void bench(const std::string& dir) {
  const Model m = read_model(dir);
  std::vector<std::unique_ptr<mere::program::TreeEnsemble>> packed;
  std::vector<Case> cases;
  for (const bool small : {true, false}) {
    std::vector<double> times;
    for (int i = 0; i < 3; ++i) {
      const double start = worked_us();
      auto made = pack(m, small);
      times.push_back(worked_us() - start);
      if (i == 2) packed.push_back(std::move(made));
    }
    const auto& nodes = packed.back()->nodes;
    if (!small && nodes.layout == packed.front()->nodes.layout) {
      packed.pop_back();
      break;
    }
    std::printf("%s: %zu trees, layout %s, leaf %s, nodes %.1f MB, values %.1f MB, counts %.1f MB; packed in %.0f ms\n",
                dir.c_str(), m.trees, nodes.layout.c_str(), packed.back()->leaf.c_str(),
                static_cast<double>(nodes.nodes.size()) * 4e-6,
                static_cast<double>(packed.back()->values.size()) * 8e-6,
                static_cast<double>(packed.back()->counts8.size() + 2 * packed.back()->counts16.size()) * 1e-6,
                at(times, 0.5) * 1e-3);
  }
  for (const auto& ensemble : packed) {
    const std::uint64_t columns[] = {m.columns};
    ensemble->check(columns);
    for (int level = static_cast<int>(mere::predict::best_cpu_level()); level >= 0; --level) {
      Case c;
      c.kernel = mere::predict::bind_trees(*ensemble, static_cast<CpuLevel>(level));
      c.name = ensemble->nodes.layout + " " + std::string(c.kernel->name());
      cases.push_back(std::move(c));
      // What bounding costs: the same code without it. Its answers are the same for sound bytes.
      const bool vectors = level != static_cast<int>(CpuLevel::scalar);
      c.kernel = mere::predict::bind_trees(*ensemble, *kUnbounded[level], vectors, cases.back().kernel->name());
      c.name = cases.back().name + " unbounded";
      cases.push_back(std::move(c));
    }
  }
  std::vector<double> result(m.rows * m.classes);
  for (const Case& c : cases) {
    std::fill(result.begin(), result.end(), -1);
    run(*c.kernel, m, 0, m.rows, result.data());
    std::size_t different = 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
      different += std::memcmp(&result[i], &m.expected[i], sizeof(double)) != 0;
    }
    for (std::size_t r = 0; r < m.rows; r += 97) {
      double row[64];
      run(*c.kernel, m, r, 1, row);
      different += std::memcmp(row, &m.expected[r * m.classes], m.classes * sizeof(double)) != 0;
    }
    if (different) std::printf("%s: %zu numbers differ\n", c.name.c_str(), different);
  }
  for (int round = 0; round < 7; ++round) {
    for (Case& c : cases) {
      const double start = worked_us();
      run(*c.kernel, m, 0, m.rows, result.data());
      c.all.push_back((worked_us() - start) / static_cast<double>(m.rows));
      for (std::size_t i = 0; i < 300; ++i) {
        const std::size_t r = (i * 7919 + static_cast<std::size_t>(round)) % m.rows;
        const double one = now_us();
        run(*c.kernel, m, r, 1, result.data());
        c.one.push_back(now_us() - one);
      }
    }
  }
  for (std::size_t i = 0; i + 1 < cases.size(); i += 2) {
    const Case &bounded = cases[i], &unbounded = cases[i + 1];
    std::printf("%-28s bounds cost 1 row %+5.1f %% (of least times %+5.1f)   many %+5.1f %% (%+5.1f)\n",
                bounded.name.c_str(), 100 * (at(bounded.one, 0.5) / at(unbounded.one, 0.5) - 1),
                100 * (at(bounded.one, 0.05) / at(unbounded.one, 0.05) - 1),
                100 * (at(bounded.all, 0.5) / at(unbounded.all, 0.5) - 1),
                100 * (at(bounded.all, 0) / at(unbounded.all, 0) - 1));
  }
  for (const Case& c : cases) {
    std::printf("%-28s 1 row p50 %8.2f us p99 %8.2f min %8.2f   row of %zu: median %7.3f us min %7.3f\n",
                c.name.c_str(), at(c.one, 0.5), at(c.one, 0.99), at(c.one, 0), m.rows, at(c.all, 0.5), at(c.all, 0));
  }
}

}  // namespace

int main(int count, char** words) {
  for (int i = 1; i < count; ++i) bench(words[i]);
  return 0;
}
