// Support vector machines of libsvm: sums over support vectors in its own order.

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "lower/families/stored_matrix.hpp"
#include "program/operators/pairs.hpp"

namespace mere::lower {

namespace {

// Kernel values of all support vectors.
ValueId kernel_values(Lowering& to, const Estimator& from, ValueId in) {
  const NodeId kernel = from.need("kernel");
  if (from.reader().kind(kernel) != Kind::text) from.refuse("its kernel is a function");
  const Array<double> vectors = stored_matrix(from, "support_vectors_", to.columns(in));
  const std::string name = from.text("kernel");
  const std::string_view function = name == "rbf"       ? "rbf"
                                    : name == "linear"  ? "dot"
                                    : name == "poly"    ? "polynomial"
                                    : name == "sigmoid" ? "sigmoid"
                                                        : "";
  if (function.empty()) from.refuse("its kernel is '" + name + "'");
  KernelParameters parameters;
  parameters.gamma = from.real("_gamma");
  parameters.coef0 = from.real("coef0");
  parameters.degree = from.real("degree");
  return pairwise(to, widen(to, to.check(in, {})), function, vectors, parameters);
}

// Of a model that was fitted on a sparse matrix a sparse one, without gaps: libsvm takes its numbers as if it were
// none.
Array<double> dual_coefficients(const Estimator& from, std::uint64_t rows, std::uint64_t columns) {
  Array<double> found = stored_matrix(from, "_dual_coef_", columns);
  from.require(rows_of(found) == rows, "_dual_coef_ has shape " + found.shape().to_text());
  return found;
}

// One sum over all vectors: regression, and one class.
ValueId single_sum(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId kernel = kernel_values(to, from, in);
  return to.linear(kernel, dual_coefficients(from, 1, to.columns(kernel)), vector(from, "_intercept_", 1));
}

ValueId pair_votes(Lowering& to, std::vector<ValueId> in, std::uint64_t classes) {
  auto step = std::make_unique<program::PairVotes>();
  step->classes = static_cast<std::int64_t>(classes);
  return to.add(std::move(step), std::move(in));
}

// libsvm's svm_predict_probability: a sigmoid for every pair, kept away from 0 and 1, then coupled.
ValueId probabilities(Lowering& to, const Estimator& from, ValueId decisions, std::uint64_t classes) {
  const std::uint64_t pairs = to.columns(decisions);
  ValueId p = to.arithmetic(decisions, "multiply", vector(from, "_probA", pairs));
  p = to.arithmetic(p, "add", vector(from, "_probB", pairs));
  p = clip(to, to.map(to.map(p, "negative"), "expit"), 1e-7, 1 - 1e-7);
  auto step = std::make_unique<program::PairProbabilities>();
  step->classes = static_cast<std::int64_t>(classes);
  return to.add(std::move(step), p);
}

}  // namespace

// sklearn/svm/_base.py. Votes decide; with break_ties the sums of decisions do.
Methods lower_svc(Lowering& to, const Estimator& from, ValueId in) {
  const Labels labels = classes_of(from);
  const std::uint64_t classes = labels.count;
  from.require(classes >= 2, "it has one class");
  const ValueId kernel = kernel_values(to, from, in);
  auto step = std::make_unique<program::PairDecisions>();
  step->coefficients = dual_coefficients(from, classes - 1, to.columns(kernel));
  step->counts = from.integers("_n_support", 1);
  step->bias = vector(from, "_intercept_", classes * (classes - 1) / 2);
  std::int64_t sum = 0;
  for (const std::int64_t count : step->counts) {
    from.require(count >= 0 && count <= static_cast<std::int64_t>(to.columns(kernel)), "_n_support is out of range");
    sum += count;
  }
  from.require(step->counts.size() == classes && sum == static_cast<std::int64_t>(to.columns(kernel)),
               "_n_support does not sum to the support vectors");
  const ValueId decisions = to.add(std::move(step), kernel);
  const ValueId second = to.map(decisions, "negative");  // how sure it is of the second class of each pair
  Methods methods;
  const bool ovr = !from.is_text("decision_function_shape", "ovo");
  ValueId index;
  if (classes == 2) {
    methods.add("decision_function", second).flat = true;
    index = to.above(second, 0, true);
  } else {
    const ValueId scores = pair_votes(to, {to.above(second, 0), second}, classes);
    methods.add("decision_function", ovr ? scores : decisions);
    const bool breaks_ties = ovr && from.boolean_or("break_ties", false);
    index = to.arg_max(breaks_ties ? scores : pair_votes(to, {to.above(second, 0, true)}, classes));
  }
  to.add_classes(methods, index, {labels});
  if (from.is_array("_probA") && !from.reals("_probA", 1).empty()) {
    const ValueId proba = probabilities(to, from, decisions, classes);
    methods.add("predict_proba", proba);
    methods.add("predict_log_proba", to.map(proba, "log"));
  }
  return methods;
}

Methods lower_svr(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods;
  to.add_numbers(methods, single_sum(to, from, in), true);
  return methods;
}

Methods lower_one_class_svm(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId scores = single_sum(to, from, in);
  Methods methods;
  methods.add("decision_function", scores).flat = true;
  methods.add("score_samples", to.arithmetic(scores, "add", vector(from, "offset_", 1))).flat = true;
  add_inliers(to, methods, scores, false);
  return methods;
}

}  // namespace mere::lower
