// Support vectors, layers and other matrices whose sizes must agree, and splines.

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

std::int64_t length_of(const ObjectState& state, NodeId id, std::string_view what) {
  return state.array_of(id, what, 1).shape[0];
}

MatrixShape shape_of(const ObjectState& state, NodeId id, std::string_view what) {
  const auto shape = matrix_shape(state, id);
  if (!shape) state.fail_schema(std::string(what) + " is no matrix");
  return *shape;
}

}  // namespace

// SVC, NuSVC, SVR, NuSVR, OneClassSVM: libsvm is given pointers and these sizes (sklearn/svm/_libsvm.pyx).
void validate_support_vectors(const ObjectState& state) {
  // Where it takes an array it takes None, too, and reads at its address.
  for (const char* name : {"support_", "support_vectors_", "_n_support", "n_support_", "_dual_coef_", "_intercept_",
                           "_probA", "_probB", "probA_", "probB_"})
    state.refuse_none(name);
  const NodeId support = state.find("support_");
  if (support == kNoNode) return;
  const graph::NodeReader& reader = state.reader();
  const Integers rows = state.integers_of(support, "support_");
  const auto vectors = static_cast<std::int64_t>(rows.size());
  if (const NodeId fitted = state.find("shape_fit_"); fitted != kNoNode) {
    const std::vector<NodeId> shape = state.members_of(fitted, "shape_fit_");
    if (shape.empty()) state.fail("shape_fit_ has no members");
    // A precomputed kernel is read at these columns.
    const std::int64_t samples = state.integer_of(shape[0], "shape_fit_[0]");
    for (std::uint64_t i = 0; i < rows.size(); ++i)
      state.require_range(rows[i], 0, samples - 1, "support_[" + std::to_string(i) + "]");
  }
  const bool precomputed = [&] {
    const NodeId kernel = state.find("kernel");
    return kernel != kNoNode && reader.kind(kernel) == Kind::text && reader.text(kernel) == "precomputed";
  }();
  const NodeId kernel = state.find("kernel");
  const bool callable = kernel != kNoNode && reader.kind(kernel) != Kind::text;
  const MatrixShape matrix = shape_of(state, state.need("support_vectors_"), "support_vectors_");
  // Kernels that are computed outside leave the vectors out.
  if (!precomputed && !callable) {
    state.require_equal(matrix.rows, vectors, "the rows of support_vectors_");
    if (const auto features = state.find_integer("n_features_in_"))
      state.require_equal(matrix.columns, *features, "the columns of support_vectors_");
  }
  NodeId counts_id = state.find("_n_support");
  if (counts_id == kNoNode) counts_id = state.find("n_support_");
  const bool classifier = state.qualname() == "SVC" || state.qualname() == "NuSVC";
  std::int64_t classes = 2;
  // Regressors have counts that nobody reads, of older releases not even set.
  if (classifier && counts_id != kNoNode) {
    const Integers counts = state.integers_of(counts_id, "n_support_");
    classes = static_cast<std::int64_t>(counts.size());
    std::int64_t total = 0;
    for (std::uint64_t i = 0; i < counts.size(); ++i) {
      state.require_range(counts[i], 0, vectors, "n_support_[" + std::to_string(i) + "]");
      total += counts[i];
    }
    state.require_equal(total, vectors, "the sum of n_support_");
  }
  if (classifier) {
    const NodeId labels = state.find("classes_");
    if (labels != kNoNode && state.is_array(labels)) {
      const std::int64_t named = reader.is_object_array(labels) ? static_cast<std::int64_t>(reader.child_count(labels))
                                                                : length_of(state, labels, "classes_");
      state.require_equal(named, classes, "the length of classes_");
    }
  }
  const std::int64_t pairs = classifier ? classes * (classes - 1) / 2 : 1;
  for (const char* name : {"_dual_coef_", "dual_coef_"}) {
    if (const NodeId id = state.find(name); id != kNoNode) {
      const MatrixShape coefficients = shape_of(state, id, name);
      state.require_equal(coefficients.rows, classes - 1, std::string("the rows of ") + name);
      state.require_equal(coefficients.columns, vectors, std::string("the columns of ") + name);
    }
  }
  for (const char* name : {"_intercept_", "intercept_"}) {
    if (const NodeId id = state.find(name); id != kNoNode)
      state.require_equal(length_of(state, id, name), pairs, std::string("the length of ") + name);
  }
  for (const char* name : {"_probA", "_probB", "probA_", "probB_"}) {
    if (const NodeId id = state.find(name); id != kNoNode) {
      const std::int64_t length = length_of(state, id, name);
      if (length != 0) state.require_equal(length, pairs, std::string("the length of ") + name);
    }
  }
}

// MLP: each layer takes what the one before gives.
void validate_layers(const ObjectState& state) {
  const NodeId weights_id = state.find("coefs_");
  if (weights_id == kNoNode) return;
  const std::vector<NodeId> weights = state.members_of(weights_id, "coefs_");
  const std::vector<NodeId> biases = state.members_of(state.need("intercepts_"), "intercepts_");
  state.require_equal(static_cast<std::int64_t>(biases.size()), static_cast<std::int64_t>(weights.size()),
                      "the length of intercepts_");
  if (weights.empty()) state.fail("coefs_ is empty");
  if (const auto layers = state.find_integer("n_layers_"))
    state.require_equal(*layers, static_cast<std::int64_t>(weights.size()) + 1, "n_layers_");
  std::optional<std::int64_t> width = state.find_integer("n_features_in_");
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string number = "[" + std::to_string(i) + "]";
    const graph::ArrayState matrix = state.array_of(weights[i], "coefs_" + number, 2);
    if (width) state.require_equal(matrix.shape[0], *width, "the rows of coefs_" + number);
    width = matrix.shape[1];
    state.require_equal(length_of(state, biases[i], "intercepts_" + number), *width,
                        "the length of intercepts_" + number);
  }
  if (const auto outputs = state.find_integer("n_outputs_"))
    state.require_equal(*width, *outputs, "the columns of the last layer");
}

// Coefficients, centres and components: a column for each feature.
void validate_feature_matrix(const ObjectState& state) {
  const auto features = state.find_integer("n_features_in_");
  if (!features) return;
  for (const char* name : {"coef_", "cluster_centers_", "components_"}) {
    const NodeId id = state.find(name);
    if (id == kNoNode) continue;
    const auto shape = matrix_shape(state, id);
    if (!shape) continue;
    state.require_equal(shape->columns, *features, std::string("the columns of ") + name);
  }
}

namespace {

// An attribute, or the private one that SciPy 1.17 keeps behind a property of that name.
NodeId need_property(const ObjectState& state, const std::string& name) {
  const NodeId hidden = state.find("_" + name);
  return hidden != kNoNode ? hidden : state.need(name);
}

}  // namespace

// BSpline: t, c, k; evaluation reads len(t) - k - 1 coefficients (scipy/interpolate/_bspl.pyx).
void validate_spline(const ObjectState& state) {
  // Newer releases keep all in an object of their own.
  if (state.find("t") == kNoNode && state.find("_delegate_to") != kNoNode) return;
  if (!state.has_attributes()) return;
  const graph::ArrayState knots = state.array_of(need_property(state, "t"), "t", 1);
  const graph::ArrayState coefficients = state.array_of(need_property(state, "c"), "c");
  const std::int64_t degree = state.integer("k");
  state.require_range(degree, 0, 1 << 16, "k");
  if (coefficients.shape.empty()) state.fail("c is a single number");
  const std::int64_t needed = knots.shape[0] - degree - 1;
  state.require_range(knots.shape[0], degree + 1, INT64_MAX, "the length of t");
  state.require_range(coefficients.shape[0], needed, INT64_MAX, "the rows of c");
  if (knots.dtype.type_class() != TypeClass::real) state.fail("t holds " + knots.dtype.to_text());
  if (const auto axis = state.find_integer("axis"))
    state.require_range(*axis, 0, static_cast<std::int64_t>(coefficients.shape.size()) - 1, "axis");
}

// PPoly and what is made of it: c has a column for each piece between the numbers of x.
void validate_pieces(const ObjectState& state) {
  if (state.find("x") == kNoNode && state.find("_delegate_to") != kNoNode) return;
  if (!state.has_attributes()) return;
  const graph::ArrayState breaks = state.array_of(need_property(state, "x"), "x", 1);
  const graph::ArrayState coefficients = state.array_of(need_property(state, "c"), "c");
  if (coefficients.shape.size() < 2) state.fail("c has shape " + coefficients.shape.to_text());
  state.require_range(breaks.shape[0], 2, INT64_MAX, "the length of x");
  state.require_equal(coefficients.shape[1], breaks.shape[0] - 1, "the pieces of c");
}

void validate_interpolation(const ObjectState& state) {
  if (!state.has_attributes()) return;
  const graph::ArrayState x = state.array_of(state.need("x"), "x", 1);
  if (const NodeId id = state.find("_y"); id != kNoNode) {
    const graph::ArrayState y = state.array_of(id, "_y");
    state.require_equal(y.shape.empty() ? 1 : y.shape[0], x.shape[0], "the rows of _y");
  }
}

}  // namespace mere::trust
