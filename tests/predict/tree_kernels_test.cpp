// Kernels of tree ensembles against the operator's plain meaning, to the bit, on every instruction set of this machine.

#include <doctest/doctest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <mere/error.hpp>

#include "predict/trees/tree_kernel.hpp"
#include "reference/plain_trees.hpp"

namespace mere::test {

using lower::TreePacker;
using lower::TreePackerOptions;
using predict::CpuLevel;
using program::Matrix;
using program::MutableMatrix;
using program::TreeEnsemble;

namespace {

constexpr std::size_t kRowCounts[] = {0, 1, 2, 7, 8, 11, 12, 13, 16, 63, 64, 65, 128, 130};

std::vector<double> random_rows(std::size_t rows, std::size_t columns, std::mt19937_64& random) {
  std::vector<double> x(rows * columns);
  for (double& v : x) v = random_number(random);
  return x;
}

// Sums have a stride of their own, and what lies between the rows stays as it is.
std::vector<double> sums_of(const TreeEnsemble& op, const predict::Kernel* kernel, const Matrix& x) {
  const auto outputs = static_cast<std::size_t>(op.outputs);
  std::vector<double> made((x.rows + 1) * (outputs + 3), -7);
  MutableMatrix out{made.data(), x.rows, outputs, outputs + 3};
  predict::Workspace workspace;
  if (kernel) {
    kernel->run({&x, 1}, out, workspace);
  } else {
    op.apply({&x, 1}, out);
  }
  return made;
}

std::size_t count_differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::size_t different = a.size() != b.size();
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const bool same = std::bit_cast<std::uint64_t>(a[i]) == std::bit_cast<std::uint64_t>(b[i]) ||
                      (std::isnan(a[i]) && std::isnan(b[i]));
    different += !same;
  }
  return different;
}

void check_kernels(const TreeEnsemble& op, std::size_t columns, std::mt19937_64& random,
                   std::span<const std::size_t> row_counts = kRowCounts) {
  const std::uint64_t in[] = {columns};
  REQUIRE(op.check(in) == static_cast<std::uint64_t>(op.outputs));
  for (const std::size_t rows : row_counts) {
    const std::vector<double> x = random_rows(rows, columns, random);
    const Matrix input{x.data(), rows, columns, columns};
    const std::vector<double> expected = sums_of(op, nullptr, input);
    for (int level = 0; level <= static_cast<int>(predict::best_cpu_level()); ++level) {
      const auto kernel = predict::bind_trees(op, static_cast<CpuLevel>(level));
      INFO(kernel->name(), ", layout ", op.nodes.layout, ", leaf ", op.leaf, ", rows ", rows, ", columns ", columns);
      CHECK(count_differences(sums_of(op, kernel.get(), input), expected) == 0);
    }
  }
}

std::unique_ptr<TreeEnsemble> random_ensemble(const TreeShape& shape, TreePackerOptions options, std::size_t trees,
                                              LeafNumbers numbers, std::mt19937_64& random) {
  options.what = "test";
  options.columns = shape.columns;
  options.leaf_width = shape.width;
  if (options.outputs == 0) options.outputs = shape.width;
  TreePacker packer(options);
  for (std::size_t t = 0; t < trees; ++t) packer.add(random_tree(shape, numbers, random).columns());
  return packer.finish();
}

}  // namespace

TEST_CASE("tree kernels: every kind of leaf, width and number of trees and rows") {
  std::mt19937_64 random(1);
  for (const std::size_t width : {1, 2, 3, 8, 9, 10, 16, 17, 33, 40}) {
    for (const LeafNumbers numbers : {LeafNumbers::votes, LeafNumbers::counts, LeafNumbers::any}) {
      TreeShape shape;
      shape.width = width;
      shape.leaves = 1 + random() % 60;
      shape.missing = random() % 2;
      TreePackerOptions options;
      options.mean = random() % 2;
      if (numbers != LeafNumbers::votes && random() % 2) options.base.assign(width, 0.3);
      const std::size_t trees = std::vector<std::size_t>{1, 15, 16, 17, 63, 64, 65, 130}[random() % 8];
      check_kernels(*random_ensemble(shape, options, trees, numbers, random), shape.columns, random);
    }
  }
}

TEST_CASE("tree kernels: numbers that go to columns in turn, or to chosen ones") {
  std::mt19937_64 random(2);
  TreeShape shape;
  shape.leaves = 20;
  TreePackerOptions options;
  options.outputs = 7;
  check_kernels(*random_ensemble(shape, options, 100, LeafNumbers::any, random), shape.columns, random);
  const auto chosen = random_ensemble(shape, options, 100, LeafNumbers::any, random);
  std::vector<std::uint32_t> columns(100);
  for (auto& c : columns) c = static_cast<std::uint32_t>(random() % 9);  // beyond the last: the last
  chosen->columns = Array<std::uint32_t>(std::move(columns));
  check_kernels(*chosen, shape.columns, random);
}

TEST_CASE("tree kernels: float64 thresholds, categories and missing numbers") {
  std::mt19937_64 random(3);
  for (const std::size_t width : {1, 3}) {
    for (const bool categories : {false, true}) {
      for (const bool missing : {false, true}) {
        TreeShape shape;
        shape.width = width;
        shape.leaves = 50;
        shape.categories = categories;
        shape.missing = missing;
        TreePackerOptions options;
        options.compare_double = true;
        const auto op = random_ensemble(shape, options, 40, LeafNumbers::any, random);
        CHECK(op->nodes.layout == "n16d");
        check_kernels(*op, shape.columns, random);
      }
    }
  }
}

TEST_CASE("tree kernels: layouts of small trees, for every width of input and of the result") {
  std::mt19937_64 random(10);
  for (const bool compare_double : {false, true}) {
    for (const std::size_t columns : {1, 7, 8, 9, 31, 32, 33, 48, 63, 64, 65, 300}) {
      if (compare_double && columns > 64) continue;
      TreeShape shape;
      shape.columns = columns;
      shape.leaves = compare_double ? 1 + random() % 32 : 8;
      shape.max_depth = compare_double ? 40 : 3;
      shape.missing = random() % 2;
      shape.thresholds = compare_double ? 200 : 0;
      TreePackerOptions options;
      options.compare_double = compare_double;
      options.outputs = std::vector<std::size_t>{1, 3, 8, 10, 17, 40, 300}[random() % 7];
      options.mean = random() % 2;
      if (random() % 2) options.base.assign(options.outputs, 0.7);
      const std::size_t trees = std::vector<std::size_t>{8, 16, 31, 100, 129, 700}[random() % 6];
      const auto op = random_ensemble(shape, options, trees, LeafNumbers::any, random);
      CHECK(op->nodes.layout == (compare_double ? "bins" : "shallow"));
      check_kernels(*op, columns, random);
      std::vector<std::uint32_t> chosen(trees);
      for (auto& c : chosen) c = static_cast<std::uint32_t>(random() % options.outputs);
      op->columns = Array<std::uint32_t>(std::move(chosen));
      const std::size_t rows[] = {1, 24, 300};
      check_kernels(*op, columns, random, rows);
    }
  }
}

TEST_CASE("tree kernels: the seams of the feature's bits") {
  std::mt19937_64 random(4);
  for (const std::size_t columns : {1, 2, 3, 255, 256, 257, 4095, 4096, 4097, 65'535, 65'536, 65'537}) {
    TreeShape shape;
    shape.columns = columns;
    shape.leaves = 300;
    shape.missing = true;
    const std::size_t rows[] = {1, 2, 20};
    const auto op = random_ensemble(shape, {}, 20, LeafNumbers::any, random);
    CHECK(op->nodes.layout == "n8");
    check_kernels(*op, columns, random, rows);
  }
}

namespace {

// A complete tree and one split more if `nodes` asks for it, over as many columns as leave `delta_bits` to a node of
// n8. Leaf i of the order breadth first holds i.
std::unique_ptr<TreeEnsemble> wide_tree(std::size_t nodes, std::size_t columns) {
  TreePackerOptions options;
  options.what = "test";
  options.columns = columns;
  options.outputs = 1;
  std::vector<std::int64_t> left(nodes, -1), right(nodes, -1);
  for (std::size_t i = 0; 2 * i + 2 < nodes; ++i) {
    left[i] = static_cast<std::int64_t>(2 * i + 1);
    right[i] = left[i] + 1;
  }
  const std::int64_t feature = static_cast<std::int64_t>(columns - 1);
  const double threshold = 0;
  lower::TreeColumns tree;
  tree.left = left;
  tree.right = right;
  tree.feature = {reinterpret_cast<const std::byte*>(&feature), 0, nodes};
  tree.threshold = {reinterpret_cast<const std::byte*>(&threshold), 0, nodes};
  tree.leaf_row = [](std::size_t node, std::span<double> row) { row[0] = static_cast<double>(node % 1000); };
  TreePacker packer(options);
  packer.add(tree);
  return packer.finish();
}

void check_seam(std::size_t nodes, std::size_t columns, const char* layout) {
  std::mt19937_64 random(5);
  const auto op = wide_tree(nodes, columns);
  CHECK(op->nodes.layout == layout);
  const std::size_t rows[] = {1, 20};
  check_kernels(*op, columns, random, rows);
  // The first row goes left at every split, the second right.
  std::vector<double> x(2 * columns, -1.0);
  x[2 * columns - 1] = 1;
  const std::vector<double> sums = sums_of(*op, nullptr, {x.data(), 2, columns, columns});
  std::size_t low = 0, high = 0;
  while (2 * low + 2 < nodes) low = 2 * low + 1;
  while (2 * high + 2 < nodes) high = 2 * high + 2;
  CHECK(sums[0] == static_cast<double>(low % 1000));
  CHECK(sums[4] == static_cast<double>(high % 1000));
}

}  // namespace

TEST_CASE("tree kernels: a tree too large for the bits beside the feature has nodes of 12 bytes") {
  check_seam((1 << 16) - 1, 65'536, "n8");
  check_seam((1 << 16) + 1, 65'536, "n12");
  check_seam((1 << 16) + 1, 32'768, "n8");
  check_seam((1 << 24) - 1, 256, "n8");
  check_seam((1 << 24) + 1, 256, "n12");
}

TEST_CASE("tree kernels: a forest with one tree that is too large is widened as a whole") {
  std::mt19937_64 random(6);
  TreeShape shape;
  shape.columns = 40'000;
  shape.leaves = 30'000;
  shape.width = 3;
  shape.missing = true;
  TreePackerOptions options;
  options.what = "test";
  options.columns = shape.columns;
  options.outputs = 3;
  TreePacker packer(options);
  shape.leaves = 100;
  const PlainTree small = random_tree(shape, LeafNumbers::votes, random);
  packer.add(small.columns());
  shape.leaves = 40'000;
  packer.add(random_tree(shape, LeafNumbers::votes, random).columns());
  // Breadth first, a chain never has far children: the wide tree does.
  std::vector<std::int64_t> left(65'537, -1), right(65'537, -1);
  for (std::size_t i = 0; 2 * i + 2 < left.size(); ++i) {
    left[i] = static_cast<std::int64_t>(2 * i + 1);
    right[i] = left[i] + 1;
  }
  PlainTree wide;
  wide.feature.assign(left.size(), 39'999);
  wide.threshold.assign(left.size(), 0.5);
  wide.missing_left.assign(left.size(), 1);
  wide.values.assign(left.size() * 3, 0);
  for (std::size_t i = 0; i < left.size(); ++i) wide.values[3 * i + i % 3] = 1;
  wide.left = left;
  wide.right = right;
  packer.add(wide.columns());
  packer.add(small.columns());
  const auto op = packer.finish();
  CHECK(op->nodes.layout == "n12");
  CHECK(op->leaf == "vote");
  const std::size_t rows[] = {1, 9, 20};
  check_kernels(*op, shape.columns, random, rows);
}

TEST_CASE("tree kernels: float32 neighbours of thresholds go where the float64 threshold sends them") {
  std::mt19937_64 random(7);
  std::vector<double> thresholds = {0.0,      -0.0,      1e-46,   -1e-46,       1e-320,   -1e-320,
                                    FLT_MAX,  -FLT_MAX,  3.5e38,  -3.5e38,      1e300,    -1e300,
                                    HUGE_VAL, -HUGE_VAL, FLT_MIN, FLT_TRUE_MIN, -FLT_MIN, -FLT_TRUE_MIN};
  while (thresholds.size() < 400) {
    const auto near = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isnan(near)) continue;
    thresholds.push_back(near);
    thresholds.push_back(std::nextafter(double{near}, HUGE_VAL));
    thresholds.push_back(std::nextafter(double{near}, -HUGE_VAL));
  }
  std::vector<double> x;
  for (const double t : thresholds) {
    float up = program::float_not_above(t), down = up;
    for (int k = 0; k < 3; ++k) {
      x.push_back(up);
      x.push_back(down);
      up = std::nextafterf(up, HUGE_VALF);
      down = std::nextafterf(down, -HUGE_VALF);
    }
  }
  for (const double special : {double{NAN}, HUGE_VAL, -HUGE_VAL, 0.0, -0.0, 1e300, -1e300, 1e-300})
    x.push_back(special);
  TreePackerOptions options;
  options.what = "test";
  options.columns = 1;
  options.outputs = thresholds.size();
  options.leaf_width = 1;
  options.small_layouts = false;
  for (const bool missing_left : {false, true}) {
    TreePacker packer(options);
    for (const double t : thresholds) {
      PlainTree tree;
      tree.left = {1, -1, -1};
      tree.right = {2, -1, -1};
      tree.feature = {0, -2, -2};
      tree.threshold = {t, -2, -2};
      tree.missing_left = {missing_left, 0, 0};
      tree.values = {0, 1, 2};
      packer.add(tree.columns());
    }
    const auto op = packer.finish();
    std::vector<double> expected;
    for (const double value : x) {
      const auto rounded = static_cast<float>(value);
      for (const double t : thresholds) {
        const bool left = std::isnan(rounded) ? missing_left : rounded <= t;
        expected.push_back(left ? 1 : 2);
      }
    }
    const Matrix input{x.data(), x.size(), 1, 1};
    const auto unpadded = [&](const std::vector<double>& sums) {
      std::vector<double> rows;
      for (std::size_t r = 0; r < x.size(); ++r) {
        rows.insert(rows.end(), sums.begin() + static_cast<std::ptrdiff_t>(r * (thresholds.size() + 3)),
                    sums.begin() + static_cast<std::ptrdiff_t>(r * (thresholds.size() + 3) + thresholds.size()));
      }
      return rows;
    };
    CHECK(unpadded(sums_of(*op, nullptr, input)) == expected);
    for (int level = 0; level <= static_cast<int>(predict::best_cpu_level()); ++level) {
      const auto kernel = predict::bind_trees(*op, static_cast<CpuLevel>(level));
      CHECK(unpadded(sums_of(*op, kernel.get(), input)) == expected);
    }
  }
}

TEST_CASE("tree kernels: a count divided by what its row says is the quotient to the bit, for all bytes and divisors") {
  // One tree that is a leaf, whose row is rewritten under the kernel.
  constexpr std::size_t kWidth = 32;
  std::uint8_t row[kWidth + 2] = {};
  std::uint32_t node[2] = {0, 0};
  TreeEnsemble op;
  op.nodes.layout = "n8";
  op.nodes.trees = 1;
  const std::uint32_t start = 0;
  op.nodes.nodes = Array<std::uint32_t>::borrow(node, Dims{1, 2});
  op.nodes.starts = Array<std::uint32_t>::borrow({&start, 1});
  op.leaf = "counts8";
  op.outputs = op.leaf_width = kWidth;
  op.counts8 = Array<std::uint8_t>::borrow(row, Dims{1, kWidth + 2});
  const std::uint64_t columns[] = {1};
  op.check(columns);
  const double x = 0;
  const Matrix input{&x, 1, 1, 1};
  double sums[kWidth];
  MutableMatrix out{sums, 1, kWidth, kWidth};
  predict::Workspace workspace;
  for (int level = 1; level <= static_cast<int>(predict::best_cpu_level()); ++level) {
    const auto kernel = predict::bind_trees(op, static_cast<CpuLevel>(level));
    std::size_t wrong = 0;
    for (std::uint32_t divisor = 0; divisor < 65'536; ++divisor) {
      row[kWidth] = static_cast<std::uint8_t>(divisor);
      row[kWidth + 1] = static_cast<std::uint8_t>(divisor >> 8);
      const double by = divisor ? divisor : 1;
      for (std::size_t first = 0; first < 256; first += kWidth) {
        for (std::size_t k = 0; k < kWidth; ++k) row[k] = static_cast<std::uint8_t>(first + k);
        const auto mark = workspace.mark();
        kernel->run({&input, 1}, out, workspace);
        workspace.release_to(mark);
        for (std::size_t k = 0; k < kWidth; ++k) wrong += sums[k] != static_cast<double>(first + k) / by;
      }
    }
    CHECK(wrong == 0);
  }
}

namespace {

template <class T>
Array<T> random_array(Dims shape, std::mt19937_64& random) {
  std::size_t size = 1;
  for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
  std::vector<T> values(size);
  // Small numbers too: they make walks that go on.
  const auto mask = std::vector<std::uint64_t>{~std::uint64_t{0}, 0xffff00ff, 7, 0x80000003}[random() % 4];
  for (T& v : values) {
    if constexpr (sizeof(T) == 8) {
      v = std::bit_cast<T>(random());
    } else {
      v = static_cast<T>(random() & mask);
    }
  }
  return Array<T>(std::move(values), std::move(shape));
}

}  // namespace

TEST_CASE("tree kernels: arrays of any bytes are walked inside their bounds, to an end, and alike") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 400; ++round) {
    TreeEnsemble op;
    const char* layouts[] = {"n8", "n8", "n12", "n16d", "bins", "shallow"};
    op.nodes.layout = layouts[random() % 6];
    const std::size_t columns = 1 + random() % (op.nodes.layout == "bins" ? 64 : 300);
    op.nodes.trees = static_cast<std::int64_t>(1 + random() % 70);
    op.nodes.missing = random() % 2;
    const auto count = static_cast<std::int64_t>(1 + random() % 200);
    const std::int64_t groups = (op.nodes.trees + 15) / 16;
    const std::string& layout = op.nodes.layout;
    if (layout == "n8") op.nodes.nodes = random_array<std::uint32_t>({count, 2}, random);
    if (layout == "n12") op.nodes.nodes = random_array<std::uint32_t>({count, 3}, random);
    if (layout == "n16d") op.nodes.nodes = random_array<std::uint32_t>({count, 4}, random);
    if (layout == "bins") op.nodes.nodes = random_array<std::uint32_t>({count}, random);
    if (layout == "shallow") op.nodes.nodes = random_array<std::uint32_t>({groups, 14, 16}, random);
    if (layout != "shallow") op.nodes.starts = random_array<std::uint32_t>({op.nodes.trees}, random);
    if (layout == "bins") op.nodes.edges = random_array<double>({static_cast<std::int64_t>(columns), 256}, random);
    if (layout == "n16d" && random() % 2) {
      op.nodes.categories = random_array<std::uint32_t>({static_cast<std::int64_t>(1 + random() % 5), 16}, random);
    }
    const bool single = layout == "bins" || layout == "shallow";
    const char* leaves[] = {"vote", "rows", "counts8", "counts16"};
    op.leaf = single ? "rows" : layout == "n16d" && random() % 2 ? "number" : leaves[random() % 4];
    op.outputs = static_cast<std::int64_t>(1 + random() % 20);
    op.leaf_width = single || op.leaf == "number" ? 1 : op.outputs;
    const auto rows = static_cast<std::int64_t>(1 + random() % 9);
    const auto extra = static_cast<std::int64_t>(2 + random() % 3);
    if (op.leaf == "rows") {
      op.values = random_array<double>({layout == "shallow" ? groups * 128 : rows, op.leaf_width}, random);
    }
    if (op.leaf == "counts8") op.counts8 = random_array<std::uint8_t>({rows, op.leaf_width + extra}, random);
    if (op.leaf == "counts16") op.counts16 = random_array<std::uint16_t>({rows, op.leaf_width + extra}, random);
    if (op.leaf_width == 1 && random() % 2) op.columns = random_array<std::uint32_t>({op.nodes.trees}, random);
    if (op.leaf != "vote" && random() % 2) op.base = random_array<double>({op.outputs}, random);
    op.mean = random() % 2;
    const std::size_t row_counts[] = {1, 9, 70};
    check_kernels(op, columns, random, row_counts);
  }
}

#if defined(__x86_64__)
TEST_CASE("tree kernels: a program that flushes denormals gets the same answers, and its mode back") {
  std::mt19937_64 random(9);
  TreePackerOptions options;
  options.what = "test";
  options.columns = 1;
  options.outputs = 1;
  TreePacker packer(options);
  PlainTree tree;
  tree.left = {1, -1, -1};
  tree.right = {2, -1, -1};
  tree.feature = {0, -2, -2};
  tree.threshold = {-1e-46, -2, -2};
  tree.missing_left = {0, 0, 0};
  tree.values = {0, 1e-310, 2e-310};
  for (int t = 0; t < 5; ++t) packer.add(tree.columns());
  const auto op = packer.finish();
  const double x[] = {-FLT_TRUE_MIN, 0.0};
  const std::vector<double> expected = sums_of(*op, nullptr, {x, 2, 1, 1});
  CHECK(expected[0] > 0);
  const unsigned before = _mm_getcsr();
  const unsigned flushing = (before | 0x8040) ^ 0x4000;  // and another rounding
  for (int level = 0; level <= static_cast<int>(predict::best_cpu_level()); ++level) {
    const auto kernel = predict::bind_trees(*op, static_cast<CpuLevel>(level));
    _mm_setcsr(flushing);
    const std::vector<double> made = sums_of(*op, kernel.get(), {x, 2, 1, 1});
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    CHECK(count_differences(made, expected) == 0);
    CHECK((after & 0xe040) == (flushing & 0xe040));
  }
}
#endif

}  // namespace mere::test
