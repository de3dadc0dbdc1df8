// Neighbours: distances to the rows of training, found anew whatever index was stored.

#include <algorithm>
#include <cmath>

#include <mere/size.hpp>

#include "lower/families.hpp"
#include "lower/families/label_values.hpp"
#include "lower/families/steps.hpp"
#include "lower/families/stored_matrix.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/pairwise.hpp"

namespace mere::lower {

namespace {

struct Metric {
  std::string_view name, function;
};

constexpr Metric kMetrics[] = {
    {"euclidean", "euclidean"},   {"l2", "euclidean"},    {"manhattan", "manhattan"},
    {"cityblock", "manhattan"},   {"l1", "manhattan"},    {"chebyshev", "chebyshev"},
    {"infinity", "chebyshev"},    {"cosine", "cosine"},   {"canberra", "canberra"},
    {"braycurtis", "braycurtis"}, {"hamming", "hamming"}, {"sqeuclidean", "squared_euclidean"},
    {"minkowski", "minkowski"},   {"p", "minkowski"},     {"nan_euclidean", "nan_euclidean"}};

ValueId distances_by(Lowering& to, const Estimator& from, ValueId x, std::string_view attribute, Array<double> rows,
                     double p) {
  if (from.reader().kind(from.need(attribute)) != Kind::text) from.refuse("its metric is a function or an object");
  const std::string name = from.text(attribute);
  for (const Metric& known : kMetrics) {
    if (known.name != name) continue;
    std::string_view function = known.function;
    KernelParameters parameters;
    if (function == "minkowski") {
      parameters.degree = p;
      if (!(p > 0)) from.refuse("its p is not above 0");
      if (p == 1) function = "manhattan";
      if (p == 2) function = "euclidean";
      if (std::isinf(p)) function = "chebyshev";
    }
    return pairwise(to, x, function, std::move(rows), parameters);
  }
  from.refuse("its metric is '" + name + "'");
}

Array<double> training_rows(const Estimator& from, const Lowering& to, ValueId in) {
  return stored_matrix(from, "_fit_X", to.columns(in));
}

ValueId distances(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> rows = training_rows(from, to, in);
  double p = from.find("p") == kNoNode ? 2 : from.real("p");
  const NodeId more = from.find("effective_metric_params_");
  if (more != kNoNode) {
    for (std::uint64_t i = 0; i + 1 < from.reader().child_count(more); i += 2) {
      const NodeId key = from.reader().child(more, i), value = from.reader().child(more, i + 1);
      const bool is_p = from.reader().kind(key) == Kind::text && from.reader().text(key) == "p";
      if (is_p) p = from.reader().find_real(value).value_or(p);
      if (!is_p && from.reader().kind(value) != Kind::null) from.refuse("its metric has parameters of its own");
    }
  }
  const bool nan = from.is_text("effective_metric_", "nan_euclidean");
  return distances_by(to, from, widen(to, to.check(in, {.nan = nan})), "effective_metric_", rows, p);
}

// The weight of every row of training; `more` neighbours than the estimator says.
ValueId neighbor_weights(Lowering& to, const Estimator& from, ValueId of, bool by_radius, bool refuse_empty,
                         std::int64_t more = 0) {
  auto step = std::make_unique<program::Neighbors>();
  if (from.find("weights") != kNoNode && !from.is_text("weights", "uniform")) {
    if (!from.is_text("weights", "distance")) from.refuse("its weights are a function");
    step->by_distance = true;
  }
  if (by_radius) {
    step->radius = from.real("radius");
  } else {
    const std::int64_t count = from.integer(from.has("n_neighbors_") ? "n_neighbors_" : "n_neighbors");
    from.require(count > 0 && static_cast<std::uint64_t>(count) <= to.columns(of) - static_cast<std::uint64_t>(more),
                 "n_neighbors is " + std::to_string(count) + " of " + std::to_string(to.columns(of)) + " rows");
    step->count = count + more;
  }
  step->refuse_empty = refuse_empty;
  return to.add(std::move(step), of);
}

// What rows are that have no neighbour within the radius.
struct Outliers {
  ValueId mark = 0;                // 1 for such a row; 0: there are none, they are refused
  std::vector<LabelValue> labels;  // one an output; none: the class that is the most frequent one
};

// sklearn/neighbors/_classification.py, outlier_label.
Outliers find_outliers(Lowering& to, const Estimator& from, ValueId weights, std::size_t outputs) {
  Outliers found;
  if (from.find("outlier_label_") == kNoNode) return found;
  found.mark = to.above(to.map(reduce(to, weights, "sum"), "negative"), 0, true);
  if (from.is_text("outlier_label", "most_frequent")) return found;
  found.labels = label_values(from, from.need("outlier_label_"), "outlier_label_");
  from.require(found.labels.size() == outputs, "outlier_label_ has " + std::to_string(found.labels.size()) +
                                                   " members for " + std::to_string(outputs) + " outputs");
  return found;
}

struct Decision {
  ValueId index = 0, proba = 0;
  Labels labels;  // of `index`: with the label of outliers, where that is no class
};

// Of the votes of neighbours for one output.
Decision decide(Lowering& to, const Estimator& from, ValueId weights, NodeId classes,
                const std::vector<std::int64_t>& y, const Outliers& outliers, std::size_t output) {
  Decision made;
  made.labels = from.labels_of(classes, "classes_");
  const auto count = static_cast<std::size_t>(made.labels.count);
  std::vector<std::int64_t> frequency(count, 0);
  for (const std::int64_t label : y) {
    from.require(label >= 0 && static_cast<std::uint64_t>(label) < count, "_y has a class that does not exist");
    ++frequency[static_cast<std::size_t>(label)];
  }
  // The mark of outliers is one more neighbour, which votes for their label if that is a class.
  const std::size_t width = y.size() + (outliers.mark != 0 ? 1 : 0);
  from.require_memory((Size(count) * Size(width) * Size(sizeof(double))).get("votes", Reason::too_large), "votes");
  std::vector<double> votes(count * width, 0.0);
  for (std::size_t i = 0; i < y.size(); ++i) votes[static_cast<std::size_t>(y[i]) * width + i] = 1;
  std::optional<std::size_t> as_class;
  if (outliers.mark != 0) {
    const auto most = std::max_element(frequency.begin(), frequency.end()) - frequency.begin();
    as_class =
        outliers.labels.empty() ? static_cast<std::size_t>(most) : find_label(from, classes, outliers.labels[output]);
    if (as_class) votes[*as_class * width + y.size()] = 1;
  }
  const ValueId voters = outliers.mark != 0 ? to.concat({weights, outliers.mark}) : weights;
  const ValueId sums = to.linear(voters, reals(std::move(votes), count, width), {});
  made.index = to.arg_max(sums);
  if (outliers.mark == 0) {
    made.proba = to.normalize_rows(sums);
    return made;
  }
  if (!as_class) {
    made.index = to.arg_max(to.concat({sums, outliers.mark}));
    made.labels = with_label(from, made.labels, outliers.labels[output]);
  }
  made.proba = combine(to, "divide", {sums, to.map(reduce(to, sums, "sum"), "one_if_zero")});
  return made;
}

// Several outputs: each as if it were alone.
Methods outputs_classifier(Lowering& to, const Estimator& from, ValueId weights) {
  const Array<std::int64_t> y = from.integers("_y", 2);
  const auto outputs = static_cast<std::size_t>(y.shape()[1]);
  from.require(static_cast<std::uint64_t>(y.shape()[0]) == to.columns(weights), "_y and _fit_X disagree");
  const std::vector<NodeId> classes = from.members("classes_");
  from.require(classes.size() == outputs, "classes_ has " + std::to_string(classes.size()) + " members for " +
                                              std::to_string(outputs) + " outputs");
  const Outliers outliers = find_outliers(to, from, weights, outputs);
  std::vector<Labels> tables;
  std::vector<ValueId> chosen;
  Methods methods;
  for (std::size_t k = 0; k < outputs; ++k) {
    std::vector<std::int64_t> of_output;
    for (std::size_t i = k; i < y.size(); i += outputs) of_output.push_back(y[i]);
    Decision made = decide(to, from, weights, classes[k], of_output, outliers, k);
    tables.push_back(std::move(made.labels));
    chosen.push_back(made.index);
    methods.add("predict_proba[" + std::to_string(k) + "]", made.proba);
  }
  to.add_classes(methods, to.concat(std::move(chosen)), tables_of_one_type(from, std::move(tables)));
  return methods;
}

Methods classifier(Lowering& to, const Estimator& from, ValueId in, bool by_radius) {
  const ValueId d = distances(to, from, in);
  const bool refuses_empty = by_radius && from.find("outlier_label_") == kNoNode;
  const ValueId weights = neighbor_weights(to, from, d, by_radius, refuses_empty);
  if (from.boolean_or("outputs_2d_", false)) return outputs_classifier(to, from, weights);
  const Array<std::int64_t> y = from.integers("_y", 1);
  from.require(y.size() == to.columns(d), "_y and _fit_X disagree");
  Decision made =
      decide(to, from, weights, from.need("classes_"), {y.begin(), y.end()}, find_outliers(to, from, weights, 1), 0);
  Methods methods;
  to.add_classes(methods, made.index, {std::move(made.labels)});
  methods.add("predict_proba", made.proba);
  return methods;
}

Methods regressor(Lowering& to, const Estimator& from, ValueId in, bool by_radius) {
  const ValueId d = distances(to, from, in);
  const bool flat = dimensions(from, "_y") == 1;
  Array<double> y = matrix(from, "_y");
  if (!flat) y = transposed(y);
  from.require(columns_of(y) == to.columns(d), "_y and _fit_X disagree");
  const ValueId weights = neighbor_weights(to, from, d, by_radius, false);
  Methods methods;
  to.add_numbers(methods, combine(to, "divide", {to.linear(weights, y, {}), reduce(to, weights, "sum")}), flat);
  return methods;
}

// The graph of neighbours: which rows of training are, or how far away. A row asked for counts as one of its own
// neighbours where distances are told (sklearn/neighbors/_graph.py).
Methods neighbors_graph(Lowering& to, const Estimator& from, ValueId in, bool by_radius) {
  const bool tells_distance = from.is_text("mode", "distance");
  if (!tells_distance && !from.is_text("mode", "connectivity"))
    from.refuse("its mode is neither 'distance' nor 'connectivity'");
  const ValueId d = distances(to, from, in);
  const ValueId weights = neighbor_weights(to, from, d, by_radius, false, tells_distance && !by_radius ? 1 : 0);
  Methods methods;
  methods.add("transform", tells_distance ? combine(to, "multiply", {weights, d}) : weights);
  return methods;
}

}  // namespace

Methods lower_k_neighbors_transformer(Lowering& to, const Estimator& from, ValueId in) {
  return neighbors_graph(to, from, in, false);
}
Methods lower_radius_neighbors_transformer(Lowering& to, const Estimator& from, ValueId in) {
  return neighbors_graph(to, from, in, true);
}
Methods lower_k_neighbors_classifier(Lowering& to, const Estimator& from, ValueId in) {
  return classifier(to, from, in, false);
}
Methods lower_radius_neighbors_classifier(Lowering& to, const Estimator& from, ValueId in) {
  return classifier(to, from, in, true);
}
Methods lower_k_neighbors_regressor(Lowering& to, const Estimator& from, ValueId in) {
  return regressor(to, from, in, false);
}
Methods lower_radius_neighbors_regressor(Lowering& to, const Estimator& from, ValueId in) {
  return regressor(to, from, in, true);
}

// sklearn/neighbors/_nearest_centroid.py; scores and probabilities since 1.6, for euclidean distances.
Methods lower_nearest_centroid(Lowering& to, const Estimator& from, ValueId in) {
  const Labels labels = classes_of(from);
  const Array<double> centroids = matrix(from, "centroids_", labels.count, to.columns(in));
  const ValueId x = widen(to, to.check(in, {.nan = from.is_text("metric", "nan_euclidean")}));
  const ValueId index = to.arg_max(to.map(distances_by(to, from, x, "metric", centroids, 2), "negative"));
  Methods methods;
  if (!from.has("class_prior_") || !from.is_text("metric", "euclidean")) {
    to.add_classes(methods, index, {labels});
    return methods;
  }
  const Array<double> priors = vector(from, "class_prior_", labels.count);
  bool is_uniform = true;
  for (const double p : priors) {
    const double equal = 1 / static_cast<double>(labels.count);
    is_uniform &= std::fabs(p - equal) <= 1e-8 + 1e-5 * equal;  // numpy.isclose
  }
  // Columns are scaled by the deviation within classes, where there is one.
  const Array<double> deviation =
      mapped(vector(from, "within_class_std_dev_", to.columns(in)), [](double s) { return s == 0 ? 1 : s; });
  std::vector<double> scaled(centroids.begin(), centroids.end());
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] /= deviation[i % deviation.size()];
  ValueId scores = pairwise(to, to.arithmetic(x, "divide", deviation), "squared_euclidean",
                            reals(std::move(scaled), labels.count, to.columns(in)));
  scores = to.arithmetic(to.map(scores, "negative"), "add", mapped(priors, [](double p) { return 2 * std::log(p); }));
  to.add_classes(methods, is_uniform ? index : to.arg_max(scores), {labels});
  const ValueId log_proba = combine(to, "subtract", {scores, reduce(to, scores, "log_sum_exp")});
  const bool two_classes = labels.count == 2;
  methods
      .add("decision_function",
           two_classes ? combine(to, "subtract", {slice(to, scores, 1, 1), slice(to, scores, 0, 1)}) : scores)
      .flat = two_classes;
  methods.add("predict_proba", to.map(log_proba, "exp"));
  methods.add("predict_log_proba", log_proba);
  return methods;
}

// sklearn/neighbors/_lof.py, with novelty: how much denser the neighbours lie than the row does.
Methods lower_local_outlier_factor(Lowering& to, const Estimator& from, ValueId in) {
  if (!from.boolean("novelty")) from.refuse("it was fitted without novelty=True and scores no new rows");
  const ValueId d = distances(to, from, in);
  const std::uint64_t rows = to.columns(d);
  const ValueId weights = neighbor_weights(to, from, d, false, false);
  const auto count = static_cast<std::uint64_t>(from.integer("n_neighbors_"));
  const Array<double> known = matrix(from, "_distances_fit_X_", rows, count);
  std::vector<double> reach;
  for (std::size_t i = 0; i < rows; ++i) reach.push_back(known[(i + 1) * count - 1]);
  const auto k = static_cast<double>(count);
  const ValueId reached = combine(to, "maximum", {d, constant(to, d, reals(std::move(reach)))});
  const ValueId sum = reduce(to, combine(to, "multiply", {weights, reached}), "sum");
  const ValueId density = to.map(to.arithmetic(to.arithmetic(sum, "divide", k), "add", 1e-10), "reciprocal");
  const ValueId densities = to.linear(weights, matrix(from, "_lrd", 1, rows), {});
  const ValueId scores = to.map(to.arithmetic(combine(to, "divide", {densities, density}), "divide", k), "negative");
  const ValueId shifted = to.arithmetic(scores, "subtract", from.real("offset_"));
  Methods methods;
  methods.add("score_samples", scores).flat = true;
  methods.add("decision_function", shifted).flat = true;
  add_inliers(to, methods, shifted, true);
  return methods;
}

}  // namespace mere::lower
