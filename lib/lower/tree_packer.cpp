#include "lower/tree_packer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include <mere/error.hpp>

#include "lower/small_trees.hpp"

namespace mere::lower {

using program::kCategoryWords;
using program::kMaxTreeNodes;
using program::TreeEnsemble;
using program::TreeLayout;

namespace {

constexpr std::uint32_t kTopBit = 0x80000000;
constexpr std::uint32_t kCategorical = 0x40000000;

template <class T>
Array<T> rows_of(std::vector<T> values, std::size_t length) {
  const auto rows = static_cast<std::int64_t>(values.size() / length);
  return Array<T>(std::move(values), Dims{rows, static_cast<std::int64_t>(length)});
}

}  // namespace

TreePacker::TreePacker(TreePackerOptions options) : options_(std::move(options)), leaves_(0) {
  if (options_.leaf_width == 0) options_.leaf_width = options_.outputs;
  const auto fail_options = [&](const std::string& found) {
    throw Error(Reason::bad_record, options_.what + ": trees " + found);
  };
  if (options_.columns == 0 || options_.columns > kCategorical) {
    fail_options("over " + std::to_string(options_.columns) + " columns");
  }
  if (options_.outputs == 0 || options_.leaf_width > options_.outputs) {
    fail_options("with leaves of " + std::to_string(options_.leaf_width) + " numbers for " +
                 std::to_string(options_.outputs) + " outputs");
  }
  if (!options_.base.empty() && options_.base.size() != options_.outputs) {
    fail_options("that start from " + std::to_string(options_.base.size()) + " numbers for " +
                 std::to_string(options_.outputs) + " outputs");
  }
  leaves_ = LeafTable(static_cast<std::size_t>(options_.leaf_width));
  row_.resize(static_cast<std::size_t>(options_.leaf_width));
  if (options_.compare_double) {
    layout_ = TreeLayout::n16d;
    words_ = 4;
  }
  delta_bits_ = 31 - program::feature_bits(options_.columns);
  nodes_.reserve(options_.expected_nodes * words_);
  if (options_.node_ids) node_ids_.reserve(options_.expected_nodes);
}

void TreePacker::fail(std::size_t node, const std::string& found) const {
  throw Error(Reason::bad_record, options_.what + ": tree " + std::to_string(tree_count()) + ", node " +
                                      std::to_string(node) + ": " + found);
}

// Breadth first, so that both children of a node lie side by side and after it.
void TreePacker::order_tree(const TreeColumns& tree) {
  const std::size_t count = tree.left.size();
  order_.clear();
  order_.reserve(count);
  seen_.assign(count, false);
  order_.push_back(0);
  seen_[0] = true;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::size_t node = order_[i];
    const std::int64_t children[] = {tree.left[node], tree.right[node]};
    if (children[0] == -1 && children[1] == -1) continue;
    for (const std::int64_t child : children) {
      if (child < 0 || static_cast<std::uint64_t>(child) >= count) {
        fail(node, "child " + std::to_string(child) + " lies outside " + std::to_string(count) + " nodes");
      }
      const auto at = static_cast<std::size_t>(child);
      if (seen_[at]) fail(node, "child " + std::to_string(child) + " has another parent, or is the root");
      seen_[at] = true;
      order_.push_back(static_cast<std::uint32_t>(at));
    }
  }
  if (order_.size() == count) return;
  const auto lost = std::find(seen_.begin(), seen_.end(), false) - seen_.begin();
  fail(static_cast<std::size_t>(lost), "cannot be reached from the root");
}

// From n8 to n12, when a tree is too large for the bits that are left beside the feature.
void TreePacker::widen() {
  std::vector<std::uint32_t> wide;
  wide.reserve(std::max(nodes_.size() / 2, options_.expected_nodes) * 3);
  const std::uint32_t mask = (std::uint32_t{1} << delta_bits_) - 1;
  for (std::size_t i = 0; i < nodes_.size(); i += 2) {
    const std::uint32_t word = nodes_[i + 1];
    wide.push_back(nodes_[i]);
    wide.push_back((word >> (delta_bits_ + 1)) | (word >> delta_bits_ & 1) << 31);
    wide.push_back(word & mask);
  }
  nodes_ = std::move(wide);
  words_ = 3;
  layout_ = TreeLayout::n12;
}

void TreePacker::append_split(const Split& split, std::uint64_t delta) {
  const auto feature = static_cast<std::uint32_t>(split.feature);
  const std::uint32_t missing = split.missing_left ? 1 : 0;
  if (layout_ == TreeLayout::n16d) {
    const auto payload = split.categorical ? std::uint64_t{split.set} : std::bit_cast<std::uint64_t>(split.threshold);
    nodes_.push_back(static_cast<std::uint32_t>(payload));
    nodes_.push_back(static_cast<std::uint32_t>(payload >> 32));
    nodes_.push_back(feature | missing << 31 | (split.categorical ? kCategorical : 0));
    nodes_.push_back(static_cast<std::uint32_t>(delta));
    return;
  }
  if (layout_ == TreeLayout::n8 && delta >> delta_bits_ != 0) widen();
  nodes_.push_back(std::bit_cast<std::uint32_t>(program::float_not_above(split.threshold)));
  if (layout_ == TreeLayout::n8) {
    nodes_.push_back(feature << (delta_bits_ + 1) | missing << delta_bits_ | static_cast<std::uint32_t>(delta));
    return;
  }
  nodes_.push_back(feature | missing << 31);
  nodes_.push_back(static_cast<std::uint32_t>(delta));
}

// In the order of nodes, in which values lie in memory, and not in that of the packed tree.
void TreePacker::read_leaves(const TreeColumns& tree) {
  const std::size_t count = tree.left.size();
  leaf_payloads_.assign(count, 0);
  const bool inline_number = layout_ == TreeLayout::n16d && row_.size() == 1;
  for (std::size_t node = 0; node < count; ++node) {
    if (tree.left[node] != -1) continue;
    const double* row = row_.data();
    if (tree.leaf_row) {
      tree.leaf_row(node, row_);
    } else {
      row = tree.values.data() + node * row_.size();
    }
    leaf_payloads_[node] = inline_number ? std::bit_cast<std::uint64_t>(*row) : leaves_.find_or_add(row);
  }
}

void TreePacker::append_leaf(std::uint64_t payload) {
  nodes_.push_back(static_cast<std::uint32_t>(payload));
  if (words_ == 4) nodes_.push_back(static_cast<std::uint32_t>(payload >> 32));
  nodes_.insert(nodes_.end(), words_ == 2 ? 1 : 2, 0);
}

std::uint32_t TreePacker::add_category_set(std::span<const std::uint32_t> words) {
  const std::size_t sets = categories_.size() / kCategoryWords;
  if (sets >= kMaxTreeNodes) throw Error(Reason::too_large, options_.what + ": more than 2^31 sets of categories");
  categories_.insert(categories_.end(), words.begin(), words.end());
  return static_cast<std::uint32_t>(sets);
}

void TreePacker::add(const TreeColumns& tree, std::uint64_t first_column) {
  const std::size_t count = tree.left.size();
  if (count == 0) fail(0, "the tree has no nodes");
  const auto has_length = [&](std::size_t size, bool may_miss) { return size == count || (may_miss && size == 0); };
  if (!has_length(tree.right.size(), false) || !has_length(tree.feature.size(), false) ||
      !has_length(tree.threshold.size(), false) || !has_length(tree.missing_left.size(), true) ||
      !has_length(tree.categorical.size(), true) || tree.category_set.size() != tree.categorical.size()) {
    fail(0, "the tree's arrays differ in length");
  }
  if (!tree.leaf_row && tree.values.size() / row_.size() < count) fail(0, "the tree has too few values");
  const std::size_t before = nodes_.size() / words_;
  if (count > kMaxTreeNodes - before) throw Error(Reason::too_large, options_.what + ": more than 2^31 nodes of trees");
  if (first_column != kInTurn && first_column > options_.outputs - options_.leaf_width) {
    fail(0, "column " + std::to_string(first_column) + " of " + std::to_string(options_.outputs));
  }
  order_tree(tree);
  read_leaves(tree);

  std::size_t next = 1;  // where the next child will lie
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t node = order_[i];
    if (tree.left[node] == -1) {
      append_leaf(leaf_payloads_[node]);
      continue;
    }
    Split split{};
    const std::int64_t feature = tree.feature[node];
    if (feature < 0 || static_cast<std::uint64_t>(feature) >= options_.columns) {
      fail(node, "feature " + std::to_string(feature) + " of " + std::to_string(options_.columns));
    }
    split.feature = static_cast<std::uint64_t>(feature);
    split.missing_left = !tree.missing_left.empty() && tree.missing_left[node] != 0;
    split.categorical = !tree.categorical.empty() && tree.categorical[node] != 0;
    if (split.categorical) {
      if (!options_.compare_double) fail(node, "categories where numbers are compared as float32");
      const std::size_t set = tree.category_set[node];
      if (set >= tree.category_sets.size() / kCategoryWords) {
        fail(node, "set of categories " + std::to_string(set) + " of " +
                       std::to_string(tree.category_sets.size() / kCategoryWords));
      }
      split.set = add_category_set(tree.category_sets.subspan(set * kCategoryWords, kCategoryWords));
      any_category_ = true;
    } else {
      split.threshold = tree.threshold[node];
      if (std::isnan(split.threshold)) fail(node, "the threshold is NaN");
    }
    missing_ |= split.missing_left;
    append_split(split, next - i);
    next += 2;
  }
  if (options_.node_ids) node_ids_.insert(node_ids_.end(), order_.begin(), order_.end());
  largest_tree_ = std::max(largest_tree_, count);

  const std::uint64_t turns = options_.outputs / options_.leaf_width;
  const std::uint64_t turn = tree_count() % turns * options_.leaf_width;
  if (first_column == kInTurn) first_column = turn;
  in_turn_ &= first_column == turn && options_.outputs % options_.leaf_width == 0;
  columns_.push_back(static_cast<std::uint32_t>(first_column));
  starts_.push_back(static_cast<std::uint32_t>(before));
}

// Leaves become the columns of their votes.
void TreePacker::make_plain(TreeEnsemble& made) {
  made.nodes.layout = layout_ == TreeLayout::n8 ? "n8" : layout_ == TreeLayout::n12 ? "n12" : "n16d";
  std::vector<std::uint32_t> votes;
  std::size_t length = 0;
  if (layout_ == TreeLayout::n16d && row_.size() == 1) {
    made.leaf = "number";
  } else if (options_.leaf_width == options_.outputs && options_.base.empty() && row_.size() > 1 &&
             leaves_.are_votes(votes)) {
    made.leaf = "vote";
    const std::uint32_t mask = layout_ == TreeLayout::n8 ? (std::uint32_t{1} << delta_bits_) - 1 : ~kTopBit;
    for (std::size_t i = 0; i < nodes_.size(); i += words_) {
      if ((nodes_[i + words_ - 1] & mask) == 0) nodes_[i] = votes[nodes_[i]];
    }
  } else {
    std::vector<std::uint8_t> counts8;
    std::vector<std::uint16_t> counts16;
    if (leaves_.to_counts8(counts8, length)) {
      made.leaf = "counts8";
      made.counts8 = rows_of(std::move(counts8), length);
    } else if (leaves_.to_counts16(counts16, length)) {
      made.leaf = "counts16";
      made.counts16 = rows_of(std::move(counts16), length);
    } else {
      made.leaf = "rows";
      made.values = rows_of(leaves_.take_rows(), row_.size());
    }
  }
  made.nodes.nodes = rows_of(std::move(nodes_), words_);
  made.nodes.starts = Array<std::uint32_t>(std::move(starts_));
  if (!categories_.empty()) made.nodes.categories = rows_of(std::move(categories_), kCategoryWords);
}

std::unique_ptr<TreeEnsemble> TreePacker::finish() {
  if (starts_.empty()) throw Error(Reason::bad_record, options_.what + ": has no trees");
  auto made = std::make_unique<TreeEnsemble>();
  made->nodes.trees = static_cast<std::int64_t>(starts_.size());
  made->nodes.missing = missing_;
  made->outputs = static_cast<std::int64_t>(options_.outputs);
  made->leaf_width = static_cast<std::int64_t>(options_.leaf_width);
  made->mean = options_.mean;
  if (!options_.base.empty()) made->base = Array<double>(std::move(options_.base));
  if (!in_turn_) made->columns = Array<std::uint32_t>(std::move(columns_));
  make_plain(*made);
  if (options_.small_layouts && !to_shallow(*made, options_.columns, node_ids_)) to_bins(*made, options_.columns);
  made_ = made->nodes;
  return made;
}

std::unique_ptr<program::TreeLeaves> TreePacker::finish_leaves() const {
  auto made = std::make_unique<program::TreeLeaves>();
  made->nodes = made_;
  made->node_ids = Array<std::uint32_t>(node_ids_);
  return made;
}

}  // namespace mere::lower
