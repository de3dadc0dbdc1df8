// Estimators that look at no more than one column: dummies and isotonic regression.

#include <algorithm>

#include "lower/families.hpp"
#include "lower/families/label_values.hpp"
#include "lower/families/steps.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/tables.hpp"

namespace mere::lower {

namespace {

std::vector<double> one_of(std::uint64_t count, std::size_t index) {
  std::vector<double> row(static_cast<std::size_t>(count), 0.0);
  row[index] = 1;
  return row;
}

// Which class the parameter `constant` is.
std::size_t index_of_constant(const Estimator& from, NodeId classes, const LabelValue& value) {
  const std::optional<std::size_t> index = find_label(from, classes, value);
  from.require(index.has_value(), "constant is none of classes_");
  return *index;
}

LabelValue only_constant(const Estimator& from) {
  const std::vector<LabelValue> values = label_values(from, from.need("constant"), "constant");
  from.require(values.size() == 1, "constant has " + std::to_string(values.size()) + " members for one output");
  return values[0];
}

// Several outputs: each as if it were alone.
Methods dummy_outputs(Lowering& to, const Estimator& from, ValueId in, const std::string& strategy) {
  const bool by_prior = strategy == "prior", is_constant = strategy == "constant";
  if (!by_prior && !is_constant && strategy != "most_frequent" && strategy != "uniform") {
    from.refuse("its answers are drawn at random (strategy '" + strategy + "')");
  }
  const std::vector<NodeId> all = from.members("class_prior_"), classes = from.members("classes_");
  from.require(classes.size() == all.size(), "class_prior_ and classes_ disagree");
  std::vector<LabelValue> constants;
  if (is_constant) {
    constants = label_values(from, from.need("constant"), "constant");
    from.require(constants.size() == all.size(), "constant has " + std::to_string(constants.size()) + " members for " +
                                                     std::to_string(all.size()) + " outputs");
  }
  std::vector<Labels> tables;
  std::vector<double> chosen;
  Methods methods;
  for (std::size_t k = 0; k < all.size(); ++k) {
    tables.push_back(labels_at(from, "classes_", k));
    const auto count = static_cast<std::size_t>(tables.back().count);
    const Array<double> priors = from.reals_of(all[k], "class_prior_", 1);
    from.require(count != 0 && priors.size() == count, "class_prior_ and classes_ disagree");
    auto most = static_cast<std::size_t>(std::max_element(priors.begin(), priors.end()) - priors.begin());
    if (is_constant) most = index_of_constant(from, classes[k], constants[k]);
    chosen.push_back(static_cast<double>(most));
    const std::vector<double> equal(count, 1.0 / static_cast<double>(count));
    const ValueId proba =
        constant(to, in, by_prior ? priors : reals(strategy == "uniform" ? equal : one_of(count, most)));
    methods.add("predict_proba[" + std::to_string(k) + "]", proba);
    methods.add("predict_log_proba[" + std::to_string(k) + "]", to.map(proba, "log"));
  }
  from.require(!tables.empty(), "it has no outputs");
  if (strategy == "uniform") return methods;
  for (const Labels& table : tables) {
    if (is_constant && table.dtype != tables[0].dtype) from.refuse("its outputs have classes of several types");
  }
  to.add_classes(methods, constant(to, in, reals(std::move(chosen))), tables_of_one_type(from, std::move(tables)));
  return methods;
}

}  // namespace

// sklearn/dummy.py. What is drawn at random has no method here.
Methods lower_dummy_classifier(Lowering& to, const Estimator& from, ValueId in) {
  if (from.integer_or("n_outputs_", 1) != 1) {
    return dummy_outputs(to, from, in, from.text(from.has("_strategy") ? "_strategy" : "strategy"));
  }
  const std::string strategy = from.has("_strategy") ? from.text("_strategy") : from.text("strategy");
  const Labels labels = classes_of(from);
  const Array<double> priors = vector(from, "class_prior_", labels.count);
  const auto most = static_cast<std::size_t>(std::max_element(priors.begin(), priors.end()) - priors.begin());
  Methods methods;
  ValueId proba;
  if (strategy == "prior") {
    proba = constant(to, in, priors);
    to.add_classes(methods, constant(to, in, reals({static_cast<double>(most)})), {labels});
  } else if (strategy == "most_frequent" || strategy == "constant") {
    const std::size_t chosen =
        strategy == "constant" ? index_of_constant(from, from.need("classes_"), only_constant(from)) : most;
    proba = constant(to, in, reals(one_of(labels.count, chosen)));
    to.add_classes(methods, constant(to, in, reals({static_cast<double>(chosen)})), {labels});
  } else if (strategy == "uniform") {
    const std::vector<double> equal(static_cast<std::size_t>(labels.count), 1.0 / static_cast<double>(labels.count));
    proba = constant(to, in, reals(equal));
  } else {
    from.refuse("its answers are drawn at random (strategy '" + strategy + "')");
  }
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  return methods;
}

Methods lower_dummy_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> row = flattened(matrix(from, "constant_"));
  from.require(!row.empty(), "constant_ is empty");
  Methods methods;
  to.add_numbers(methods, constant(to, in, row), row.size() == 1);
  return methods;
}

// sklearn/isotonic.py: straight lines between thresholds.
Methods lower_isotonic_regression(Lowering& to, const Estimator& from, ValueId in) {
  if (to.columns(in) != 1) from.refuse("it is of one column");
  const Array<double> x = matrix(from, "X_thresholds_"), y = matrix(from, "y_thresholds_");
  from.require(x.shape() == y.shape() && rows_of(x) == 1 && !x.empty(), "X_thresholds_ and y_thresholds_ disagree");
  const std::string outside = from.text("out_of_bounds");
  ValueId value = to.check(in, {});
  if (!from.is_single("X_thresholds_")) value = widen(to, value);
  if (x.size() == 1) {
    value = constant(to, value, flattened(y));
  } else {
    auto step = std::make_unique<program::Interpolate>();
    step->x = x;
    step->y = y;
    step->outside = outside == "clip" ? "hold" : outside == "nan" ? "nan" : "refuse";
    value = to.add(std::move(step), value);
  }
  Methods methods;
  to.add_numbers(methods, value, true);
  methods.add("transform", value).flat = true;
  return methods;
}

}  // namespace mere::lower
