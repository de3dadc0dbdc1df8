#pragma once
// A tree of scikit-learn (sklearn.tree._tree.Tree) as columns, and what its estimator makes of its values.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lower/estimator.hpp"
#include "lower/lowering.hpp"
#include "lower/tree_packer.hpp"

namespace mere::lower {

// The sum as NumPy adds a row: eight at a time, halves of long rows apart.
double pairwise_sum(std::span<const double> numbers);

// Reads the attribute tree_ of a fitted decision tree. Lengths, shapes and element types are checked here; children,
// features and thresholds are left to TreePacker.
class SklearnTree {
 public:
  // Throws Error: schema, not_lowerable (nodes of another byte order or width).
  explicit SklearnTree(const Estimator& estimator);

  std::size_t node_count() const { return columns_.left.size(); }
  std::uint64_t features() const { return features_; }                  // columns of its input
  const std::vector<std::size_t>& classes() const { return classes_; }  // of each output; regressors: 1
  std::size_t outputs() const { return classes_.size(); }
  std::size_t all_classes() const { return all_classes_; }          // of all outputs
  const Column<std::int64_t>& samples() const { return samples_; }  // that reached each node

  // Splits without leaves. `missing`: NaN goes where the nodes say, else to the right.
  TreeColumns columns(bool missing) const;

  // (nodes, outputs, largest number of classes): of regressors, the row of each node.
  std::span<const double> all_values() const { return values_.span(); }
  // The numbers of one node for one output: as many as its classes, or all that are stored with zeros after them.
  std::span<const double> values(std::size_t node, std::size_t output) const;
  std::span<const double> stored_values(std::size_t node, std::size_t output) const;

  // Probabilities of all outputs, one after the other: all_classes() numbers. Up to 1.3 values are divided by their
  // sum (0 counts as 1); later they are fractions and are taken as they are.
  void set_probabilities(std::size_t node, bool divide, std::span<double> row) const;
  // The index of the largest value, for each output.
  void set_class_indices(std::size_t node, std::span<double> row) const;

  // How much the splits of each feature lessen the impurity, as the tree counts it itself; all 0 if nothing does.
  // Throws Error: schema (nodes without those columns).
  std::vector<double> importances(bool normalize) const;

  // Nodes from the root to each node, both counted; 0 for those that no path reaches.
  std::vector<std::int64_t> path_lengths() const;

 private:
  TreeColumns columns_;
  Column<std::int64_t> samples_;
  Column<double> impurity_, weights_;  // of each node; none in nodes that lack them
  Array<double> values_;               // (nodes, outputs, largest number of classes)
  std::uint64_t features_ = 0;
  std::vector<std::size_t> classes_;
  std::size_t all_classes_ = 0, most_classes_ = 0;
};

// A fitted estimator that is exactly one of scikit-learn's four classes of trees.
bool is_tree_classifier(const Estimator& estimator);
bool is_tree_regressor(const Estimator& estimator);
// Whether validation of that version lets NaN through to the tree.
bool tree_accepts_nan(const Estimator& tree, Version version);

// The columns of the whole input that a tree over some of them asks for, by node; leaves keep what they have.
// Throws Error: schema (the tree has another number of features, one lies outside the input).
std::vector<std::int64_t> map_features(const Estimator& from, const SklearnTree& tree,
                                       const Array<std::int64_t>& features, std::uint64_t columns);

// n_outputs_, and classes of each output held against each other. Throw Error: schema.
std::size_t output_count(const Estimator& from);
std::vector<Labels> class_tables(const Estimator& from, std::size_t outputs);
// The tables as `predict` shows them: NumPy makes one array of all outputs, of the first one's type.
// Throws Error: not_lowerable (texts among numbers).
std::vector<Labels> tables_of_one_type(const Estimator& from, std::vector<Labels> tables);

// predict_proba and predict_log_proba of `proba`: outputs one after the other. Several have a method each:
// "predict_proba[1]".
void add_output_probabilities(Lowering& to, Methods& methods, ValueId proba, std::span<const std::size_t> classes);

}  // namespace mere::lower
