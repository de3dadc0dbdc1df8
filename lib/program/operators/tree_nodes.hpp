#pragma once
// The nodes of an ensemble of trees in one of five layouts, and the walk from a root to a leaf that all of them mean.
// Layouts and proofs: docs/operators.md, Nodes.

#include <cstdint>
#include <string>

#include "program/operator.hpp"

namespace mere::program {

enum class TreeLayout : std::uint8_t {
  n8,       // float32 threshold, and one word of feature and distance
  n12,      // float32 threshold, a word of feature, a word of distance
  n16d,     // float64 threshold or set of categories, a word of feature, a word of distance
  bins,     // small trees over numbers that were replaced by their rank among a column's thresholds
  shallow,  // complete trees of depth 3, sixteen side by side
};

// A leaf as the walk finds it.
struct TreeLeaf {
  std::size_t position = 0;   // of the node; shallow: of the leaf among all
  std::uint64_t payload = 0;  // which leaf, or (n16d) the bits of its number
};

inline constexpr std::size_t kBinEdges = 256;      // a column's row of thresholds
inline constexpr std::size_t kBinColumns = 64;     // at most, in layout bins
inline constexpr std::size_t kBinTreeNodes = 64;   // at most, in layout bins
inline constexpr std::size_t kShallowLanes = 16;   // trees of a group
inline constexpr std::size_t kShallowSplits = 7;   // of a tree
inline constexpr std::size_t kShallowLeaves = 8;   // of a tree
inline constexpr std::size_t kCategoryWords = 16;  // of a set: 8 that go left, 8 that are known
inline constexpr std::uint64_t kMaxTreeNodes = 0x7fffffff;

// Bits that n8 keeps for the feature: enough for columns - 1, at least one.
unsigned feature_bits(std::uint64_t columns);

// The largest float32 that is not above `threshold`: for every float32 x, x <= threshold just when x <= that.
float float_not_above(double threshold);

// What TreeEnsemble and TreeLeaves share. Any numbers in the arrays are safe to walk: an index only grows, and is
// bounded where it is used.
class TreeNodes {
 public:
  std::string layout;
  std::int64_t trees = 0;
  bool missing = false;  // false: no node sends NaN to the left, and the bit that says so is not looked at
  Array<std::uint32_t> nodes;
  Array<std::uint32_t> starts;      // (trees): the root of each; layout shallow: none
  Array<std::uint32_t> categories;  // n16d: (sets, 16), or none
  Array<double> edges;              // bins: (columns, 256)

  void fields(Fields& fields);
  // Throws Error: schema.
  void check(const Operator& op, std::uint64_t columns) const;

  // Throws Error: schema (an unknown word).
  TreeLayout kind(const Operator& op) const;
  // How many values TreeLeaf::position may have, after check().
  std::size_t positions() const;
};

// Walks trees of nodes that were checked for rows of `columns` numbers. Borrows.
class TreeWalk {
 public:
  TreeWalk(const TreeNodes& nodes, TreeLayout layout, std::size_t columns);
  TreeLeaf leaf(std::size_t tree, const double* row) const;

 private:
  TreeLeaf walk_n8(std::size_t at, const double* row) const;
  TreeLeaf walk_n12(std::size_t at, const double* row) const;
  TreeLeaf walk_n16d(std::size_t at, const double* row) const;
  TreeLeaf walk_bins(std::size_t tree, std::size_t at, const double* row) const;
  TreeLeaf walk_shallow(std::size_t tree, const double* row) const;
  std::size_t next(std::size_t at, std::size_t delta, bool right) const;
  bool category_goes_left(std::size_t set, double x, bool missing_left) const;

  const TreeNodes& nodes_;
  TreeLayout layout_;
  std::size_t columns_ = 0, node_count_ = 0;
  unsigned delta_bits_ = 0;
};

}  // namespace mere::program
