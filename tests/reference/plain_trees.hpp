#pragma once
// Trees as training libraries hold them, made at random, and the walk over them that their sources have: what packed
// trees are held against.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "lower/tree_packer.hpp"

namespace mere::test {

struct PlainTree {
  std::vector<std::int64_t> left, right, feature;
  std::vector<double> threshold, values;  // values: (nodes, width)
  std::vector<std::uint8_t> missing_left, categorical;
  std::vector<std::uint32_t> category_set, category_sets;

  std::size_t size() const { return left.size(); }
  lower::TreeColumns columns() const {
    lower::TreeColumns made;
    made.left = left;
    made.right = right;
    made.feature = feature;
    made.threshold = threshold;
    made.missing_left = missing_left;
    made.categorical = categorical;
    made.category_set = category_set;
    made.category_sets = category_sets;
    made.values = values;
    return made;
  }
};

struct TreeShape {
  std::size_t leaves = 10;  // at least 1
  std::size_t columns = 5, width = 1;
  std::size_t max_depth = 1000;
  bool missing = false;        // NaN goes left in half of the nodes
  bool categories = false;     // a third of the nodes are categorical
  std::size_t thresholds = 0;  // of each column, whole numbers; 0: any
};

enum class LeafNumbers { any, votes, counts };

inline void set_leaf(PlainTree& tree, std::size_t node, const TreeShape& shape, LeafNumbers numbers,
                     std::mt19937_64& random) {
  double* row = tree.values.data() + node * shape.width;
  if (numbers == LeafNumbers::votes) {
    row[random() % shape.width] = 1;
    return;
  }
  double sum = 0;
  for (std::size_t k = 0; k < shape.width; ++k) {
    row[k] = numbers == LeafNumbers::counts ? static_cast<double>(random() % 7 * (random() % 9))
                                            : std::normal_distribution<double>()(random);
    sum += row[k];
  }
  if (numbers != LeafNumbers::counts) return;
  for (std::size_t k = 0; k < shape.width; ++k) row[k] /= sum == 0 ? 1 : sum;
}

// Leaves are split at random until there are enough; nodes are numbered in the order they were made.
inline PlainTree random_tree(const TreeShape& shape, LeafNumbers numbers, std::mt19937_64& random) {
  PlainTree tree;
  std::vector<std::size_t> leaves{0}, depth{0};
  const auto add_node = [&] {
    tree.left.push_back(-1);
    tree.right.push_back(-1);
    tree.feature.push_back(-2);
    tree.threshold.push_back(-2);
    tree.missing_left.push_back(0);
    if (shape.categories) {
      tree.categorical.push_back(0);
      tree.category_set.push_back(0);
    }
  };
  add_node();
  for (std::size_t tries = 0; leaves.size() < shape.leaves && tries < 20 * shape.leaves; ++tries) {
    const std::size_t which = random() % leaves.size(), node = leaves[which];
    if (depth[node] >= shape.max_depth) continue;
    const std::size_t child = tree.size();
    add_node();
    add_node();
    depth.resize(child + 2, depth[node] + 1);
    // Either child may be the one that was made first.
    const bool swapped = random() % 4 == 0;
    tree.left[node] = static_cast<std::int64_t>(child + (swapped ? 1 : 0));
    tree.right[node] = static_cast<std::int64_t>(child + (swapped ? 0 : 1));
    tree.feature[node] = static_cast<std::int64_t>(random() % shape.columns);
    tree.threshold[node] = shape.thresholds ? static_cast<double>(random() % shape.thresholds) + 0.25
                                            : std::normal_distribution<double>()(random);
    if (!shape.thresholds && random() % 50 == 0) tree.threshold[node] = HUGE_VAL;
    if (shape.missing) tree.missing_left[node] = random() % 2;
    if (shape.categories && random() % 3 == 0) {
      tree.categorical[node] = 1;
      tree.category_set[node] = static_cast<std::uint32_t>(tree.category_sets.size() / 16);
      for (int w = 0; w < 16; ++w) tree.category_sets.push_back(static_cast<std::uint32_t>(random() & random()));
    }
    leaves[which] = child;
    leaves.push_back(child + 1);
  }
  tree.values.assign(tree.size() * shape.width, 0);
  for (const std::size_t leaf : leaves) set_leaf(tree, leaf, shape, numbers, random);
  return tree;
}

// The leaf of a row: scikit-learn's own comparisons, thresholds as they are.
inline std::size_t plain_leaf(const PlainTree& tree, const double* row, bool compare_double) {
  std::size_t node = 0;
  while (tree.left[node] >= 0) {
    double x = row[tree.feature[node]];
    if (!compare_double) x = static_cast<float>(x);
    bool to_left = x <= tree.threshold[node];
    if (!tree.categorical.empty() && tree.categorical[node]) {
      const std::uint32_t* words = tree.category_sets.data() + tree.category_set[node] * 16;
      to_left = tree.missing_left[node] != 0;
      if (!std::isnan(x) && x >= 0) {
        const unsigned category = x >= 2147483648.0 ? 0 : static_cast<std::uint8_t>(static_cast<std::int32_t>(x));
        if (words[category / 32] >> (category % 32) & 1) {
          to_left = true;
        } else if (words[8 + category / 32] >> (category % 32) & 1) {
          to_left = false;
        }
      }
    } else if (std::isnan(x)) {
      to_left = tree.missing_left[node] != 0;
    }
    node = static_cast<std::size_t>(to_left ? tree.left[node] : tree.right[node]);
  }
  return node;
}

// Numbers near the thresholds that random_tree() makes, and all kinds of others.
inline double random_number(std::mt19937_64& random) {
  constexpr double kSpecial[] = {NAN,   HUGE_VAL, -HUGE_VAL, 0.0,    -0.0,   1e-310, -1e-310,
                                 1e-42, -1e-42,   1e300,     -1e300, 3.5e38, 257.0,  2147483648.5};
  if (random() % 16 == 0) return kSpecial[random() % std::size(kSpecial)];
  if (random() % 4 == 0) return static_cast<double>(random() % 300) + 0.25 * static_cast<double>(random() % 3);
  return std::normal_distribution<double>()(random);
}

}  // namespace mere::test
