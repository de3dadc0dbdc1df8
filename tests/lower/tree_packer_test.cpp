// Packed trees against the trees they were made from, through the operators' plain meaning.

#include "lower/tree_packer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <limits>

#include <mere/error.hpp>

#include "reference/plain_trees.hpp"

namespace mere::test {

using lower::TreePacker;
using lower::TreePackerOptions;
using program::Matrix;
using program::MutableMatrix;

namespace {

std::vector<double> apply(const program::Operator& op, const std::vector<double>& x, std::size_t columns) {
  const std::uint64_t in[] = {columns};
  const std::size_t rows = x.size() / columns, outputs = op.check(in);
  std::vector<double> made(rows * outputs, -7);
  const Matrix input{x.data(), rows, columns, columns};
  MutableMatrix out{made.data(), rows, outputs, outputs};
  op.apply({&input, 1}, out);
  return made;
}

std::vector<double> random_rows(std::size_t rows, std::size_t columns, std::mt19937_64& random) {
  std::vector<double> x(rows * columns);
  for (double& v : x) v = random_number(random);
  return x;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i])) return false;
  }
  return true;
}

// Packs, applies, and holds sums and leaves against the walk over the trees as they were. Returns the packed ensemble.
std::unique_ptr<program::TreeEnsemble> check_packing(const std::vector<PlainTree>& trees, TreePackerOptions options,
                                                     std::mt19937_64& random) {
  options.node_ids = true;
  const auto columns = static_cast<std::size_t>(options.columns), outputs = static_cast<std::size_t>(options.outputs);
  const std::size_t width = options.leaf_width ? static_cast<std::size_t>(options.leaf_width) : outputs;
  TreePacker packer(options);
  for (const PlainTree& tree : trees) packer.add(tree.columns());
  auto ensemble = packer.finish();
  const auto leaves = packer.finish_leaves();

  const std::size_t rows = 60;
  const std::vector<double> x = random_rows(rows, columns, random);
  std::vector<double> sums, ids;
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<double> sum = options.base;
    sum.resize(outputs, 0);
    for (std::size_t t = 0; t < trees.size(); ++t) {
      const std::size_t leaf = plain_leaf(trees[t], x.data() + r * columns, options.compare_double);
      ids.push_back(static_cast<double>(leaf));
      const std::size_t first = t % (outputs / width) * width;
      for (std::size_t k = 0; k < width; ++k) sum[first + k] += trees[t].values[leaf * width + k];
    }
    for (const double v : sum) sums.push_back(options.mean ? v / static_cast<double>(trees.size()) : v);
  }
  CHECK(same_bits(apply(*ensemble, x, columns), sums));
  CHECK(apply(*leaves, x, columns) == ids);
  return ensemble;
}

std::vector<PlainTree> random_trees(std::size_t count, const TreeShape& shape, LeafNumbers numbers,
                                    std::mt19937_64& random) {
  std::vector<PlainTree> trees;
  for (std::size_t t = 0; t < count; ++t) trees.push_back(random_tree(shape, numbers, random));
  return trees;
}

TreePackerOptions options_for(const TreeShape& shape, std::uint64_t outputs) {
  TreePackerOptions options;
  options.what = "test";
  options.columns = shape.columns;
  options.outputs = outputs;
  options.leaf_width = shape.width;
  return options;
}

}  // namespace

TEST_CASE("tree packer: trees of votes, with and without a mean, give the walk's sums to the bit") {
  std::mt19937_64 random(1);
  for (const std::size_t leaves : {1, 2, 3, 50, 400}) {
    TreeShape shape;
    shape.leaves = leaves;
    shape.width = 4;
    TreePackerOptions options = options_for(shape, 4);
    options.mean = leaves % 2 == 0;
    const auto made = check_packing(random_trees(21, shape, LeafNumbers::votes, random), options, random);
    CHECK(made->leaf == "vote");
    CHECK(made->nodes.layout == "n8");
  }
}

TEST_CASE("tree packer: rows of fractions become counts that come back to the bit, any rows stay as they are") {
  std::mt19937_64 random(2);
  for (const std::size_t width : {2, 3, 10, 17, 40}) {
    TreeShape shape;
    shape.leaves = 60;
    shape.width = width;
    TreePackerOptions options = options_for(shape, width);
    options.mean = true;
    CHECK(check_packing(random_trees(15, shape, LeafNumbers::counts, random), options, random)->leaf == "counts8");
    CHECK(check_packing(random_trees(15, shape, LeafNumbers::any, random), options, random)->leaf == "rows");
  }
}

TEST_CASE("tree packer: counts beyond a byte become u16, beyond that rows") {
  std::mt19937_64 random(3);
  TreeShape shape;
  shape.width = 2;
  auto trees = random_trees(3, shape, LeafNumbers::counts, random);
  const auto set_all = [&](double a, double b) {
    for (auto& tree : trees) {
      for (std::size_t i = 0; i < tree.values.size(); i += 2) {
        tree.values[i] = a / (a + b);
        tree.values[i + 1] = b / (a + b);
      }
    }
  };
  set_all(255, 254);
  CHECK(check_packing(trees, options_for(shape, 2), random)->leaf == "counts8");
  set_all(256, 255);
  CHECK(check_packing(trees, options_for(shape, 2), random)->leaf == "counts16");
  set_all(65535, 65534);
  CHECK(check_packing(trees, options_for(shape, 2), random)->leaf == "counts16");
  set_all(65536, 65535);
  CHECK(check_packing(trees, options_for(shape, 2), random)->leaf == "rows");
  set_all(3, 1);
  trees[1].values[0] = -0.0;  // the root has no values that count
  CHECK(check_packing(trees, options_for(shape, 2), random)->leaf == "counts8");
  for (double& v : trees[1].values) v = -0.0;
  CHECK(check_packing(trees, options_for(shape, 2), random)->leaf == "rows");
}

TEST_CASE("tree packer: single numbers go to columns in turn, from a base") {
  std::mt19937_64 random(4);
  TreeShape shape;
  shape.leaves = 30;
  TreePackerOptions options = options_for(shape, 3);
  options.base = {0.5, -1, 1e300};
  const auto made = check_packing(random_trees(12, shape, LeafNumbers::any, random), options, random);
  CHECK(made->columns.empty());
  CHECK(made->leaf == "rows");
}

TEST_CASE("tree packer: columns that take no turns are stored") {
  std::mt19937_64 random(5);
  const TreeShape shape;
  const auto trees = random_trees(4, shape, LeafNumbers::any, random);
  TreePacker packer(options_for(shape, 3));
  for (const PlainTree& tree : trees) packer.add(tree.columns(), 2);
  const auto made = packer.finish();
  CHECK(made->columns.size() == 4);
  const std::vector<double> sums = apply(*made, std::vector<double>(5, 0.0), 5);
  CHECK(sums[0] == 0);
  CHECK(sums[1] == 0);
  CHECK(sums[2] != 0);
}

TEST_CASE("tree packer: NaN goes where the node says, in every layout") {
  std::mt19937_64 random(6);
  for (const bool compare_double : {false, true}) {
    for (const std::size_t columns : {1, 2, 5, 255, 256, 257, 65'535, 65'536}) {
      TreeShape shape;
      shape.leaves = 40;
      shape.columns = columns;
      shape.missing = true;
      TreePackerOptions options = options_for(shape, 1);
      options.compare_double = compare_double;
      check_packing(random_trees(6, shape, LeafNumbers::any, random), options, random);
    }
  }
}

TEST_CASE("tree packer: categories by the low byte of their whole part, unknown ones as missing") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5; ++round) {
    TreeShape shape;
    shape.leaves = 40;
    shape.missing = true;
    shape.categories = true;
    TreePackerOptions options = options_for(shape, 1);
    options.compare_double = true;
    CHECK(check_packing(random_trees(6, shape, LeafNumbers::any, random), options, random)->nodes.layout == "n16d");
  }
}

TEST_CASE("tree packer: trees of depth 3 lie side by side, deeper ones do not") {
  std::mt19937_64 random(10);
  for (const std::size_t trees : {8, 15, 16, 17, 50}) {
    for (const std::size_t leaves : {1, 2, 5, 8}) {
      TreeShape shape;
      shape.leaves = leaves;
      shape.max_depth = 3;
      shape.missing = trees % 2 == 0;
      shape.columns = leaves * 10;
      TreePackerOptions options = options_for(shape, 3);
      options.base = {1, 2, 3};
      const auto made = check_packing(random_trees(trees, shape, LeafNumbers::any, random), options, random);
      CHECK(made->nodes.layout == "shallow");
    }
  }
  TreeShape shape;
  shape.leaves = 8;
  shape.max_depth = 3;
  auto trees = random_trees(8, shape, LeafNumbers::any, random);
  shape.leaves = 20;
  shape.max_depth = 4;
  trees.push_back(random_tree(shape, LeafNumbers::any, random));
  CHECK(check_packing(trees, options_for(shape, 1), random)->nodes.layout == "n8");
}

TEST_CASE("tree packer: small trees over float64 have ranks of thresholds, up to the limits of that") {
  std::mt19937_64 random(11);
  const auto layout_of = [&](TreeShape shape, std::size_t trees) {
    shape.missing = trees % 2 == 0;
    TreePackerOptions options = options_for(shape, 3);
    options.compare_double = true;
    return check_packing(random_trees(trees, shape, LeafNumbers::any, random), options, random)->nodes.layout;
  };
  TreeShape shape;
  shape.leaves = 31;
  shape.thresholds = 254;
  CHECK(layout_of(shape, 150) == "bins");
  CHECK(layout_of(shape, 151) == "bins");
  shape.leaves = 32;  // 63 nodes
  CHECK(layout_of(shape, 12) == "bins");
  shape.leaves = 33;
  CHECK(layout_of(shape, 12) == "n16d");
  shape.leaves = 1;
  CHECK(layout_of(shape, 12) == "bins");
  shape.leaves = 31;
  shape.columns = 64;
  CHECK(layout_of(shape, 12) == "bins");
  shape.columns = 65;
  CHECK(layout_of(shape, 12) == "n16d");
  // One column of exactly 254 and of 255 different thresholds.
  for (const std::size_t thresholds : {254, 255}) {
    std::vector<PlainTree> trees;
    for (std::size_t i = 0; i < thresholds; ++i) {
      PlainTree tree;
      tree.left = {1, -1, -1};
      tree.right = {2, -1, -1};
      tree.feature = {0, -2, -2};
      tree.threshold = {i == 0 ? HUGE_VAL : i == 1 ? -HUGE_VAL : 0.25 * static_cast<double>(i), -2, -2};
      tree.missing_left = {i % 2 == 0, 0, 0};
      tree.values = {0, 1, static_cast<double>(i)};
      trees.push_back(tree);
    }
    TreeShape one;
    one.columns = 1;
    TreePackerOptions options = options_for(one, 1);
    options.compare_double = true;
    CHECK(check_packing(trees, options, random)->nodes.layout == (thresholds == 254 ? "bins" : "n16d"));
  }
}

TEST_CASE("float_not_above: every float32 near a threshold compares with it as with the threshold") {
  std::mt19937_64 random(8);
  std::vector<double> thresholds = {0.0,      -0.0,     1e-46,   -1e-46, 1e-320,       -1e-320,      FLT_MAX,
                                    -FLT_MAX, 3.5e38,   -3.5e38, 1e300,  -1e300,       HUGE_VAL,     -HUGE_VAL,
                                    FLT_MIN,  -FLT_MIN, 0.1,     -0.1,   FLT_TRUE_MIN, -FLT_TRUE_MIN};
  for (int i = 0; i < 20'000; ++i) thresholds.push_back(std::bit_cast<double>(random()));
  for (int i = 0; i < 20'000; ++i) {
    const auto near = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    for (const double t :
         {double{near}, std::nextafter(double{near}, HUGE_VAL), std::nextafter(double{near}, -HUGE_VAL)})
      thresholds.push_back(t);
  }
  const float inf = std::numeric_limits<float>::infinity();
  std::size_t wrong = 0;
  for (const double t : thresholds) {
    if (std::isnan(t)) continue;
    const float d = program::float_not_above(t);
    std::vector<float> xs = {0.0F, -0.0F, inf, -inf, NAN, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, -FLT_TRUE_MIN};
    float up = d, down = d;
    for (int k = 0; k < 4; ++k) {
      xs.push_back(up);
      xs.push_back(down);
      up = std::nextafterf(up, inf);
      down = std::nextafterf(down, -inf);
    }
    for (const float x : xs) wrong += (x <= t) != (x <= d) || (x > t) != (x > d);
  }
  CHECK(wrong == 0);
}

TEST_CASE("tree packer: a tree that contradicts itself is refused by tree and node") {
  std::mt19937_64 random(9);
  TreeShape shape;
  shape.leaves = 8;
  const PlainTree good = random_tree(shape, LeafNumbers::any, random);
  const auto refused = [&](auto change, const std::string& text) {
    PlainTree bad = good;
    change(bad);
    TreePacker packer(options_for(shape, 1));
    packer.add(good.columns());
    std::string message;
    try {
      packer.add(bad.columns());
    } catch (const Error& error) {
      CHECK(error.reason() == Reason::bad_record);
      message = error.what();
    }
    INFO(message);
    CHECK(message.find(text) != std::string::npos);
    CHECK(message.find("test: tree 1, node ") != std::string::npos);
  };
  const auto leaf_of = [](const PlainTree& tree) {
    std::size_t node = 0;
    while (tree.left[node] >= 0) node = static_cast<std::size_t>(tree.left[node]);
    return node;
  };
  refused([](PlainTree& t) { t.left[0] = 15; }, "node 0: child 15 lies outside 15 nodes");
  refused([](PlainTree& t) { t.left[0] = -2; }, "child -2");
  refused([](PlainTree& t) { t.left[0] = std::numeric_limits<std::int64_t>::max(); }, "lies outside");
  refused([](PlainTree& t) { t.right[0] = -1; }, "child -1");
  refused([](PlainTree& t) { t.right[0] = t.left[0]; }, "has another parent");
  refused([&](PlainTree& t) { t.left[leaf_of(t)] = t.right[leaf_of(t)] = 0; },
          "child 0 has another parent, or is the root");
  refused([&](PlainTree& t) { t.left[0] = t.right[0] = -1; }, "node 1: cannot be reached");
  refused([](PlainTree& t) { t.feature[0] = 5; }, "feature 5 of 5");
  refused([](PlainTree& t) { t.feature[0] = -1; }, "feature -1");
  refused([](PlainTree& t) { t.threshold[0] = NAN; }, "NaN");
  refused([](PlainTree& t) { t.threshold.pop_back(); }, "differ in length");
  refused([](PlainTree& t) { t.values.pop_back(); }, "too few values");
  refused([](PlainTree& t) { t = PlainTree(); }, "no nodes");
}

TEST_CASE("tree packer: a tree too wide for the bits beside the feature widens those before and after it") {
  std::mt19937_64 random(12);
  TreeShape shape;
  shape.columns = 65'536;
  shape.missing = true;
  auto trees = random_trees(3, shape, LeafNumbers::any, random);
  CHECK(check_packing(trees, options_for(shape, 1), random)->nodes.layout == "n8");
  shape.leaves = 200'000;
  trees.insert(trees.begin() + 1, random_tree(shape, LeafNumbers::any, random));
  CHECK(check_packing(trees, options_for(shape, 1), random)->nodes.layout == "n12");
}

TEST_CASE("tree packer: trees packed side by side give the bytes of trees packed in turn") {
  std::mt19937_64 random(13);
  const auto same = [](const auto& a, const auto& b) { return a.shape() == b.shape() && std::ranges::equal(a, b); };
  const auto check_threads = [&](const std::vector<PlainTree>& trees, TreePackerOptions options, const char* layout,
                                 const char* leaf) {
    options.node_ids = true;
    TreePacker in_turn(options);
    for (const PlainTree& tree : trees) in_turn.add(tree.columns());
    const auto expected = in_turn.finish();
    CHECK(expected->nodes.layout == layout);
    CHECK(expected->leaf == leaf);
    for (const unsigned threads : {1U, 2U, 5U}) {
      TreePacker packer(options);
      packer.add_all(trees.size(), threads, [&](std::size_t i) { return trees[i].columns(); });
      const auto made = packer.finish();
      CHECK(made->nodes.layout == layout);
      CHECK(made->leaf == leaf);
      CHECK(made->nodes.missing == expected->nodes.missing);
      CHECK(same(made->nodes.nodes, expected->nodes.nodes));
      CHECK(same(made->nodes.starts, expected->nodes.starts));
      CHECK(same(made->nodes.categories, expected->nodes.categories));
      CHECK(same(made->nodes.edges, expected->nodes.edges));
      CHECK(same(made->counts8, expected->counts8));
      CHECK(same(made->values, expected->values));
      CHECK(same(made->columns, expected->columns));
      CHECK(same(packer.finish_leaves()->node_ids, in_turn.finish_leaves()->node_ids));
    }
  };
  TreeShape shape;
  shape.leaves = 200;
  shape.width = 4;
  check_threads(random_trees(40, shape, LeafNumbers::votes, random), options_for(shape, 4), "n8", "vote");
  check_threads(random_trees(40, shape, LeafNumbers::counts, random), options_for(shape, 4), "n8", "counts8");
  check_threads(random_trees(40, shape, LeafNumbers::any, random), options_for(shape, 4), "n8", "rows");
  shape.missing = true;
  TreePackerOptions doubles = options_for(shape, 4);
  doubles.compare_double = true;
  shape.categories = true;
  check_threads(random_trees(40, shape, LeafNumbers::counts, random), doubles, "n16d", "counts8");
  shape.width = 1;
  doubles.outputs = 2;
  doubles.leaf_width = 1;
  check_threads(random_trees(40, shape, LeafNumbers::any, random), doubles, "n16d", "number");
  // Wide and narrow trees by turns, so that each is met before and after the other.
  shape.categories = false;
  shape.columns = std::size_t{1} << 24;
  std::vector<PlainTree> trees;
  for (int i = 0; i < 20; ++i) {
    shape.leaves = i % 4 == 1 ? 2'000 : 5;
    trees.push_back(random_tree(shape, LeafNumbers::any, random));
  }
  check_threads(trees, options_for(shape, 1), "n12", "rows");
}

TEST_CASE("tree packer: of several bad trees the first is told, with any number of threads") {
  std::mt19937_64 random(14);
  TreeShape shape;
  auto trees = random_trees(30, shape, LeafNumbers::any, random);
  trees[11].feature[0] = 5;
  trees[12].left.clear();
  for (const unsigned threads : {1U, 2U, 4U}) {
    for (int round = 0; round < 20; ++round) {
      TreePacker packer(options_for(shape, 1));
      std::string message;
      try {
        packer.add_all(trees.size(), threads, [&](std::size_t i) {
          if (i == 13) throw Error(Reason::schema, "tree 13 cannot be read");
          return trees[i].columns();
        });
      } catch (const Error& error) {
        message = error.what();
      }
      CHECK(message.find("tree 11, node 0: feature 5 of 5") != std::string::npos);
    }
  }
}

TEST_CASE("tree packer: an ensemble without trees is refused") {
  TreePacker packer(options_for(TreeShape(), 1));
  CHECK_THROWS_AS(packer.finish(), Error);
}

}  // namespace mere::test
