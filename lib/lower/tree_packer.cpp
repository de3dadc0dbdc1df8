#include "lower/tree_packer.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include <mere/error.hpp>

#include "lower/small_trees.hpp"
#include "os/worker_team.hpp"

namespace mere::lower {

using program::kCategoryWords;
using program::kMaxTreeNodes;
using program::TreeEnsemble;
using program::TreeLayout;

namespace {

constexpr std::uint32_t kTopBit = 0x80000000;

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
  if (options_.compare_double) {
    layout_ = TreeLayout::n16d;
    words_ = 4;
  }
  delta_bits_ = 31 - program::feature_bits(options_.columns);
  nodes_.reserve(options_.expected_nodes * words_);
  if (options_.node_ids) node_ids_.reserve(options_.expected_nodes);
}

// Leaves and sets that a tree has numbered by itself get the numbers they have in the ensemble.
void TreePacker::renumber(std::size_t first_word, const LeafTable* leaves, std::uint32_t first_set) {
  if (leaves) {
    leaf_of_leaf_.clear();
    for (std::size_t i = 0; i < leaves->size(); ++i) leaf_of_leaf_.push_back(leaves_.find_or_add(leaves->row(i)));
  }
  const std::uint32_t mask = layout_ == TreeLayout::n8 ? (std::uint32_t{1} << delta_bits_) - 1 : ~std::uint32_t{0};
  for (std::size_t i = first_word; i < nodes_.size(); i += words_) {
    if ((nodes_[i + words_ - 1] & mask) == 0) {
      if (leaves) nodes_[i] = leaf_of_leaf_[nodes_[i]];
    } else if (layout_ == TreeLayout::n16d && (nodes_[i + 2] & kCategorical) != 0) {
      nodes_[i] += first_set;
    }
  }
}

// `leaves`: the rows that leaves of `tree` are numbers of; null: the ensemble's own.
void TreePacker::append(const PackedTree& tree, const LeafTable* leaves, std::uint64_t first_column) {
  const std::size_t before = nodes_.size() / words_, count = tree.count();
  if (count > kMaxTreeNodes - before) throw Error(Reason::too_large, options_.what + ": more than 2^31 nodes of trees");
  if (first_column != kInTurn && first_column > options_.outputs - options_.leaf_width) {
    throw Error(Reason::bad_record, options_.what + ": tree " + std::to_string(tree_count()) + ": column " +
                                        std::to_string(first_column) + " of " + std::to_string(options_.outputs));
  }
  const std::size_t sets = categories_.size() / kCategoryWords;
  if (tree.categories().size() / kCategoryWords > kMaxTreeNodes - sets) {
    throw Error(Reason::too_large, options_.what + ": more than 2^31 sets of categories");
  }
  // A tree too large for the bits that are left beside the feature changes the layout of all.
  if (tree.words() > words_) {
    nodes_ = widened(nodes_, delta_bits_, options_.expected_nodes);
    words_ = 3;
    layout_ = TreeLayout::n12;
  }
  const std::size_t first_word = nodes_.size();
  if (tree.words() < words_) {
    const std::vector<std::uint32_t> wide = widened(tree.nodes(), delta_bits_);
    nodes_.insert(nodes_.end(), wide.begin(), wide.end());
  } else {
    nodes_.insert(nodes_.end(), tree.nodes().begin(), tree.nodes().end());
  }
  if (tree.has_numbers()) leaves = nullptr;
  if (leaves || !tree.categories().empty()) renumber(first_word, leaves, static_cast<std::uint32_t>(sets));
  categories_.insert(categories_.end(), tree.categories().begin(), tree.categories().end());
  missing_ |= tree.missing();
  if (options_.node_ids) node_ids_.insert(node_ids_.end(), tree.order().begin(), tree.order().end());

  const std::uint64_t turns = options_.outputs / options_.leaf_width;
  const std::uint64_t turn = tree_count() % turns * options_.leaf_width;
  if (first_column == kInTurn) first_column = turn;
  in_turn_ &= first_column == turn && options_.outputs % options_.leaf_width == 0;
  columns_.push_back(static_cast<std::uint32_t>(first_column));
  starts_.push_back(static_cast<std::uint32_t>(before));
}

void TreePacker::add(const TreeColumns& tree, std::uint64_t first_column) {
  if (!tree_) tree_ = std::make_unique<PackedTree>(options_);
  tree_->pack(tree, tree_count(), leaves_);
  append(*tree_, nullptr, first_column);
}

void TreePacker::add_all(std::size_t count, unsigned threads,
                         const std::function<TreeColumns(std::size_t tree)>& read) {
  threads = os::thread_count(threads);
  if (threads == 1 || count < 2) {
    for (std::size_t i = 0; i < count; ++i) add(read(i));
    return;
  }
  // A tree on its way into the ensemble, or what was wrong with it.
  struct Slot {
    PackedTree tree;
    LeafTable leaves;
    std::exception_ptr error;
  };
  std::vector<Slot> slots;
  for (unsigned i = 0; i < 2 * threads; ++i) slots.push_back({PackedTree(options_), LeafTable(row_width()), nullptr});
  const std::size_t first = tree_count();
  std::mutex one_reads;
  os::ordered_pipeline(
      count, slots.size(), threads,
      [&](std::size_t index, std::size_t at) {
        Slot& slot = slots[at];
        try {
          TreeColumns columns;
          {
            const std::lock_guard lock(one_reads);
            columns = read(index);
          }
          slot.leaves.clear();
          slot.tree.pack(columns, first + index, slot.leaves);
        } catch (...) {
          // Told when its turn comes, so that it is the same one with any number of threads.
          slot.error = std::current_exception();
        }
      },
      [&](std::size_t, std::size_t at) {
        if (slots[at].error) std::rethrow_exception(slots[at].error);
        append(slots[at].tree, &slots[at].leaves, kInTurn);
      });
}

// Leaves become the columns of their votes.
void TreePacker::make_plain(TreeEnsemble& made) {
  made.nodes.layout = layout_ == TreeLayout::n8 ? "n8" : layout_ == TreeLayout::n12 ? "n12" : "n16d";
  std::vector<std::uint32_t> votes;
  std::size_t length = 0;
  if (layout_ == TreeLayout::n16d && row_width() == 1) {
    made.leaf = "number";
  } else if (options_.leaf_width == options_.outputs && options_.base.empty() && row_width() > 1 &&
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
      made.values = rows_of(leaves_.take_rows(), row_width());
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
