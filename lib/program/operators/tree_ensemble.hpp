#pragma once
// Sums or means over trees. docs/operators.md, TreeEnsemble and Nodes.

#include "program/operators/tree_nodes.hpp"

namespace mere::program {

enum class LeafKind : std::uint8_t {
  vote,      // the payload is a column, which gets 1
  rows,      // the payload is a row of `values`
  counts8,   // the payload is a row of `counts8`: bytes, and their divisor in the last two
  counts16,  // the payload is a row of `counts16`: u16, and their divisor in the last two
  number,    // n16d: the payload is the number itself
};

// Every tree adds the row of its leaf, in the order of trees.
class TreeEnsemble final : public Operator {
 public:
  TreeNodes nodes;
  std::string leaf;             // word of LeafKind
  std::int64_t outputs = 0;     // columns of the result
  std::int64_t leaf_width = 0;  // columns a leaf adds to; vote: outputs
  Array<double> values;
  Array<std::uint8_t> counts8;
  Array<std::uint16_t> counts16;
  // The first column each tree adds to; none: tree t adds from column (t mod (outputs / leaf_width)) * leaf_width.
  Array<std::uint32_t> columns;
  Array<double> base;  // (outputs): what the sum starts from; none: zeros
  bool mean = false;   // divided by the number of trees, last

  std::string_view name() const override { return "TreeEnsemble"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;

  // Throws Error: schema (an unknown word).
  LeafKind leaf_kind() const;
  // After check().
  std::size_t leaf_count() const;
  std::size_t first_column(std::size_t tree) const;
};

// The node of the tree, numbered as in the library it came from, in which each tree ends: a column a tree.
class TreeLeaves final : public Operator {
 public:
  TreeNodes nodes;  // may be the arrays of a TreeEnsemble
  Array<std::uint32_t> node_ids;

  std::string_view name() const override { return "TreeLeaves"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
