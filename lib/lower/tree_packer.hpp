#pragma once
// Makes the operators of a tree ensemble from trees as training libraries hold them. Layouts: docs/operators.md, Nodes.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lower/leaf_table.hpp"
#include "program/operators/tree_ensemble.hpp"

namespace mere::lower {

// One column of a table in memory: element i lies i * stride bytes after the first, at any alignment. Borrows.
template <class T>
class Column {
 public:
  Column() = default;
  Column(std::span<const T> values)  // NOLINT: a span is a column
      : first_(reinterpret_cast<const std::byte*>(values.data())), size_(values.size()) {}
  Column(const std::vector<T>& values) : Column(std::span<const T>(values)) {}  // NOLINT
  Column(const std::byte* first, std::ptrdiff_t stride, std::size_t size)
      : first_(first), stride_(stride), size_(size) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T operator[](std::size_t i) const {
    T value;
    __builtin_memcpy(&value, first_ + static_cast<std::ptrdiff_t>(i) * stride_, sizeof value);
    return value;
  }

 private:
  const std::byte* first_ = nullptr;
  std::ptrdiff_t stride_ = sizeof(T);
  std::size_t size_ = 0;
};

// A tree by node; node 0 is the root, and a left child of -1 makes a leaf. All columns are as long as `left`, or empty
// where that is allowed.
struct TreeColumns {
  Column<std::int64_t> left, right, feature;
  Column<double> threshold;                      // x <= threshold goes left
  Column<std::uint8_t> missing_left;             // NaN goes left where it is not 0; empty: NaN goes right
  Column<std::uint8_t> categorical;              // empty: none
  Column<std::uint32_t> category_set;            // row of category_sets for nodes that are categorical; empty with that
  std::span<const std::uint32_t> category_sets;  // rows of 16 words: categories that go left, categories known
  // Sets the numbers of a leaf, as they are to be added. Called once for each leaf.
  std::function<void(std::size_t node, std::span<double> row)> leaf_row;
  // Or: rows of leaf_width numbers, by node.
  std::span<const double> values;
};

struct TreePackerOptions {
  std::string what;                // for messages: "RandomForestClassifier"
  std::uint64_t columns = 0;       // of the input
  std::uint64_t outputs = 0;       // columns of the result
  std::uint64_t leaf_width = 0;    // numbers of a leaf; 0: outputs
  bool compare_double = false;     // x is compared as float64; false: x is rounded to float32 first
  bool mean = false;               // divide by the number of trees
  bool node_ids = false;           // keep what TreeLeaves needs
  bool small_layouts = true;       // bins and shallow, where they can be
  std::vector<double> base;        // what the sum starts from; empty: zeros
  std::size_t expected_nodes = 0;  // of all trees; only for speed
};

// Add every tree in order, then finish(). The same trees give the same bytes.
class TreePacker {
 public:
  // Throws Error: bad_record (no columns, outputs that leaf_width does not divide, ...).
  explicit TreePacker(TreePackerOptions options);

  // `first_column`: of the result, that the leaf's first number is added to; kInTurn: trees take turns, as classes do
  // in boosting (with leaf_width == outputs: column 0). Throws Error, naming tree and node: bad_record (a child out of
  // range, shared or above its parent, a node that cannot be reached, a feature out of range, a threshold that is NaN),
  // too_large (more than 2^31 nodes).
  static constexpr std::uint64_t kInTurn = ~std::uint64_t{0};
  void add(const TreeColumns& tree, std::uint64_t first_column = kInTurn);

  std::size_t tree_count() const { return starts_.size(); }

  // Once, after all trees. Throws Error: bad_record (no trees).
  std::unique_ptr<program::TreeEnsemble> finish();
  // After finish(), with options.node_ids: shares the arrays of the ensemble.
  std::unique_ptr<program::TreeLeaves> finish_leaves() const;

 private:
  struct Split {
    double threshold;
    std::uint64_t feature;
    bool missing_left, categorical;
    std::uint32_t set;
  };
  [[noreturn]] void fail(std::size_t node, const std::string& found) const;
  void order_tree(const TreeColumns& tree);
  void append_split(const Split& split, std::uint64_t delta);
  void read_leaves(const TreeColumns& tree);
  void append_leaf(std::uint64_t payload);
  void widen();
  std::uint32_t add_category_set(std::span<const std::uint32_t> words);
  void make_plain(program::TreeEnsemble& made);

  TreePackerOptions options_;
  program::TreeLayout layout_ = program::TreeLayout::n8;
  unsigned words_ = 2;       // of a node
  unsigned delta_bits_ = 0;  // n8
  std::vector<std::uint32_t> nodes_, starts_, node_ids_, columns_, categories_;
  bool in_turn_ = true, missing_ = false, any_category_ = false;
  std::size_t largest_tree_ = 0;
  LeafTable leaves_;
  program::TreeNodes made_;  // for finish_leaves()

  // Of the tree being added.
  std::vector<std::uint32_t> order_;  // its nodes, breadth first
  std::vector<bool> seen_;
  std::vector<std::uint64_t> leaf_payloads_;  // by node
  std::vector<double> row_;
};

}  // namespace mere::lower
