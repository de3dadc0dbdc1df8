// Decision trees, and the ensembles that walk them in compiled code (sklearn/tree/_tree.pyx, _gradient_boosting.pyx,
// _hist_gradient_boosting/_predictor.pyx): no index is checked there.

#include <algorithm>

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

constexpr std::int64_t kLeaf = -1;

// The walk of a tree whose parents all come before their children, as every builder of scikit-learn writes them: one
// pass finds loops, shared and unreached nodes, and the depth.
class DepthPass {
 public:
  DepthPass(const ObjectState& state, std::uint64_t nodes) : state_(state), depth_(nodes) {
    if (nodes > 0) depth_[0] = 1;
  }

  // 1 for the root. Nodes come in order.
  std::uint32_t enter(std::uint64_t node) {
    if (depth_[node] == 0) [[unlikely]]
      state_.fail("nothing leads to node " + std::to_string(node));
    deepest_ = std::max(deepest_, depth_[node]);
    return depth_[node];
  }

  void lead(std::uint64_t node, std::int64_t child, std::uint32_t depth) {
    if (child <= static_cast<std::int64_t>(node) || child >= static_cast<std::int64_t>(depth_.size())) [[unlikely]] {
      state_.fail("node " + std::to_string(node) + " has child " + std::to_string(child) + ", expected " +
                  std::to_string(node + 1) + " to " + std::to_string(depth_.size() - 1));
    }
    std::uint32_t& slot = depth_[static_cast<std::size_t>(child)];
    if (slot != 0) [[unlikely]]
      state_.fail("node " + std::to_string(child) + " is the child of two, one is node " + std::to_string(node));
    slot = depth + 1;
  }

  std::int64_t edges() const { return deepest_ == 0 ? 0 : std::int64_t{deepest_} - 1; }

 private:
  const ObjectState& state_;
  std::vector<std::uint32_t> depth_;
  std::uint32_t deepest_ = 0;
};

// Numbers of int64, as all but foreign machines write them, without asking for each what it is.
struct Native64 {
  const std::byte* first;
  std::int64_t stride;
  explicit Native64(const Integers& numbers) : first(numbers.first()), stride(numbers.stride()) {}
  std::int64_t operator[](std::uint64_t i) const {
    return detail::load_value<std::int64_t>(first + static_cast<std::int64_t>(i) * stride, false);
  }
};

// Returns the real depth. Throws what `state` fails with.
template <class Numbers>
std::int64_t check_nodes(const ObjectState& state, std::uint64_t count, std::int64_t features, const Numbers& left,
                         const Numbers& right, const Numbers& feature) {
  DepthPass pass(state, count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint32_t depth = pass.enter(i);
    const std::int64_t l = left[i], r = right[i];
    if (l == kLeaf && r == kLeaf) continue;
    if (l == kLeaf || r == kLeaf) [[unlikely]]
      state.fail("node " + std::to_string(i) + " has one child, expected two or none");
    const std::int64_t f = feature[i];
    if (f < 0 || f >= features) [[unlikely]] {
      state.fail("node " + std::to_string(i) + " splits on feature " + std::to_string(f) + " of " +
                 std::to_string(features));
    }
    pass.lead(i, l, depth);
    pass.lead(i, r, depth);
  }
  return pass.edges();
}

std::int64_t rows_of(const Dims& shape) {
  return shape.empty() ? 0 : shape[0];
}

// The first of these attributes that is there.
std::optional<std::int64_t> first_integer(const ObjectState& state, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const NodeId id = state.find(name);
    if (id == kNoNode) continue;
    // Older releases have n_features_ as a property of another kind; only numbers count.
    if (const auto value = state.reader().find_integer(id)) return value;
  }
  return std::nullopt;
}

// The tree inside an estimator, or kNoNode.
NodeId attribute_of(const ObjectState& state, NodeId estimator, std::string_view attribute) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(estimator) != Kind::object) return kNoNode;
  const NodeId held = reader.parts(estimator).state;
  state.spend(8);
  if (held == kNoNode || reader.kind(held) != Kind::dict) return kNoNode;
  state.spend(reader.child_count(held));
  return reader.find(held, attribute);
}

}  // namespace

std::optional<std::int64_t> tree_features(const ObjectState& state, NodeId id) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) != Kind::object) return std::nullopt;
  const ObjectParts parts = reader.parts(id);
  if (class_of(reader, parts).second != "Tree" || parts.args == kNoNode || reader.child_count(parts.args) == 0)
    return std::nullopt;
  return reader.find_integer(reader.child(parts.args, 0));
}

void validate_tree(const ObjectState& state) {
  const std::int64_t features = state.integer_of(state.argument(0, "n_features"), "n_features");
  const Integers classes = state.integers_of(state.argument(1, "n_classes"), "n_classes");
  const std::int64_t outputs = state.integer_of(state.argument(2, "n_outputs"), "n_outputs");
  state.require_range(features, 0, INT32_MAX, "n_features");
  state.require_range(outputs, 1, INT32_MAX, "n_outputs");
  if (classes.shape().size() != 1) state.fail("n_classes has shape " + classes.shape().to_text());
  state.require_equal(static_cast<std::int64_t>(classes.size()), outputs, "the length of n_classes");
  std::int64_t most_classes = 1;
  for (std::uint64_t i = 0; i < classes.size(); ++i) {
    state.require_range(classes[i], 1, INT32_MAX, "n_classes[" + std::to_string(i) + "]");
    most_classes = std::max(most_classes, classes[i]);
  }
  // A tree that was never grown.
  if (state.parts().state == kNoNode || !state.has_attributes()) return;
  const graph::ArrayState nodes = state.array_of(state.need("nodes"), "nodes", 1);
  const graph::ArrayState values = state.array_of(state.need("values"), "values", 3);
  const auto count = static_cast<std::int64_t>(nodes.elements);
  state.require_equal(state.integer("node_count"), count, "node_count");
  state.require_equal(values.shape[0], count, "the rows of values");
  state.require_equal(values.shape[1], outputs, "the outputs of values");
  state.require_equal(values.shape[2], most_classes, "the classes of values");
  const Integers left = state.field_of(nodes, "left_child", "nodes");
  const Integers right = state.field_of(nodes, "right_child", "nodes");
  const Integers feature = state.field_of(nodes, "feature", "nodes");
  const bool native = left.is_native64() && right.is_native64() && feature.is_native64();
  const std::int64_t depth =
      native ? check_nodes(state, nodes.elements, features, Native64(left), Native64(right), Native64(feature))
             : check_nodes(state, nodes.elements, features, left, right, feature);
  // decision_path() has room for max_depth steps a row.
  state.require_range(state.integer("max_depth"), depth, std::max<std::int64_t>(count, depth), "max_depth");
}

void validate_tree_estimator(const ObjectState& state) {
  const NodeId tree = state.find("tree_");
  if (tree == kNoNode) return;
  const std::optional<std::int64_t> features = tree_features(state, tree);
  if (!features) state.fail_schema("tree_ is no tree");
  if (const auto expected = first_integer(state, {"n_features_in_", "n_features_"}))
    state.require_equal(*features, *expected, "the n_features of tree_");
}

// Trees of an ensemble get rows that only the ensemble has looked at.
void validate_tree_ensemble(const ObjectState& state) {
  const NodeId estimators = state.find("estimators_");
  const auto features = first_integer(state, {"n_features_in_", "n_features_", "_n_features"});
  if (estimators == kNoNode || !features) return;
  for (const NodeId estimator : state.members_of(estimators, "estimators_")) {
    const NodeId tree = attribute_of(state, estimator, "tree_");
    if (tree == kNoNode) continue;
    const auto used = tree_features(state, tree);
    if (!used) state.fail_schema("an estimator whose tree_ is no tree");
    if (*used > *features) {
      state.fail("a tree takes " + std::to_string(*used) + " features, the ensemble has " + std::to_string(*features));
    }
  }
}

void validate_tree_predictor(const ObjectState& state) {
  const graph::ArrayState nodes = state.array_of(state.need("nodes"), "nodes", 1);
  if (nodes.elements == 0) state.fail("it has no nodes");
  const Integers left = state.field_of(nodes, "left", "nodes");
  const Integers right = state.field_of(nodes, "right", "nodes");
  const Integers feature = state.field_of(nodes, "feature_idx", "nodes");
  const Integers is_leaf = state.field_of(nodes, "is_leaf", "nodes");
  // Categories came with scikit-learn 0.24.
  std::optional<Integers> is_categorical, bitset;
  for (const Field& field : nodes.dtype.fields()) {
    if (field.name == "is_categorical") is_categorical = state.field_of(nodes, "is_categorical", "nodes");
    if (field.name == "bitset_idx") bitset = state.field_of(nodes, "bitset_idx", "nodes");
  }
  std::int64_t bitsets = INT64_MAX;
  for (const char* name : {"binned_left_cat_bitsets", "raw_left_cat_bitsets"}) {
    const NodeId id = state.find(name);
    if (id == kNoNode) {
      bitsets = is_categorical ? 0 : bitsets;
      continue;
    }
    const graph::ArrayState rows = state.array_of(id, name, 2);
    state.require_equal(rows.shape[1], 8, std::string("the columns of ") + name);
    if (rows.dtype.itemsize() != 4) state.fail(std::string(name) + " holds " + rows.dtype.to_text() + ", expected <u4");
    bitsets = std::min(bitsets, rows.shape[0]);
  }
  DepthPass pass(state, nodes.elements);
  for (std::uint64_t i = 0; i < nodes.elements; ++i) {
    const std::uint32_t depth = pass.enter(i);
    if (is_leaf[i] != 0) continue;
    if (feature[i] < 0 || feature[i] > INT32_MAX)
      state.fail("node " + std::to_string(i) + " splits on feature " + std::to_string(feature[i]));
    if (is_categorical && (*is_categorical)[i] != 0) {
      const std::int64_t row = bitset ? (*bitset)[i] : -1;
      if (row < 0 || row >= bitsets)
        state.fail("node " + std::to_string(i) + " has bitset " + std::to_string(row) + " of " +
                   std::to_string(bitsets));
    }
    pass.lead(i, left[i], depth);
    pass.lead(i, right[i], depth);
  }
}

void validate_hist_gradient_boosting(const ObjectState& state) {
  const NodeId predictors = state.find("_predictors");
  const auto features = first_integer(state, {"_n_features", "n_features_in_", "n_features_"});
  if (predictors == kNoNode) return;
  // Before 0.23 an estimator does not tell; it then looks at the rows itself.
  if (!features) return;
  // Trees look at the rows as the encoder of categories leaves them: as many columns, in another order.
  for (const NodeId stage : state.members_of(predictors, "_predictors")) {
    for (const NodeId predictor : state.members_of(stage, "a stage of _predictors")) {
      const NodeId id = attribute_of(state, predictor, "nodes");
      if (id == kNoNode) state.fail_schema("a predictor without nodes");
      const graph::ArrayState nodes = state.array_of(id, "nodes", 1);
      const Integers feature = state.field_of(nodes, "feature_idx", "nodes");
      const Integers is_leaf = state.field_of(nodes, "is_leaf", "nodes");
      for (std::uint64_t i = 0; i < nodes.elements; ++i) {
        if (is_leaf[i] == 0 && feature[i] >= *features) {
          state.fail("a predictor's node " + std::to_string(i) + " splits on feature " + std::to_string(feature[i]) +
                     " of " + std::to_string(*features));
        }
      }
    }
  }
  if (const NodeId mapper = state.find("_bin_mapper"); mapper != kNoNode) {
    const NodeId thresholds = attribute_of(state, mapper, "bin_thresholds_");
    if (thresholds != kNoNode) {
      state.require_equal(static_cast<std::int64_t>(state.members_of(thresholds, "bin_thresholds_").size()), *features,
                          "the length of bin_thresholds_");
    }
  }
}

void validate_bin_mapper(const ObjectState& state) {
  const NodeId thresholds = state.find("bin_thresholds_");
  if (thresholds == kNoNode) return;
  const std::vector<NodeId> features = state.members_of(thresholds, "bin_thresholds_");
  const auto bins = state.find_integer("n_bins");
  if (bins) state.require_range(*bins, 2, 256, "n_bins");
  for (const NodeId feature : features) {
    const graph::ArrayState array = state.array_of(feature, "a member of bin_thresholds_", 1);
    if (array.dtype.itemsize() != 8 || array.dtype.type_class() != TypeClass::real)
      state.fail("bin_thresholds_ holds " + array.dtype.to_text() + ", expected <f8");
    // Bins are numbered in a byte.
    state.require_range(static_cast<std::int64_t>(array.elements), 0, 256, "the length of a member of bin_thresholds_");
  }
  for (const char* name : {"is_categorical_", "n_bins_non_missing_"}) {
    if (const NodeId id = state.find(name); id != kNoNode) {
      const graph::ArrayState array = state.array_of(id, name, 1);
      state.require_equal(rows_of(array.shape), static_cast<std::int64_t>(features.size()),
                          std::string("the length of ") + name);
    }
  }
  if (const auto missing = state.find_integer("missing_values_bin_idx_"))
    state.require_range(*missing, 0, 255, "missing_values_bin_idx_");
}

}  // namespace mere::trust
