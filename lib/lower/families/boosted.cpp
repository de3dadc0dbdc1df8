#include "lower/families/boosted.hpp"

#include <algorithm>

#include "lower/families/steps.hpp"
#include "program/operators/votes.hpp"

namespace mere::lower {

namespace {

// Columns 0 to n - 1, each `times` times.
std::vector<std::uint32_t> repeated(std::size_t n, std::size_t times) {
  std::vector<std::uint32_t> columns;
  for (std::size_t i = 0; i < n * times; ++i) columns.push_back(static_cast<std::uint32_t>(i / times));
  return columns;
}

}  // namespace

Link link_of(const Estimator& from, bool classifier, std::span<const LossLink> losses) {
  const Estimator loss = from.child(from.has("_loss") ? "_loss" : "loss_");
  for (const LossLink& known : losses) {
    if (known.class_name != loss.class_name()) continue;
    if ((known.link == Link::identity || known.link == Link::log) == classifier) {
      from.fail("its loss is " + loss.class_name());
    }
    return known.link;
  }
  from.refuse("nothing is known of its loss, " + loss.class_name());
}

Boosted add_boosted(Lowering& to, std::unique_ptr<program::TreeEnsemble> trees, std::size_t classes,
                    std::vector<double> base, std::optional<ValueId> start, ValueId in) {
  auto apart = std::make_unique<program::TreeEnsemble>();
  apart->nodes = trees->nodes;
  apart->leaf = trees->leaf;
  apart->values = trees->values;
  apart->outputs = trees->nodes.trees;
  apart->leaf_width = 1;
  auto running = std::make_unique<program::RunningSum>();
  running->group = static_cast<std::int64_t>(classes);
  if (!start) running->base = Array<double>(std::move(base));

  Boosted model;
  model.classes = classes;
  model.stage_count = static_cast<std::size_t>(trees->nodes.trees) / classes;
  model.raw = to.add(std::move(trees), in);
  model.each = to.add(std::move(apart), in);
  model.stages = to.add(std::move(running), model.each);
  if (start) {
    model.raw = combine(to, "add", {*start, model.raw});
    model.stages = combine(to, "add", {tile(to, *start, model.stage_count), model.stages});
  }
  return model;
}

ValueId staged_probabilities(Lowering& to, ValueId stages, std::size_t stage_count, std::size_t classes) {
  if (classes > 1) {
    // As softmax does: less the largest, so that sums of any size keep their differences.
    const auto each = [&](ValueId of_stage) { return to.select(of_stage, repeated(stage_count, classes)); };
    const ValueId largest = each(reduce(to, stages, "maximum", classes));
    const ValueId parts = to.map(combine(to, "subtract", {stages, largest}), "exp");
    return combine(to, "divide", {parts, each(reduce(to, parts, "sum", classes))});
  }
  const ValueId both = to.with_complement(to.map(stages, "expit"));
  std::vector<std::uint32_t> in_turn;
  for (std::size_t i = 0; i < stage_count; ++i) {
    in_turn.push_back(static_cast<std::uint32_t>(i));
    in_turn.push_back(static_cast<std::uint32_t>(stage_count + i));
  }
  return to.select(both, std::move(in_turn));
}

Methods boosted_classifier(Lowering& to, const Estimator& from, const Boosted& model, Link link, ClassRule rule) {
  const Labels labels = classes_of(from);
  const bool two = model.classes == 1;
  // Histogram boosting fits one class as if it were the first of two.
  const bool one = two && labels.count == 1;
  from.require(one || labels.count == std::max<std::size_t>(model.classes, 2),
               std::to_string(model.classes) + " trees a stage for " + std::to_string(labels.count) + " classes");
  const auto scores = [&](ValueId raw) { return link == Link::half_logit ? to.arithmetic(raw, "multiply", 2.0) : raw; };
  const ValueId positive = link == Link::softmax ? 0 : to.map(scores(model.raw), "expit");
  const ValueId proba = link == Link::softmax ? to.softmax(model.raw) : to.with_complement(positive);
  const ValueId staged = staged_probabilities(to, scores(model.stages), model.stage_count, model.classes);

  Methods methods;
  std::vector<std::int64_t> groups(model.stage_count, static_cast<std::int64_t>(two ? 2 : model.classes));
  ValueId last = 0, stages = 0;
  if (one) {
    last = constant(to, model.raw, reals({0.0}));
    stages = constant(to, model.raw, reals(std::vector<double>(model.stage_count, 0.0)));
  } else if (rule == ClassRule::probability) {
    last = two ? to.above(positive, 0.5) : to.arg_max(proba);
    stages = to.arg_max(staged, std::move(groups));
  } else {
    const bool or_equal = rule == ClassRule::raw_or_zero;
    last = two ? to.above(model.raw, 0, or_equal) : to.arg_max(model.raw);
    stages = two ? to.above(model.stages, 0, or_equal) : to.arg_max(model.stages, std::move(groups));
  }
  to.add_classes(methods, last, {labels});
  methods.add("staged_predict", stages).labels.assign(model.stage_count, labels);
  methods.add("decision_function", model.raw).flat = two;
  methods.add("predict_proba", proba);
  methods.add("staged_decision_function", model.stages);
  methods.add("staged_predict_proba", staged);
  return methods;
}

Methods boosted_regressor(Lowering& to, const Boosted& model, Link link) {
  const auto inverse = [&](ValueId raw) { return link == Link::log ? to.map(raw, "exp") : raw; };
  Methods methods;
  to.add_numbers(methods, inverse(model.raw), true);
  methods.add("staged_predict", inverse(model.stages));
  return methods;
}

}  // namespace mere::lower
