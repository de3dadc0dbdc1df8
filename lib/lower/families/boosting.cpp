// Gradient boosting. sklearn/ensemble/_gb.py, and up to 1.3 _gb_losses.py.

#include <algorithm>
#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/families/boosted.hpp"
#include "lower/families/steps.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/combine.hpp"

namespace mere::lower {

namespace {

constexpr LossLink kLosses[] = {
    {"sklearn._loss.loss.AbsoluteError", Link::identity},
    {"sklearn._loss.loss.ExponentialLoss", Link::half_logit},
    {"sklearn._loss.loss.HalfBinomialLoss", Link::logit},
    {"sklearn._loss.loss.HalfMultinomialLoss", Link::softmax},
    {"sklearn._loss.loss.HalfSquaredError", Link::identity},
    {"sklearn._loss.loss.HuberLoss", Link::identity},
    {"sklearn._loss.loss.PinballLoss", Link::identity},
    {"sklearn.ensemble._gb_losses.BinomialDeviance", Link::logit},
    {"sklearn.ensemble._gb_losses.ExponentialLoss", Link::half_logit},
    {"sklearn.ensemble._gb_losses.HuberLossFunction", Link::identity},
    {"sklearn.ensemble._gb_losses.LeastAbsoluteError", Link::identity},
    {"sklearn.ensemble._gb_losses.LeastSquaresError", Link::identity},
    {"sklearn.ensemble._gb_losses.MultinomialDeviance", Link::softmax},
    {"sklearn.ensemble._gb_losses.QuantileLossFunction", Link::identity},
};

struct Boosting {
  std::vector<Estimator> trees;  // stage by stage, one a class
  std::size_t classes = 0;
  double learning_rate = 0;
  Link link = Link::identity;
};

Boosting read_boosting(const Estimator& from, bool classifier) {
  Boosting model;
  model.link = link_of(from, classifier, kLosses);
  model.learning_rate = from.real("learning_rate");
  const NodeId id = from.need("estimators_");
  from.require(from.reader().is_object_array(id), "estimators_ is no array of estimators");
  const Dims shape = from.reader().object_array_shape(id);
  from.require(shape.size() == 2 && shape[0] >= 1 && shape[1] >= 1, "estimators_ has shape " + shape.to_text());
  model.classes = static_cast<std::size_t>(shape[1]);
  from.require(model.classes == 1 || model.link == Link::softmax,
               "estimators_ has shape " + shape.to_text() + ", which its loss contradicts");
  for (const NodeId member : from.members("estimators_")) {
    model.trees.emplace_back(from.reader(), member);
    if (!is_tree_regressor(model.trees.back())) model.trees.back().refuse("a stage is of a class that is no tree");
  }
  return model;
}

// Raw predictions of probabilities, as the loss has them: up to 1.3 several classes are their logarithms alone, later
// those over the logarithm of the geometric mean.
void to_raw(Link link, Version version, std::vector<double>& p) {
  const double least = version < Version{1, 8} ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                               : std::numeric_limits<double>::epsilon();
  for (double& x : p) x = std::clamp(x, least, 1 - least);
  if (link == Link::softmax) {
    double mean = 0;
    for (const double x : p) mean += std::log(x);
    const double geometric = std::exp(mean / static_cast<double>(p.size()));
    for (double& x : p) x = version < Version{1, 4} ? std::log(x) : std::log(x / geometric);
    return;
  }
  const double raw = std::log(p[1] / (1 - p[1]));
  p.assign(1, link == Link::half_logit ? 0.5 * raw : raw);
}

// What a dummy estimator says of every row: probabilities, or a number. Nothing if it needs its own rule.
std::optional<std::vector<double>> constant_of(const Estimator& init, bool classifier) {
  if (!classifier && init.class_name() == "sklearn.dummy.DummyRegressor") {
    const NodeId id = init.need("constant_");
    init.require(init.is_array("constant_"), "constant_ is no array");
    const Array<double> constant = init.reals_of(id, "constant_", init.reader().array(id).shape.size());
    init.require(constant.size() == 1, "constant_ has shape " + constant.shape().to_text());
    return std::vector<double>{constant[0]};
  }
  if (!classifier || init.class_name() != "sklearn.dummy.DummyClassifier") return std::nullopt;
  const Array<double> prior = init.reals("class_prior_", 1);
  init.require(!prior.empty(), "class_prior_ is empty");
  std::vector<double> p(prior.begin(), prior.end());
  if (init.is_text("strategy", "most_frequent")) {
    const auto most = std::max_element(p.begin(), p.end()) - p.begin();
    p.assign(p.size(), 0.0);
    p[static_cast<std::size_t>(most)] = 1;
  } else if (init.is_text("strategy", "uniform")) {
    p.assign(p.size(), 1.0 / static_cast<double>(p.size()));
  } else if (!init.is_text("strategy", "prior")) {
    return std::nullopt;
  }
  return p;
}

// The operators of to_raw() for probabilities that differ from row to row.
ValueId raw_of(Lowering& to, Link link, Version version, ValueId p) {
  const double least = version < Version{1, 8} ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                               : std::numeric_limits<double>::epsilon();
  if (link != Link::softmax) p = to.select(p, {1});
  p = clip(to, p, least, 1 - least);
  if (link == Link::softmax) {
    const ValueId logs = to.map(p, "log");
    if (version < Version{1, 4}) return logs;
    const auto classes = static_cast<double>(to.columns(p));
    return combine(to, "subtract", {logs, to.arithmetic(reduce(to, logs, "sum"), "divide", classes)});
  }
  const ValueId raw = to.map(combine(to, "divide", {p, to.map(p, "one_minus")}), "log");
  return link == Link::half_logit ? to.arithmetic(raw, "multiply", 0.5) : raw;
}

struct Lowered {
  Boosted sums;
  ValueId leaves = 0;
};

// apply leaves validation to the first tree: from 1.3 on NaN passes, where the rest refuses it.
ValueId lower_leaves(Lowering& to, const Estimator& from, const Boosting& model, ValueId in,
                     TreePackerOptions options) {
  const bool nan = tree_accepts_nan(model.trees[0], to.version(from));
  options.node_ids = true;
  TreePacker packer(std::move(options));
  for (const Estimator& member : model.trees) {
    const SklearnTree tree(member);
    TreeColumns columns = tree.columns(nan);
    columns.values = tree.all_values();
    packer.add(columns);
  }
  packer.finish();
  return to.add(packer.finish_leaves(), to.check(in, {.nan = nan, .single_range = true}));
}

Lowered lower_boosting(Lowering& to, const Estimator& from, const Boosting& model, ValueId in, bool classifier) {
  const Version version = to.version(from);
  const ValueId x = to.check(in, {.single_range = true});
  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(in);
  options.outputs = model.classes;
  options.leaf_width = 1;

  std::optional<ValueId> start;
  std::vector<double> base(model.classes, 0.0);
  if (!from.is_text("init_", "zero")) {
    const Estimator init = from.child("init_");
    if (std::optional<std::vector<double>> constant = constant_of(init, classifier)) {
      if (classifier) {
        from.require(constant->size() == std::max<std::size_t>(model.classes, 2), "init_ and estimators_ disagree");
        to_raw(model.link, version, *constant);
      }
      base = *constant;
    } else {
      // It sees what validation made of the input.
      auto cast = std::make_unique<program::Cast>();
      cast->to = "single";
      const Methods methods = to.lower(init, to.add(std::move(cast), x));
      const Method* found = methods.find(classifier ? "predict_proba" : "predict");
      if (!found || (!classifier && !found->labels.empty())) init.refuse("it does not give what boosting starts from");
      from.require(to.columns(found->value) == (classifier ? std::max<std::size_t>(model.classes, 2) : 1),
                   "init_ and estimators_ disagree");
      start = classifier ? raw_of(to, model.link, version, found->value) : found->value;
    }
  }
  if (!start) options.base = base;

  TreePacker packer(options);
  for (std::size_t i = 0; i < model.trees.size(); ++i) {
    const SklearnTree tree(model.trees[i]);
    if (tree.features() != to.columns(in) || tree.all_classes() != 1) {
      from.fail("tree " + std::to_string(i) + " has " + std::to_string(tree.features()) + " features and " +
                std::to_string(tree.all_classes()) + " outputs");
    }
    TreeColumns columns = tree.columns(false);
    columns.leaf_row = [&](std::size_t node, std::span<double> row) {
      row[0] = model.learning_rate * tree.all_values()[node];
    };
    packer.add(columns);
  }
  Lowered made;
  made.sums = add_boosted(to, packer.finish(), model.classes, base, start, x);
  to.add_part(from, x, {{"each", made.sums.each}});
  made.leaves = lower_leaves(to, from, model, in, std::move(options));
  return made;
}

}  // namespace

// Two classes: the second where its probability is above a half; with the exponential loss, and from 1.4 on always,
// where the raw prediction is at least 0.
Methods lower_gradient_boosting_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Boosting model = read_boosting(from, true);
  from.require(static_cast<std::uint64_t>(from.integer("n_classes_")) == classes_of(from).count,
               "n_classes_ and classes_ disagree");
  from.require(classes_of(from).count > 1, "classes_ has one class");
  const Lowered made = lower_boosting(to, from, model, in, true);
  const bool by_raw = model.link == Link::half_logit || to.version(from) >= Version{1, 4};
  Methods methods =
      boosted_classifier(to, from, made.sums, model.link, by_raw ? ClassRule::raw_or_zero : ClassRule::probability);
  methods.add("predict_log_proba", to.map(methods.find("predict_proba")->value, "log"));
  methods.add("apply", made.leaves);
  return methods;
}

Methods lower_gradient_boosting_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Boosting model = read_boosting(from, false);
  const Lowered made = lower_boosting(to, from, model, in, false);
  Methods methods = boosted_regressor(to, made.sums, model.link);
  methods.add("apply", made.leaves);
  return methods;
}

}  // namespace mere::lower
