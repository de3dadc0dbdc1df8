#include "program/operators/tree_nodes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace mere::program {

namespace {

struct LayoutWord {
  std::string_view word;
  TreeLayout layout;
};

constexpr LayoutWord kLayouts[] = {
    {"n8", TreeLayout::n8},     {"n12", TreeLayout::n12},         {"n16d", TreeLayout::n16d},
    {"bins", TreeLayout::bins}, {"shallow", TreeLayout::shallow},
};

constexpr std::uint32_t kTopBit = 0x80000000;

std::size_t extent(const Array<std::uint32_t>& array, std::size_t dimension) {
  return static_cast<std::size_t>(array.shape()[dimension]);
}

bool goes_right(float x, float threshold, bool missing_left) {
  return missing_left ? x > threshold : !(x <= threshold);
}

}  // namespace

unsigned feature_bits(std::uint64_t columns) {
  return std::max(1u, static_cast<unsigned>(std::bit_width(columns - 1)));
}

float float_not_above(double threshold) {
  const auto rounded = static_cast<float>(threshold);
  return rounded > threshold ? std::nextafterf(rounded, -std::numeric_limits<float>::infinity()) : rounded;
}

void TreeNodes::fields(Fields& fields) {
  fields.field("layout", layout);
  fields.field("trees", trees);
  fields.field("missing", missing);
  fields.field("nodes", nodes);
  fields.field("starts", starts);
  fields.field("categories", categories);
  fields.field("edges", edges);
}

TreeLayout TreeNodes::kind(const Operator& op) const {
  for (const LayoutWord& known : kLayouts) {
    if (known.word == layout) return known.layout;
  }
  fail_check(op, "there is no layout of nodes called " + layout);
}

void TreeNodes::check(const Operator& op, std::uint64_t columns) const {
  const TreeLayout kind = this->kind(op);
  const auto fail = [&](const char* field, const Dims& shape, const char* expected) {
    fail_check(op,
               std::string(field) + " has shape " + shape.to_text() + ", layout " + layout + " expects " + expected);
  };
  if (trees < 1 || trees > static_cast<std::int64_t>(kMaxTreeNodes)) {
    fail_check(op, "has " + std::to_string(trees) + " trees");
  }
  const auto count = static_cast<std::uint64_t>(trees);
  const Dims& shape = nodes.shape();
  const auto has_rows_of = [&](std::int64_t words) { return shape.size() == 2 && shape[1] == words; };
  switch (kind) {
    case TreeLayout::n8:
      if (!has_rows_of(2)) fail("nodes", shape, "(nodes, 2)");
      if (columns > std::uint64_t{1} << 30) fail_check(op, "layout n8 has at most 2^30 columns");
      break;
    case TreeLayout::n12:
      if (!has_rows_of(3)) fail("nodes", shape, "(nodes, 3)");
      break;
    case TreeLayout::n16d:
      if (!has_rows_of(4)) fail("nodes", shape, "(nodes, 4)");
      break;
    case TreeLayout::bins:
      if (shape.size() != 1) fail("nodes", shape, "(nodes)");
      if (columns > kBinColumns) fail_check(op, "layout bins has at most 64 columns");
      break;
    case TreeLayout::shallow:
      if (shape.size() != 3 || shape[1] != 2 * std::int64_t{kShallowSplits} ||
          shape[2] != std::int64_t{kShallowLanes}) {
        fail("nodes", shape, "(groups, 14, 16)");
      }
      if (extent(nodes, 0) != (count + kShallowLanes - 1) / kShallowLanes) {
        fail_check(op, "has " + std::to_string(trees) + " trees in " + std::to_string(extent(nodes, 0)) + " groups");
      }
      break;
  }
  if (nodes.empty() || extent(nodes, 0) > kMaxTreeNodes) {
    fail_check(op, "has " + std::to_string(extent(nodes, 0)) + " nodes");
  }
  if (kind != TreeLayout::shallow) require_shape(op, "starts", starts.shape(), std::array{count});
  if (!categories.empty() && (categories.shape().size() != 2 || extent(categories, 1) != kCategoryWords)) {
    fail("categories", categories.shape(), "(sets, 16)");
  }
  if (kind == TreeLayout::bins) {
    require_shape(op, "edges", edges.shape(), std::array{columns, std::uint64_t{kBinEdges}});
  }
}

std::size_t TreeNodes::positions() const {
  return layout == "shallow" ? extent(nodes, 0) * kShallowLeaves * kShallowLanes : extent(nodes, 0);
}

TreeWalk::TreeWalk(const TreeNodes& nodes, TreeLayout layout, std::size_t columns)
    : nodes_(nodes),
      layout_(layout),
      columns_(columns),
      node_count_(extent(nodes.nodes, 0)),
      delta_bits_(31 - feature_bits(columns)) {}

TreeLeaf TreeWalk::leaf(std::size_t tree, const double* row) const {
  if (layout_ == TreeLayout::shallow) return walk_shallow(tree, row);
  const std::size_t root = std::min<std::size_t>(nodes_.starts[tree], node_count_ - 1);
  switch (layout_) {
    case TreeLayout::n12: return walk_n12(root, row);
    case TreeLayout::n16d: return walk_n16d(root, row);
    case TreeLayout::bins: return walk_bins(tree, root, row);
    default: return walk_n8(root, row);
  }
}

// An index only grows, and stays where it is at the last node.
std::size_t TreeWalk::next(std::size_t at, std::size_t delta, bool right) const {
  return std::min(at + delta + (right ? 1 : 0), node_count_ - 1);
}

TreeLeaf TreeWalk::walk_n8(std::size_t at, const double* row) const {
  for (;;) {
    const std::uint32_t* node = nodes_.nodes.data() + 2 * at;
    const std::uint32_t payload = node[0], word = node[1];
    const std::size_t delta = word & ((std::uint32_t{1} << delta_bits_) - 1);
    const bool missing_left = nodes_.missing && (word >> delta_bits_ & 1);
    const auto x = static_cast<float>(row[std::min<std::size_t>(word >> (delta_bits_ + 1), columns_ - 1)]);
    const std::size_t to =
        delta == 0 ? at : next(at, delta, goes_right(x, std::bit_cast<float>(payload), missing_left));
    if (to == at) return {at, payload};
    at = to;
  }
}

TreeLeaf TreeWalk::walk_n12(std::size_t at, const double* row) const {
  for (;;) {
    const std::uint32_t* node = nodes_.nodes.data() + 3 * at;
    const std::uint32_t payload = node[0], word = node[1];
    const std::size_t delta = node[2] & ~kTopBit;
    const bool missing_left = nodes_.missing && (word & kTopBit);
    const auto x = static_cast<float>(row[std::min<std::size_t>(word & ~kTopBit, columns_ - 1)]);
    const std::size_t to =
        delta == 0 ? at : next(at, delta, goes_right(x, std::bit_cast<float>(payload), missing_left));
    if (to == at) return {at, payload};
    at = to;
  }
}

// As scikit-learn up to 1.3: numbers below 0 are missing, and a byte of the whole part is the category.
bool TreeWalk::category_goes_left(std::size_t set, double x, bool missing_left) const {
  const std::size_t sets = nodes_.categories.size() / kCategoryWords;
  if (sets == 0 || !(x >= 0)) return missing_left;
  const std::uint32_t* words = nodes_.categories.data() + std::min(set, sets - 1) * kCategoryWords;
  // What the CPU's conversion gives beyond int32 ends in a byte of zeros.
  const unsigned category = x < 2147483648.0 ? static_cast<std::uint32_t>(x) & 0xff : 0;
  if (words[category / 32] >> (category % 32) & 1) return true;
  const bool known = words[8 + category / 32] >> (category % 32) & 1;
  return !known && missing_left;
}

TreeLeaf TreeWalk::walk_n16d(std::size_t at, const double* row) const {
  constexpr std::uint32_t kCategorical = 0x40000000;
  for (;;) {
    const std::uint32_t* node = nodes_.nodes.data() + 4 * at;
    const std::uint64_t payload = node[0] | static_cast<std::uint64_t>(node[1]) << 32;
    const std::uint32_t word = node[2];
    const std::size_t delta = node[3] & ~kTopBit;
    const bool missing_left = nodes_.missing && (word & kTopBit);
    const double x = row[std::min<std::size_t>(word & (kCategorical - 1), columns_ - 1)];
    bool right = false;
    if (word & kCategorical) {
      right = !category_goes_left(static_cast<std::uint32_t>(payload), x, missing_left);
    } else {
      const double threshold = std::bit_cast<double>(payload);
      right = missing_left ? x > threshold : !(x <= threshold);
    }
    const std::size_t to = delta == 0 ? at : next(at, delta, right);
    if (to == at) return {at, payload};
    at = to;
  }
}

TreeLeaf TreeWalk::walk_bins(std::size_t tree, std::size_t root, const double* row) const {
  std::size_t in_tree = 0;
  for (;;) {
    const std::size_t at = std::min(root + in_tree, node_count_ - 1);
    const std::uint32_t word = nodes_.nodes[at];
    const std::size_t delta = word & 0xff;
    const std::size_t column = std::min<std::size_t>(word >> 8 & 0x3f, columns_ - 1);
    const bool missing_left = nodes_.missing && (word & 0x4000);
    const double x = row[column];
    // How many thresholds of the column lie below x, by the steps that every kernel takes: they agree also where a
    // file's thresholds are in no order.
    std::size_t rank = 0;
    for (std::size_t step = kBinEdges / 2; step > 0; step /= 2) {
      if (nodes_.edges[column * kBinEdges + rank + step - 1] < x) rank += step;
    }
    if (std::isnan(x)) rank = missing_left ? 0 : 255;
    const bool right = rank > (word >> 16 & 0xff);
    const std::size_t to = delta == 0 ? in_tree : std::min(in_tree + delta + (right ? 1 : 0), kBinTreeNodes - 1);
    // Leaves before this tree: half of its nodes and one, of every tree before it.
    if (to == in_tree) return {at, (root + tree) / 2 + (word >> 24)};
    in_tree = to;
  }
}

TreeLeaf TreeWalk::walk_shallow(std::size_t tree, const double* row) const {
  const std::size_t lane = tree % kShallowLanes;
  const std::uint32_t* group = nodes_.nodes.data() + tree / kShallowLanes * 2 * kShallowSplits * kShallowLanes;
  std::size_t split = 0;
  while (split < kShallowSplits) {
    const auto threshold = std::bit_cast<float>(group[split * kShallowLanes + lane]);
    const std::uint32_t word = group[(kShallowSplits + split) * kShallowLanes + lane];
    const auto x = static_cast<float>(row[std::min<std::size_t>(word & ~kTopBit, columns_ - 1)]);
    const bool right = goes_right(x, threshold, nodes_.missing && (word & kTopBit));
    split = 2 * split + 1 + (right ? 1 : 0);
  }
  const std::size_t at = (tree / kShallowLanes * kShallowLeaves + split - kShallowSplits) * kShallowLanes + lane;
  return {at, at};
}

}  // namespace mere::program
