#pragma once
// Makes the operators of a tree ensemble from trees as training libraries hold them. Layouts: docs/operators.md, Nodes.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "lower/leaf_table.hpp"
#include "lower/packed_tree.hpp"
#include "lower/tree_columns.hpp"
#include "program/operators/tree_ensemble.hpp"

namespace mere::lower {

// Add every tree in order, then finish(). The same trees give the same bytes.
class TreePacker {
 public:
  // Throws Error: bad_record (no columns, outputs that leaf_width does not divide, ...).
  explicit TreePacker(TreePackerOptions options);
  TreePacker(const TreePacker&) = delete;
  TreePacker& operator=(const TreePacker&) = delete;

  // `first_column`: of the result, that the leaf's first number is added to; kInTurn: trees take turns, as classes do
  // in boosting (with leaf_width == outputs: column 0). Throws Error, naming tree and node: bad_record (a child out of
  // range, shared or above its parent, a node that cannot be reached, a feature out of range, a threshold that is NaN),
  // too_large (more than 2^31 nodes).
  static constexpr std::uint64_t kInTurn = ~std::uint64_t{0};
  void add(const TreeColumns& tree, std::uint64_t first_column = kInTurn);

  // The same bytes, and of several errors the first tree's, as add(read(0)), add(read(1)), ..., on `threads` threads
  // (0: as many as os::thread_count() says). `read` is called by any of them, but by one at a time, and not always in
  // order; leaf_row of its trees by several.
  void add_all(std::size_t count, unsigned threads, const std::function<TreeColumns(std::size_t tree)>& read);

  std::size_t tree_count() const { return starts_.size(); }

  // Once, after all trees. Throws Error: bad_record (no trees).
  std::unique_ptr<program::TreeEnsemble> finish();
  // After finish(), with options.node_ids: shares the arrays of the ensemble.
  std::unique_ptr<program::TreeLeaves> finish_leaves() const;

 private:
  std::size_t row_width() const { return static_cast<std::size_t>(options_.leaf_width); }
  void append(const PackedTree& tree, const LeafTable* leaves, std::uint64_t first_column);
  void renumber(std::size_t first_word, const LeafTable* leaves, std::uint32_t first_set);
  void make_plain(program::TreeEnsemble& made);

  TreePackerOptions options_;
  program::TreeLayout layout_ = program::TreeLayout::n8;
  unsigned words_ = 2;       // of a node
  unsigned delta_bits_ = 0;  // n8
  std::vector<std::uint32_t> nodes_, starts_, node_ids_, columns_, categories_;
  bool in_turn_ = true, missing_ = false;
  LeafTable leaves_;
  std::unique_ptr<PackedTree> tree_;         // of add()
  std::vector<std::uint32_t> leaf_of_leaf_;  // of append()
  program::TreeNodes made_;                  // for finish_leaves()
};

}  // namespace mere::lower
