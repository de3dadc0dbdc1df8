#pragma once
// Structs that the tests dump and load.

#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include <mere/record.hpp>

namespace forest {

enum class Criterion : std::uint8_t { gini = 1, entropy = 2 };

// What a tree's nodes are in one array.
struct TreeNode {
  std::int64_t left = -1, right = -1;
  double threshold = 0;
  std::int32_t feature = 0;
  // Four bytes of padding, written as zero.
  std::array<float, 2> value{};
  bool operator==(const TreeNode&) const = default;
};
MERE_RECORD(TreeNode, left, right, threshold, feature, value)

struct Tree {
  mere::Array<TreeNode> nodes;
  std::vector<double> weights;
  std::optional<int> depth;
};
MERE_RECORD(Tree, nodes, weights, depth)

struct Forest {
  std::vector<Tree> trees;
  std::vector<std::string> classes;
  Criterion criterion = Criterion::gini;
};
MERE_RECORD(Forest, trees, classes, criterion)

inline Forest make(std::size_t trees, std::size_t nodes) {
  Forest forest;
  for (std::size_t t = 0; t < trees; ++t) {
    std::vector<TreeNode> rows(nodes);
    for (std::size_t i = 0; i < nodes; ++i) {
      const auto n = static_cast<std::int64_t>(i);
      rows[i] = {n + 1,
                 n + 2,
                 0.5 * static_cast<double>(i + t),
                 static_cast<std::int32_t>(i % 7),
                 {1.0f, static_cast<float>(i)}};
    }
    Tree tree;
    tree.nodes = mere::Array<TreeNode>(std::move(rows));
    tree.weights.assign(nodes / 2, 1.0 / static_cast<double>(t + 1));
    if (t % 2 == 0) tree.depth = static_cast<int>(t);
    forest.trees.push_back(std::move(tree));
  }
  forest.classes = {"cat", "dog", "Löwe"};
  forest.criterion = Criterion::entropy;
  return forest;
}

}  // namespace forest
