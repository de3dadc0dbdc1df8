#pragma once
// One tree in the words of a layout, breadth first, by itself: trees of an ensemble may be packed side by side, and go
// into it one after the other (TreePacker). Layouts: docs/operators.md, Nodes.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lower/leaf_table.hpp"
#include "lower/tree_columns.hpp"

namespace mere::lower {

// The parts of words that tell leaves and sets of categories.
inline constexpr std::uint32_t kMissingLeft = 0x80000000;  // n12, n16d: beside the feature
inline constexpr std::uint32_t kCategorical = 0x40000000;  // n16d: beside the feature

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

class PackedTree {
 public:
  // Borrows `options`, whose leaf_width is not 0, and which TreePacker has checked.
  explicit PackedTree(const TreePackerOptions& options);

  // Packs `tree`; the rows of its leaves go to `leaves`, in the order of nodes. `number`: of the tree, for messages.
  // Throws Error, naming tree and node: bad_record (see TreePacker::add).
  void pack(const TreeColumns& tree, std::size_t number, LeafTable& leaves);

  // Of the last pack().
  std::size_t count() const { return order_.size(); }
  unsigned words() const { return words_; }                           // of a node: 2 (n8), 3 (n12) or 4 (n16d)
  const std::vector<std::uint32_t>& nodes() const { return nodes_; }  // leaves and sets are numbered as here
  const std::vector<std::uint32_t>& order() const { return order_; }  // the tree's own number of each node
  const std::vector<std::uint32_t>& categories() const { return categories_; }
  bool missing() const { return missing_; }

  // As TreePacker has it: whether the payload of a leaf is its number itself.
  bool has_numbers() const { return options_->compare_double && options_->leaf_width == 1; }

 private:
  // A node as it was read, not yet at its place.
  struct Record {
    std::uint64_t payload;      // a float32, a float64, a row of category_sets; of a leaf its number or its row
    std::uint32_t left, right;  // 0, which is nobody's child: a leaf
    std::uint32_t feature;      // with kMissingLeft and kCategorical
  };
  [[noreturn]] void fail(std::size_t node, const std::string& found) const;
  void check_lengths(const TreeColumns& tree) const;
  void read(const TreeColumns& tree, LeafTable& leaves);
  void read_split(const TreeColumns& tree, std::size_t node, Record& record);
  std::uint32_t read_child(std::size_t node, std::int64_t child);
  // False: a node is too far from its children for the words.
  template <unsigned words>
  bool place(const TreeColumns& tree);

  const TreePackerOptions* options_;
  unsigned words_;
  unsigned delta_bits_;     // n8
  std::size_t number_ = 0;  // of the tree
  std::vector<std::uint32_t> nodes_, order_, categories_;
  bool missing_ = false;
  // Of the tree that is packed.
  std::vector<Record> records_;
  std::vector<char> has_parent_;
  std::vector<double> row_;
};

// From n8 to n12: the same nodes in more words. `delta_bits` are those of n8. `expected_nodes`: room for as many.
std::vector<std::uint32_t> widened(const std::vector<std::uint32_t>& nodes, unsigned delta_bits,
                                   std::size_t expected_nodes = 0);

}  // namespace mere::lower
