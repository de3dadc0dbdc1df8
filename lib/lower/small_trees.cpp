#include "lower/small_trees.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace mere::lower {

using program::kBinEdges;
using program::kShallowLanes;
using program::kShallowLeaves;
using program::kShallowSplits;
using program::TreeEnsemble;

namespace {

// Fewer trees are not worth a layout of their own.
constexpr std::int64_t kFewTrees = 8;
constexpr std::size_t kMostEdges = 254;

std::size_t end_of_tree(const TreeEnsemble& trees, std::size_t tree, std::size_t nodes) {
  return tree + 1 < trees.nodes.starts.size() ? trees.nodes.starts[tree + 1] : nodes;
}

// One group's share of the arrays, and the tree that goes into a lane of it.
struct ShallowWriter {
  const TreeEnsemble& trees;
  unsigned delta_bits;
  const std::vector<std::uint32_t>& ids;
  std::uint32_t* splits;
  double* values;
  std::uint32_t* slot_ids;

  // `at`: a node of n8; `place`: of the complete tree. A leaf above the third level fills all places below it.
  bool fill(std::size_t at, std::size_t place) const {
    const std::uint32_t payload = trees.nodes.nodes[2 * at], word = trees.nodes.nodes[2 * at + 1];
    const std::uint32_t delta = word & ((std::uint32_t{1} << delta_bits) - 1);
    if (place >= kShallowSplits) {
      if (delta != 0) return false;
      const std::size_t slot = (place - kShallowSplits) * kShallowLanes;
      values[slot] = trees.values[payload];
      if (slot_ids) slot_ids[slot] = ids[at];
      return true;
    }
    std::uint32_t threshold = payload, feature = word >> (delta_bits + 1) | (word >> delta_bits & 1) << 31;
    if (delta == 0) {
      threshold = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
      feature = 0;
    }
    splits[place * kShallowLanes] = threshold;
    splits[(kShallowSplits + place) * kShallowLanes] = feature;
    const std::size_t left = at + delta, right = delta == 0 ? at : left + 1;
    return fill(left, 2 * place + 1) && fill(right, 2 * place + 2);
  }
};

}  // namespace

bool to_shallow(TreeEnsemble& trees, std::uint64_t columns, std::vector<std::uint32_t>& node_ids) {
  const auto count = static_cast<std::size_t>(trees.nodes.trees);
  if (trees.nodes.layout != "n8" || trees.leaf != "rows" || trees.leaf_width != 1 || trees.nodes.trees < kFewTrees) {
    return false;
  }
  const std::size_t nodes = trees.nodes.nodes.size() / 2;
  for (std::size_t t = 0; t < count; ++t) {
    if (end_of_tree(trees, t, nodes) - trees.nodes.starts[t] > kShallowSplits + kShallowLeaves) return false;
  }
  constexpr std::size_t kSplitWords = 2 * kShallowSplits * kShallowLanes, kSlots = kShallowLeaves * kShallowLanes;
  const std::size_t groups = (count + kShallowLanes - 1) / kShallowLanes;
  std::vector<std::uint32_t> splits(groups * kSplitWords, 0), ids;
  std::vector<double> values(groups * kSlots, 0.0);
  if (!node_ids.empty()) ids.assign(groups * kSlots, 0);
  for (std::size_t t = 0; t < count; ++t) {
    const std::size_t group = t / kShallowLanes, lane = t % kShallowLanes;
    const ShallowWriter writer{trees,
                               31 - program::feature_bits(columns),
                               node_ids,
                               splits.data() + group * kSplitWords + lane,
                               values.data() + group * kSlots + lane,
                               ids.empty() ? nullptr : ids.data() + group * kSlots + lane};
    if (!writer.fill(trees.nodes.starts[t], 0)) return false;
  }
  trees.nodes.layout = "shallow";
  trees.nodes.nodes = Array<std::uint32_t>(
      std::move(splits), Dims{static_cast<std::int64_t>(groups), 2 * std::int64_t{kShallowSplits}, kShallowLanes});
  trees.nodes.starts = Array<std::uint32_t>();
  trees.values = Array<double>(std::move(values), Dims{static_cast<std::int64_t>(groups * kSlots), 1});
  if (!node_ids.empty()) node_ids = std::move(ids);
  return true;
}

bool to_bins(TreeEnsemble& trees, std::uint64_t columns) {
  const auto count = static_cast<std::size_t>(trees.nodes.trees);
  if (trees.nodes.layout != "n16d" || trees.leaf != "number" || columns > program::kBinColumns ||
      !trees.nodes.categories.empty() || trees.nodes.trees < kFewTrees) {
    return false;
  }
  const std::size_t nodes = trees.nodes.nodes.size() / 4;
  const std::uint32_t* words = trees.nodes.nodes.data();
  const auto payload_of = [&](std::size_t i) {
    return std::bit_cast<double>(words[4 * i] | static_cast<std::uint64_t>(words[4 * i + 1]) << 32);
  };
  constexpr std::uint32_t kColumn = 0x3fffffff;
  for (std::size_t t = 0; t < count; ++t) {
    if (end_of_tree(trees, t, nodes) - trees.nodes.starts[t] > program::kBinTreeNodes) return false;
  }
  std::vector<std::vector<double>> edges(static_cast<std::size_t>(columns));
  for (std::size_t i = 0; i < nodes; ++i) {
    if (words[4 * i + 3] != 0) edges[words[4 * i + 2] & kColumn].push_back(payload_of(i));
  }
  for (auto& column : edges) {
    std::sort(column.begin(), column.end());
    column.erase(std::unique(column.begin(), column.end()), column.end());
    if (column.size() > kMostEdges) return false;
  }

  std::vector<std::uint32_t> packed(nodes);
  std::vector<double> values;
  std::size_t tree = 0;
  std::uint32_t rank = 0;  // of the next leaf in its tree
  for (std::size_t i = 0; i < nodes; ++i) {
    if (tree < count && i == trees.nodes.starts[tree]) {
      ++tree;
      rank = 0;
    }
    const std::uint32_t delta = words[4 * i + 3];
    if (delta == 0) {
      values.push_back(payload_of(i));
      packed[i] = 255u << 16 | rank++ << 24;
      continue;
    }
    const std::uint32_t column = words[4 * i + 2] & kColumn, missing_left = words[4 * i + 2] >> 31;
    const auto& known = edges[column];
    const auto bin = std::lower_bound(known.begin(), known.end(), payload_of(i)) - known.begin();
    packed[i] = delta | column << 8 | missing_left << 14 | static_cast<std::uint32_t>(bin) << 16;
  }
  std::vector<double> table(edges.size() * kBinEdges, std::numeric_limits<double>::infinity());
  for (std::size_t c = 0; c < edges.size(); ++c) {
    std::copy(edges[c].begin(), edges[c].end(), table.begin() + static_cast<std::ptrdiff_t>(c * kBinEdges));
  }
  const auto leaves = static_cast<std::int64_t>(values.size());
  trees.nodes.layout = "bins";
  trees.nodes.nodes = Array<std::uint32_t>(std::move(packed));
  trees.nodes.edges = Array<double>(std::move(table), Dims{static_cast<std::int64_t>(columns), kBinEdges});
  trees.leaf = "rows";
  trees.values = Array<double>(std::move(values), Dims{leaves, 1});
  return true;
}

}  // namespace mere::lower
