// KDTree, BallTree and the distances they hold (sklearn/neighbors/_binary_tree.pxi), and the estimators around them.

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

// The distance's own name, and its state: (p, vec, mat, ...).
void check_distance_fits(const ObjectState& state, NodeId metric, std::int64_t features) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(metric) != Kind::object) state.fail_schema("its distance is no object");
  const ObjectParts parts = reader.parts(metric);
  const std::string_view name = class_of(reader, parts).second;
  if (parts.state == kNoNode || reader.kind(parts.state) != Kind::tuple || reader.child_count(parts.state) < 3) return;
  const auto shape = matrix_shape(state, reader.child(parts.state, 1));
  if (!shape) state.fail_schema("the weights of its distance are no array");
  if (name.starts_with("SEuclidean") || name.starts_with("Mahalanobis") || name.starts_with("WMinkowski")) {
    state.require_equal(shape->columns, features, "the number of weights of its distance");
  }
  // Weights of Minkowski's are optional: none, or one that stands for none in older releases.
  if (name.starts_with("Minkowski") && shape->columns > 1)
    state.require_equal(shape->columns, features, "the number of weights of its distance");
  if (name.starts_with("Mahalanobis")) {
    const auto matrix = matrix_shape(state, reader.child(parts.state, 2));
    if (!matrix || matrix->rows != features || matrix->columns != features)
      state.fail("the matrix of its distance is not " + std::to_string(features) + " x " + std::to_string(features));
  }
}

}  // namespace

// The state is a tuple: data, idx_array, node_data, node_bounds, leaf_size, n_levels, n_nodes, n_trims, n_leaves,
// n_splits, n_calls, dist_metric, sample_weight.
void validate_binary_tree(const ObjectState& state) {
  if (state.parts().state == kNoNode) return;
  const graph::ArrayState data = state.array_of(state.state_member(0, "data"), "data", 2);
  const std::int64_t rows = data.shape[0], features = data.shape[1];
  const Integers order = state.integers_of(state.state_member(1, "idx_array"), "idx_array");
  const graph::ArrayState nodes = state.array_of(state.state_member(2, "node_data"), "node_data", 1);
  const graph::ArrayState bounds = state.array_of(state.state_member(3, "node_bounds"), "node_bounds", 3);
  state.require_range(state.integer_of(state.state_member(4, "leaf_size"), "leaf_size"), 1, INT64_MAX, "leaf_size");
  const std::int64_t levels = state.integer_of(state.state_member(5, "n_levels"), "n_levels");
  const std::int64_t count = state.integer_of(state.state_member(6, "n_nodes"), "n_nodes");
  state.require_range(levels, 1, 62, "n_levels");
  state.require_equal(count, (std::int64_t{1} << levels) - 1, "n_nodes");
  state.require_equal(static_cast<std::int64_t>(nodes.elements), count, "the length of node_data");
  state.require_equal(bounds.shape[0], state.qualname().starts_with("KDTree") ? 2 : 1,
                      "the first dimension of node_bounds");
  state.require_equal(bounds.shape[1], count, "the nodes of node_bounds");
  state.require_equal(bounds.shape[2], features, "the features of node_bounds");
  if (order.shape().size() != 1) state.fail("idx_array has shape " + order.shape().to_text());
  state.require_equal(static_cast<std::int64_t>(order.size()), rows, "the length of idx_array");
  std::vector<bool> met(static_cast<std::size_t>(rows));
  for (std::uint64_t i = 0; i < order.size(); ++i) {
    const std::int64_t row = order[i];
    if (row < 0 || row >= rows || met[static_cast<std::size_t>(row)]) {
      state.fail("idx_array[" + std::to_string(i) + "] is " + std::to_string(row) + ", expected each of 0 to " +
                 std::to_string(rows - 1) + " once");
    }
    met[static_cast<std::size_t>(row)] = true;
  }
  const Integers start = state.field_of(nodes, "idx_start", "node_data");
  const Integers end = state.field_of(nodes, "idx_end", "node_data");
  const Integers is_leaf = state.field_of(nodes, "is_leaf", "node_data");
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::uint64_t>(i);
    if (start[at] < 0 || start[at] > end[at] || end[at] > rows) {
      state.fail("node " + std::to_string(i) + " has rows " + std::to_string(start[at]) + " to " +
                 std::to_string(end[at]) + " of " + std::to_string(rows));
    }
    // Nodes lie as in a heap: the children of i are 2i + 1 and 2i + 2.
    if (is_leaf[at] == 0 && 2 * i + 2 >= count)
      state.fail("node " + std::to_string(i) + " is no leaf and has no children");
  }
  check_distance_fits(state, state.state_member(11, "dist_metric"), features);
  if (state.state_members() > 12) {
    const NodeId weights = state.state_member(12, "sample_weight");
    if (state.reader().kind(weights) != Kind::null)
      state.require_equal(state.array_of(weights, "sample_weight", 1).shape[0], rows, "the length of sample_weight");
  }
}

// (p, vec, mat), and what a distance of the caller's adds.
void validate_distance(const ObjectState& state) {
  if (state.parts().state == kNoNode) return;
  state.real_of(state.state_member(0, "p"), "p");
  state.array_of(state.state_member(1, "vec"), "vec", 1);
  state.array_of(state.state_member(2, "mat"), "mat", 2);
}

void validate_neighbours(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  const NodeId fitted = state.find("_fit_X");
  const auto samples = state.find_integer("n_samples_fit_");
  std::optional<MatrixShape> shape;
  if (fitted != kNoNode) {
    shape = matrix_shape(state, fitted);
    if (!shape) state.fail_schema("_fit_X is no matrix");
    if (samples) state.require_equal(shape->rows, *samples, "the rows of _fit_X");
    if (const auto features = state.find_integer("n_features_in_"))
      state.require_equal(shape->columns, *features, "the columns of _fit_X");
  }
  if (const NodeId targets = state.find("_y");
      targets != kNoNode && samples && state.is_array(targets) && !reader.is_object_array(targets)) {
    const graph::ArrayState array = reader.array(targets);
    state.require_equal(array.shape.empty() ? 0 : array.shape[0], *samples, "the rows of _y");
  }
  const NodeId tree = state.find("_tree");
  if (tree == kNoNode || !shape || reader.kind(tree) != Kind::object) return;
  const NodeId held = reader.parts(tree).state;
  if (held == kNoNode || reader.kind(held) != Kind::tuple || reader.child_count(held) == 0) return;
  const auto data = matrix_shape(state, reader.child(held, 0));
  if (!data) state.fail_schema("the data of _tree is no matrix");
  state.require_equal(data->rows, shape->rows, "the rows of _tree");
  state.require_equal(data->columns, shape->columns, "the columns of _tree");
}

}  // namespace mere::trust
