// Gradient boosting. sklearn/ensemble/_gb.py, and up to 1.3 _gb_losses.py.

#include <algorithm>
#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/votes.hpp"

namespace mere::lower {

namespace {

enum class Link { identity, logit, half_logit, softmax };

// By the class of the loss that was fitted: the word of the parameter may have been set since.
Link link_of(const Estimator& from, bool classifier) {
  struct LossLink {
    std::string_view class_name;
    Link link;
  };
  static constexpr LossLink kLosses[] = {
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
  const Estimator loss = from.child(from.has("_loss") ? "_loss" : "loss_");
  for (const LossLink& known : kLosses) {
    if (known.class_name != loss.class_name()) continue;
    if ((known.link == Link::identity) == classifier) from.fail("its loss is " + loss.class_name());
    return known.link;
  }
  from.refuse("nothing is known of its loss, " + loss.class_name());
}

struct Boosting {
  std::vector<Estimator> trees;  // stage by stage, one a class
  std::size_t stages = 0, classes = 0;
  double learning_rate = 0;
  Link link = Link::identity;
};

Boosting read_boosting(const Estimator& from, bool classifier) {
  Boosting model;
  model.link = link_of(from, classifier);
  model.learning_rate = from.real("learning_rate");
  const NodeId id = from.need("estimators_");
  from.require(from.reader().is_object_array(id), "estimators_ is no array of estimators");
  const Dims shape = from.reader().object_array_shape(id);
  from.require(shape.size() == 2 && shape[0] >= 1 && shape[1] >= 1, "estimators_ has shape " + shape.to_text());
  model.stages = static_cast<std::size_t>(shape[0]);
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
  auto clip = std::make_unique<program::Clip>();
  clip->low = Array<double>(std::vector<double>{least});
  clip->high = Array<double>(std::vector<double>{1 - least});
  p = to.add(std::move(clip), p);
  const auto combined = [&](const char* operation, ValueId a, ValueId b) {
    auto step = std::make_unique<program::Combine>();
    step->operation = operation;
    return to.add(std::move(step), std::vector<ValueId>{a, b});
  };
  if (link == Link::softmax) {
    const ValueId logs = to.map(p, "log");
    if (version < Version{1, 4}) return logs;
    const double share = 1.0 / static_cast<double>(to.columns(p));
    const std::vector<double> weights(static_cast<std::size_t>(to.columns(p)), share);
    const ValueId mean =
        to.linear(logs, Array<double>(weights, Dims{1, static_cast<std::int64_t>(weights.size())}), {});
    return combined("subtract", logs, mean);
  }
  const ValueId raw = to.map(combined("divide", p, to.map(p, "one_minus")), "log");
  return link == Link::half_logit ? to.arithmetic(raw, "multiply", 0.5) : raw;
}

// Raw predictions, and those of every stage side by side.
struct Raw {
  ValueId last = 0, stages = 0, leaves = 0;
};

Raw raw_predictions(Lowering& to, const Estimator& from, const Boosting& model, ValueId in, bool classifier) {
  const Version version = to.version(from);
  // Validation lets NaN pass to the trees' own check only where the trees' tag says so; this one never does.
  const ValueId x = to.check(in, {.single_range = true});
  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(in);
  options.outputs = model.classes;
  options.leaf_width = 1;
  options.node_ids = true;

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
  std::unique_ptr<program::TreeEnsemble> trees = packer.finish();
  // The same trees again, each for a column of its own.
  auto apart = std::make_unique<program::TreeEnsemble>();
  apart->nodes = trees->nodes;
  apart->leaf = trees->leaf;
  apart->outputs = static_cast<std::int64_t>(model.trees.size());
  apart->leaf_width = 1;
  apart->values = trees->values;
  auto running = std::make_unique<program::RunningSum>();
  running->group = static_cast<std::int64_t>(model.classes);
  if (!start) running->base = Array<double>(base);

  Raw raw;
  raw.last = to.add(std::move(trees), x);
  raw.stages = to.add(std::move(running), to.add(std::move(apart), x));
  raw.leaves = to.add(packer.finish_leaves(), x);
  if (start) {
    const auto with_start = [&](ValueId value, ValueId begin) {
      auto sum = std::make_unique<program::Combine>();
      sum->operation = "add";
      return to.add(std::move(sum), std::vector<ValueId>{begin, value});
    };
    std::vector<std::uint32_t> repeated;
    for (std::size_t i = 0; i < model.trees.size(); ++i)
      repeated.push_back(static_cast<std::uint32_t>(i % model.classes));
    raw.last = with_start(raw.last, *start);
    raw.stages = with_start(raw.stages, to.select(*start, std::move(repeated)));
  }
  return raw;
}

ValueId probabilities(Lowering& to, Link link, ValueId raw) {
  if (link == Link::softmax) return to.softmax(raw);
  return to.with_complement(to.map(link == Link::half_logit ? to.arithmetic(raw, "multiply", 2.0) : raw, "expit"));
}

}  // namespace

// Two classes: the second where its probability is above a half; with the exponential loss, and from 1.4 on always,
// where the raw prediction is at least 0.
Methods lower_gradient_boosting_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Boosting model = read_boosting(from, true);
  const Labels labels = from.labels_of(from.need("classes_"), "classes_");
  from.require(labels.count == std::max<std::size_t>(model.classes, 2) &&
                   from.integer("n_classes_") == static_cast<std::int64_t>(labels.count),
               "classes_, n_classes_ and estimators_ disagree");
  const Raw raw = raw_predictions(to, from, model, in, true);
  const bool two = model.classes == 1;
  const bool or_equal = model.link == Link::half_logit || to.version(from) >= Version{1, 4};
  const ValueId proba = probabilities(to, model.link, raw.last);
  Methods methods;
  to.add_classes(methods, two ? to.above(raw.last, 0, or_equal) : to.arg_max(raw.last), {labels});
  methods.add("decision_function", raw.last).flat = two;
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  methods.add("apply", raw.leaves);
  methods.add("staged_decision_function", raw.stages);
  std::vector<std::int64_t> groups(model.stages, static_cast<std::int64_t>(model.classes));
  Method& staged = methods.add("staged_predict",
                               two ? to.above(raw.stages, 0, or_equal) : to.arg_max(raw.stages, std::move(groups)));
  staged.labels.assign(model.stages, labels);
  return methods;
}

Methods lower_gradient_boosting_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Boosting model = read_boosting(from, false);
  const Raw raw = raw_predictions(to, from, model, in, false);
  Methods methods;
  to.add_numbers(methods, raw.last, true);
  methods.add("apply", raw.leaves);
  methods.add("staged_predict", raw.stages);
  return methods;
}

}  // namespace mere::lower
