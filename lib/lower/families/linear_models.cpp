// Linear models: a product with coef_, an intercept, and a link.

#include <cmath>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "lower/families/stored_matrix.hpp"

namespace mere::lower {

namespace {

// coef_ as (outputs, columns); one-dimensional ones are of one output, and sparsify() makes a sparse matrix of it.
Array<double> coefficients(const Estimator& from, const Lowering& to, ValueId in) {
  return stored_matrix(from, "coef_", to.columns(in));
}

// intercept_ is an array, or a number (0.0 without an intercept).
ValueId decision(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId x = to.check(in, {});
  const Array<double> coef = coefficients(from, to, in), intercept = vector(from, "intercept_");
  from.require(intercept.size() == rows_of(coef) || dimensions(from, "intercept_") == 0,
               "intercept_ has shape " + intercept.shape().to_text() + " for coef_ of " + coef.shape().to_text());
  return to.linear(x, coef, intercept, is_stored_single(from, "coef_"));
}

bool is_flat(const Estimator& from) {
  return dimensions(from, "coef_") == 1;
}

// Whether the model was trained on several labels at once: the classes are those of the binarizer.
Labels classes_of_ridge(const Estimator& from) {
  if (from.has("classes_")) return classes_of(from);
  return classes_of(from.child("_label_binarizer"));
}

}  // namespace

Methods lower_linear_regressor(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods;
  to.add_numbers(methods, decision(to, from, in), is_flat(from));
  return methods;
}

Methods lower_linear_classifier(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods;
  add_scores(to, from, methods, decision(to, from, in), classes_of(from));
  return methods;
}

// The classes are those of its label binarizer; with several labels at once each column is decided by itself.
Methods lower_ridge_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Estimator binarizer = from.child("_label_binarizer");
  const ValueId scores = decision(to, from, in);
  Methods methods;
  if (binarizer.text("y_type_").rfind("multilabel", 0) == 0) {
    methods.add("decision_function", scores);
    methods.add("predict", to.above(scores, 0)).integer = true;
    return methods;
  }
  add_scores(to, from, methods, scores, classes_of_ridge(from));
  return methods;
}

// sklearn/linear_model/_logistic.py, predict_proba: one-vs-rest where that was asked for, where the solver is
// liblinear, and for two classes with multi_class='auto'; else softmax, for two classes over [-score, score].
Methods lower_logistic_regression(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods = lower_linear_classifier(to, from, in);
  const ValueId scores = methods.find("decision_function")->value;
  const bool two_classes = to.columns(scores) == 1;
  const bool is_text =
      from.find("multi_class") != kNoNode && from.reader().kind(from.find("multi_class")) == Kind::text;
  const std::string multi_class = is_text ? from.text("multi_class") : "auto";
  const bool liblinear = from.is_text("solver", "liblinear");
  const bool one_vs_rest = multi_class == "ovr" || multi_class == "warn" ||
                           ((multi_class == "auto" || multi_class == "deprecated") && (liblinear || two_classes));
  ValueId proba;
  if (one_vs_rest) {
    proba = one_versus_rest(to, to.map(scores, "expit"));
  } else {
    proba = to.softmax(two_classes ? to.concat({to.map(scores, "negative"), scores}) : scores);
  }
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  return methods;
}

// sklearn/linear_model/_stochastic_gradient.py: probabilities for two losses only.
Methods lower_sgd_classifier(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods = lower_linear_classifier(to, from, in);
  const ValueId scores = methods.find("decision_function")->value;
  const std::string loss = from.text("loss");
  ValueId proba;
  if (loss == "log" || loss == "log_loss") {
    proba = one_versus_rest(to, to.map(scores, "expit"));
  } else if (loss == "modified_huber") {
    const ValueId p = to.arithmetic(to.arithmetic(clip(to, scores, -1, 1), "add", 1), "divide", 2);
    proba = to.columns(scores) == 1 ? to.with_complement(p) : to.normalize_rows(p, true);
  } else {
    return methods;
  }
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  return methods;
}

// decision_function is the product less offset_, score_samples the product.
Methods lower_sgd_one_class_svm(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> offset = vector(from, "offset_", 1);
  const ValueId scores = to.linear(to.check(in, {}), coefficients(from, to, in), reals({-offset[0]}));
  from.require(to.columns(scores) == 1, "coef_ has several rows");
  Methods methods;
  methods.add("decision_function", scores).flat = true;
  methods.add("score_samples", to.arithmetic(scores, "add", offset)).flat = true;
  add_inliers(to, methods, scores, true);
  return methods;
}

namespace {

Methods with_link(Lowering& to, const Estimator& from, ValueId in, bool log_link) {
  ValueId value = decision(to, from, in);
  if (log_link) value = to.map(value, "exp");
  Methods methods;
  to.add_numbers(methods, value, is_flat(from));
  return methods;
}

}  // namespace

Methods lower_log_linear_regressor(Lowering& to, const Estimator& from, ValueId in) {
  return with_link(to, from, in, true);
}

Methods lower_tweedie_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const std::string link = from.text("link");
  if (link != "auto" && link != "identity" && link != "log") from.refuse("no link is called '" + link + "'");
  return with_link(to, from, in, link == "log" || (link == "auto" && from.real("power") > 0));
}

// The model of the inliers.
Methods lower_ransac_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Methods of = to.lower(from.need("estimator_"), in);
  need_method(from, of, "predict");
  Methods methods;
  methods.all().push_back(*of.find("predict"));
  return methods;
}

}  // namespace mere::lower
