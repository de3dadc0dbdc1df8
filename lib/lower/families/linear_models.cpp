// Linear models: a product with coef_, an intercept, and a link.

#include "lower/families.hpp"

namespace mere::lower {

namespace {

// coef_ as (outputs, columns); one-dimensional ones are of one output.
Array<double> coefficients(const Estimator& from, const Lowering& to, ValueId in) {
  const NodeId id = from.need("coef_");
  const bool is_flat = from.is_array("coef_") && from.reader().array(id).shape.size() == 1;
  Array<double> coef = from.reals("coef_", is_flat ? 1 : 2);
  const auto columns = static_cast<std::int64_t>(to.columns(in));
  const Dims shape = is_flat ? Dims{1, static_cast<std::int64_t>(coef.size())} : coef.shape();
  from.require(shape[1] == columns,
               "coef_ has shape " + coef.shape().to_text() + " for " + std::to_string(columns) + " columns");
  return Array<double>::borrow(coef.span(), shape, std::make_shared<Array<double>>(coef));
}

// intercept_ is an array, or a number (0.0 without an intercept).
Array<double> intercept(const Estimator& from) {
  const NodeId id = from.need("intercept_");
  if (from.is_array("intercept_") && from.reader().array(id).shape.size() == 1) return from.reals("intercept_", 1);
  return Array<double>(std::vector<double>{from.real("intercept_")});
}

ValueId decision(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId x = to.check(in, {});
  return to.linear(x, coefficients(from, to, in), intercept(from), from.is_single("coef_"));
}

Labels classes(const Estimator& from) {
  return from.labels_of(from.need("classes_"), "classes_");
}

// Two classes have one column of scores: the second where it is above 0; else the largest.
ValueId class_index(Lowering& to, ValueId scores) {
  return to.columns(scores) == 1 ? to.above(scores, 0) : to.arg_max(scores);
}

void require_scores(const Estimator& from, const Lowering& to, ValueId scores, const Labels& labels) {
  const std::uint64_t columns = to.columns(scores);
  from.require(columns == 1 ? labels.count == 2 : labels.count == columns,
               "coef_ has " + std::to_string(columns) + " rows for " + std::to_string(labels.count) + " classes");
}

}  // namespace

Methods lower_linear_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const bool flat = from.reader().array(from.need("coef_")).shape.size() == 1;
  Methods methods;
  to.add_numbers(methods, decision(to, from, in), flat);
  return methods;
}

Methods lower_linear_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId scores = decision(to, from, in);
  const Labels labels = classes(from);
  require_scores(from, to, scores, labels);
  Methods methods;
  methods.add("decision_function", scores).flat = to.columns(scores) == 1;
  to.add_classes(methods, class_index(to, scores), {labels});
  return methods;
}

// sklearn/linear_model/_logistic.py, predict_proba: one-vs-rest where that was asked for, where the solver is
// liblinear, and up to 1.5 for two classes with multi_class='auto'; else softmax, for two classes over [-score, score].
Methods lower_logistic_regression(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods = lower_linear_classifier(to, from, in);
  const ValueId scores = methods.find("decision_function")->value;
  const bool two_classes = to.columns(scores) == 1;
  const std::string multi_class = from.has("multi_class") && from.find("multi_class") != kNoNode &&
                                          from.reader().kind(from.find("multi_class")) == Kind::text
                                      ? from.text("multi_class")
                                      : "auto";
  const bool liblinear = from.is_text("solver", "liblinear");
  const bool one_vs_rest = multi_class == "ovr" || multi_class == "warn" ||
                           ((multi_class == "auto" || multi_class == "deprecated") && (liblinear || two_classes));
  ValueId proba;
  if (one_vs_rest) {
    const ValueId p = to.map(scores, "expit");
    proba = two_classes ? to.with_complement(p) : to.normalize_rows(p);
  } else {
    proba = to.softmax(two_classes ? to.concat({to.map(scores, "negative"), scores}) : scores);
  }
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  return methods;
}

}  // namespace mere::lower
