#include "lower/packed_tree.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <mere/error.hpp>

#include "program/operators/tree_nodes.hpp"

namespace mere::lower {

using program::kCategoryWords;

PackedTree::PackedTree(const TreePackerOptions& options)
    : options_(&options),
      words_(options.compare_double ? 4 : 2),
      delta_bits_(31 - program::feature_bits(options.columns)),
      row_(static_cast<std::size_t>(options.leaf_width)) {}

void PackedTree::fail(std::size_t node, const std::string& found) const {
  throw Error(Reason::bad_record,
              options_->what + ": tree " + std::to_string(number_) + ", node " + std::to_string(node) + ": " + found);
}

void PackedTree::check_lengths(const TreeColumns& tree) const {
  const std::size_t count = tree.left.size();
  if (count == 0) fail(0, "the tree has no nodes");
  const auto has_length = [&](std::size_t size, bool may_miss) { return size == count || (may_miss && size == 0); };
  if (!has_length(tree.right.size(), false) || !has_length(tree.feature.size(), false) ||
      !has_length(tree.threshold.size(), false) || !has_length(tree.missing_left.size(), true) ||
      !has_length(tree.categorical.size(), true) || tree.category_set.size() != tree.categorical.size()) {
    fail(0, "the tree's arrays differ in length");
  }
  if (!tree.leaf_row && tree.values.size() / row_.size() < count) fail(0, "the tree has too few values");
  if (count > program::kMaxTreeNodes) throw Error(Reason::too_large, options_->what + ": a tree of 2^31 nodes or more");
}

void PackedTree::pack(const TreeColumns& tree, std::size_t number, LeafTable& leaves) {
  number_ = number;
  check_lengths(tree);
  read(tree, leaves);
  if (words_ == 2 && !place<2>(tree)) words_ = 3;
  if (words_ == 3) place<3>(tree);
  if (words_ == 4) place<4>(tree);
}

// In the order in which nodes and values lie in memory; the jumps of a tree are then those between small records.
void PackedTree::read(const TreeColumns& tree, LeafTable& leaves) {
  const std::size_t count = tree.left.size();
  missing_ = false;
  records_.resize(count);
  has_parent_.assign(count, 0);
  has_parent_[0] = 1;  // what is nobody's child, as a node with a parent is no other's
  for (std::size_t node = 0; node < count; ++node) {
    Record& record = records_[node];
    const std::int64_t left = tree.left[node], right = tree.right[node];
    if (left != -1 || right != -1) {
      record.left = read_child(node, left);
      record.right = read_child(node, right);
      read_split(tree, node, record);
      continue;
    }
    const double* row = row_.data();
    if (tree.leaf_row) {
      tree.leaf_row(node, row_);
    } else {
      row = tree.values.data() + node * row_.size();
    }
    record = {has_numbers() ? std::bit_cast<std::uint64_t>(*row) : leaves.find_or_add(row), 0, 0, 0};
  }
}

std::uint32_t PackedTree::read_child(std::size_t node, std::int64_t child) {
  if (child < 0 || static_cast<std::uint64_t>(child) >= has_parent_.size()) {
    fail(node, "child " + std::to_string(child) + " lies outside " + std::to_string(has_parent_.size()) + " nodes");
  }
  char& taken = has_parent_[static_cast<std::size_t>(child)];
  if (taken != 0) fail(node, "child " + std::to_string(child) + " has another parent, or is the root");
  taken = 1;
  return static_cast<std::uint32_t>(child);
}

void PackedTree::read_split(const TreeColumns& tree, std::size_t node, Record& record) {
  const std::int64_t feature = tree.feature[node];
  if (feature < 0 || static_cast<std::uint64_t>(feature) >= options_->columns) {
    fail(node, "feature " + std::to_string(feature) + " of " + std::to_string(options_->columns));
  }
  record.feature = static_cast<std::uint32_t>(feature);
  if (!tree.missing_left.empty() && tree.missing_left[node] != 0) {
    record.feature |= kMissingLeft;
    missing_ = true;
  }
  if (!tree.categorical.empty() && tree.categorical[node] != 0) {
    if (!options_->compare_double) fail(node, "categories where numbers are compared as float32");
    const std::size_t set = tree.category_set[node];
    if (set >= tree.category_sets.size() / kCategoryWords) {
      fail(node, "set of categories " + std::to_string(set) + " of " +
                     std::to_string(tree.category_sets.size() / kCategoryWords));
    }
    record.feature |= kCategorical;
    record.payload = set;
    return;
  }
  const double threshold = tree.threshold[node];
  if (std::isnan(threshold)) fail(node, "the threshold is NaN");
  if (options_->compare_double) {
    record.payload = std::bit_cast<std::uint64_t>(threshold);
  } else {
    record.payload = std::bit_cast<std::uint32_t>(program::float_not_above(threshold));
  }
}

// Breadth first, so that both children of a node lie side by side and after it. As no node has two parents, no more
// nodes are met than there are.
template <unsigned words>
bool PackedTree::place(const TreeColumns& tree) {
  const std::size_t count = records_.size();
  nodes_.resize(count * words);
  order_.resize(count);
  categories_.clear();
  order_[0] = 0;
  std::size_t next = 1;  // where the next child will lie
  std::uint32_t* out = nodes_.data();
  for (std::size_t i = 0; i < count; ++i, out += words) {
    if (i == next) {
      for (std::size_t k = 0; k < next; ++k) records_[order_[k]].right = ~std::uint32_t{0};
      std::size_t lost = 0;
      while (records_[lost].right == ~std::uint32_t{0}) ++lost;
      fail(lost, "cannot be reached from the root");
    }
    const Record& record = records_[order_[i]];
    out[0] = static_cast<std::uint32_t>(record.payload);
    if (record.left == 0) {
      if constexpr (words == 4) out[1] = static_cast<std::uint32_t>(record.payload >> 32);
      if constexpr (words > 2) out[words - 2] = 0;
      out[words - 1] = 0;
      continue;
    }
    order_[next] = record.left;
    order_[next + 1] = record.right;
    const auto delta = static_cast<std::uint32_t>(next - i);
    next += 2;
    if constexpr (words == 2) {
      if (delta >> delta_bits_ != 0) return false;
      out[1] = (record.feature & ~kMissingLeft) << (delta_bits_ + 1) | (record.feature >> 31) << delta_bits_ | delta;
    } else {
      if constexpr (words == 4) {
        out[1] = static_cast<std::uint32_t>(record.payload >> 32);
        if ((record.feature & kCategorical) != 0) {
          const std::size_t set = static_cast<std::size_t>(record.payload) * kCategoryWords;
          out[0] = static_cast<std::uint32_t>(categories_.size() / kCategoryWords);
          const auto from = tree.category_sets.begin() + static_cast<std::ptrdiff_t>(set);
          categories_.insert(categories_.end(), from, from + static_cast<std::ptrdiff_t>(kCategoryWords));
        }
      }
      out[words - 2] = record.feature;
      out[words - 1] = delta;
    }
  }
  return true;
}

std::vector<std::uint32_t> widened(const std::vector<std::uint32_t>& nodes, unsigned delta_bits,
                                   std::size_t expected_nodes) {
  std::vector<std::uint32_t> wide;
  wide.reserve(std::max(nodes.size() / 2, expected_nodes) * 3);
  const std::uint32_t mask = (std::uint32_t{1} << delta_bits) - 1;
  for (std::size_t i = 0; i < nodes.size(); i += 2) {
    const std::uint32_t word = nodes[i + 1];
    wide.push_back(nodes[i]);
    wide.push_back((word >> (delta_bits + 1)) | (word >> delta_bits & 1) << 31);
    wide.push_back(word & mask);
  }
  return wide;
}

}  // namespace mere::lower
