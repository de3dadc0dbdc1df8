// AdaBoost. sklearn/ensemble/_weight_boosting.py.

#include <algorithm>
#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/families/boosted.hpp"
#include "lower/families/members.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/votes.hpp"

namespace mere::lower {

namespace {

constexpr double kLeastProbability = std::numeric_limits<double>::epsilon();

// What a member's say counts. Up to 1.2 a vote adds its weight to its class alone, from 1.3 on it also takes from the
// others.
Vote vote_of(double weight, std::uint64_t classes, Version version) {
  if (version < Version{1, 3}) return {weight, 0.0 * weight};
  return {weight, -1.0 / static_cast<double>(classes - 1) * weight};
}

// SAMME.R: logarithms of probabilities around their mean, in place.
void set_logarithms(std::span<double> p) {
  for (double& x : p) x = std::log(std::max(x, kLeastProbability));
  const auto classes = static_cast<double>(p.size());
  const double share = 1.0 / classes * pairwise_sum(p);
  for (double& x : p) x = (classes - 1) * (x - share);
}

ValueId logarithms(Lowering& to, ValueId proba) {
  const ValueId logs = to.map(clip(to, proba, kLeastProbability, std::nullopt), "log");
  const auto classes = static_cast<double>(to.columns(proba));
  const ValueId share = to.arithmetic(reduce(to, logs, "sum"), "multiply", 1.0 / classes);
  return to.arithmetic(combine(to, "subtract", {logs, share}), "multiply", classes - 1);
}

struct Ensemble {
  Version version;
  std::vector<Estimator> members;
  std::vector<double> weights;
  Labels labels;
  bool real = false;  // SAMME.R
};

TreePacker packer_for(const Lowering& to, const Estimator& from, ValueId in, std::uint64_t outputs,
                      std::uint64_t leaf_width) {
  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(in);
  options.outputs = outputs;
  options.leaf_width = leaf_width;
  return TreePacker(std::move(options));
}

// Sums of all members, and each member's numbers side by side.
struct Sums {
  ValueId all = 0, each = 0;
};

Sums sums_of_trees(Lowering& to, const Estimator& from, const Ensemble& model, ValueId x) {
  const std::uint64_t classes = model.labels.count;
  TreePacker all = packer_for(to, from, x, classes, classes);
  TreePacker each = packer_for(to, from, x, classes * model.members.size(), classes);
  const bool divide = model.version < Version{1, 4};
  for (std::size_t i = 0; i < model.members.size(); ++i) {
    const Estimator& member = model.members[i];
    const SklearnTree tree(member);
    const Labels own = classes_of(member);
    const std::vector<std::size_t> positions = class_positions(member, own, model.labels);
    const bool same = tree.outputs() == 1 && own.count == classes && tree.all_classes() == classes &&
                      tree.features() == to.columns(x);
    member.require(same && std::is_sorted(positions.begin(), positions.end()) && positions.back() < classes,
                   "a member's features or classes are not those of the ensemble");
    const Vote vote = vote_of(model.weights[i], classes, model.version);
    std::vector<double> index(1);
    TreeColumns columns = tree.columns(false);
    columns.leaf_row = [&](std::size_t node, std::span<double> row) {
      if (model.real) {
        tree.set_probabilities(node, divide, row);
        set_logarithms(row);
        return;
      }
      tree.set_class_indices(node, index);
      std::fill(row.begin(), row.end(), vote.miss);
      row[static_cast<std::size_t>(index[0])] = vote.hit;
    };
    all.add(columns);
    each.add(columns);
  }
  return {to.add(all.finish(), x), to.add(each.finish(), x)};
}

Sums sums_of_members(Lowering& to, const Ensemble& model, ValueId x) {
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < model.members.size(); ++i) {
    const Estimator& member = model.members[i];
    const Methods methods = to.lower(member, x);
    if (model.real) {
      const ValueId proba = need_method(member, methods, "predict_proba");
      member.require(to.columns(proba) == model.labels.count, "a member has other classes than the ensemble");
      parts.push_back(logarithms(to, proba));
      continue;
    }
    const Prediction prediction = one_prediction(member, methods);
    if (!prediction.labels) member.refuse("a member predicts no classes");
    const Vote vote = vote_of(model.weights[i], model.labels.count, model.version);
    parts.push_back(votes_of(to, {prediction.value}, {class_positions(member, *prediction.labels, model.labels)},
                             {vote}, model.labels.count));
  }
  return {combine(to, "add", parts), to.concat(parts)};
}

// Of two classes the second's sum less the first's, for each stage.
ValueId difference(Lowering& to, ValueId sums) {
  std::vector<std::uint32_t> first, second;
  for (std::uint32_t c = 0; c < to.columns(sums); c += 2) {
    first.push_back(c);
    second.push_back(c + 1);
  }
  return combine(to, "subtract", {to.select(sums, std::move(second)), to.select(sums, std::move(first))});
}

// [-d, d] / 2 of each column d.
ValueId halves(Lowering& to, ValueId decisions) {
  const ValueId half = to.arithmetic(decisions, "divide", 2.0);
  const ValueId both = to.concat({to.map(half, "negative"), half});
  std::vector<std::uint32_t> in_turn;
  const auto count = static_cast<std::uint32_t>(to.columns(decisions));
  for (std::uint32_t c = 0; c < count; ++c) {
    in_turn.push_back(c);
    in_turn.push_back(count + c);
  }
  return count == 1 ? both : to.select(both, std::move(in_turn));
}

// From 1.0 on only what asks the members looks at the input. What stages give is 0 / 0, and left out.
void add_one_class(Lowering& to, Methods& methods, const Ensemble& model, ValueId in, ValueId x) {
  const ValueId asked = model.version < Version{1, 0} ? to.check(in, {}) : in;
  to.add_classes(methods, constant(to, x, reals({0.0})), {model.labels});
  methods.add("predict_proba", constant(to, asked, reals({1.0})));
  methods.add("predict_log_proba", constant(to, asked, reals({0.0})));
  if (model.real || model.version >= Version{1, 6}) methods.add("decision_function", constant(to, x, reals({0.0})));
}

}  // namespace

Methods lower_ada_boost_classifier(Lowering& to, const Estimator& from, ValueId in) {
  Ensemble model;
  model.version = to.version(from);
  model.members = members_of_ensemble(from);
  model.weights = find_numbers(from, "estimator_weights_").value_or(std::vector<double>());
  model.labels = classes_of(from);
  model.real = model.version < Version{1, 6} && from.is_text("algorithm", "SAMME.R");
  const std::uint64_t classes = model.labels.count;
  from.require(from.integer("n_classes_") == static_cast<std::int64_t>(classes), "n_classes_ and classes_ disagree");
  from.require(model.weights.size() >= model.members.size(), "estimator_weights_ and estimators_ disagree");
  const bool trees = std::all_of(model.members.begin(), model.members.end(), is_tree_classifier);
  // With one class only SAMME.R asks the trees.
  const ValueId x = to.check(in, {.single_range = trees && (classes > 1 || model.real)});
  Methods methods;
  if (classes == 1) {
    add_one_class(to, methods, model, in, x);
    return methods;
  }

  const Sums sums = trees ? sums_of_trees(to, from, model, x) : sums_of_members(to, model, x);
  const bool two = classes == 2;
  const std::size_t stages = model.members.size();
  const ValueId means = to.arithmetic(sums.all, "divide", pairwise_sum(model.weights));
  const ValueId decisions = two ? difference(to, means) : means;
  auto running = std::make_unique<program::RunningSum>();
  running->group = static_cast<std::int64_t>(classes);
  std::vector<double> norms;
  double norm = 0;
  for (std::size_t i = 0; i < stages; ++i) {
    norm += model.weights[i];
    norms.insert(norms.end(), static_cast<std::size_t>(classes), norm);
  }
  const ValueId staged_means = to.arithmetic(to.add(std::move(running), sums.each), "divide", reals(norms));
  const ValueId staged = two ? difference(to, staged_means) : staged_means;

  to.add_classes(methods, two ? to.above(decisions, 0) : to.arg_max(decisions), {model.labels});
  methods.add("decision_function", decisions).flat = two;
  methods.add("staged_decision_function", staged);
  const std::vector<std::int64_t> groups(stages, static_cast<std::int64_t>(classes));
  Method& staged_predict = methods.add("staged_predict", two ? to.above(staged, 0) : to.arg_max(staged, groups));
  staged_predict.labels.assign(stages, model.labels);
  const auto scale = static_cast<double>(classes - 1);
  const ValueId proba = to.softmax(two ? halves(to, decisions) : to.arithmetic(decisions, "divide", scale));
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  methods.add("staged_predict_proba",
              staged_probabilities(to, two ? halves(to, staged) : to.arithmetic(staged, "divide", scale), stages,
                                   static_cast<std::size_t>(classes)));
  return methods;
}

// The weighted median of what members say.
Methods lower_ada_boost_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<Estimator> members = members_of_ensemble(from);
  std::vector<double> weights = find_numbers(from, "estimator_weights_").value_or(std::vector<double>());
  from.require(weights.size() >= members.size(), "estimator_weights_ and estimators_ disagree");
  weights.resize(members.size());
  const bool trees = std::all_of(members.begin(), members.end(), is_tree_regressor);
  const ValueId x = to.check(in, {.single_range = trees});
  ValueId each = 0;
  if (trees) {
    TreePacker packer = packer_for(to, from, x, members.size(), 1);
    for (const Estimator& member : members) {
      const SklearnTree tree(member);
      member.require(tree.features() == to.columns(x) && tree.all_classes() == 1,
                     "a member's features or outputs are not those of the ensemble");
      TreeColumns columns = tree.columns(false);
      columns.values = tree.all_values();
      packer.add(columns);
    }
    each = to.add(packer.finish(), x);
  } else {
    std::vector<ValueId> parts;
    for (const Estimator& member : members) {
      const Methods own = to.lower(member, x);
      const Prediction prediction = one_prediction(member, own);
      if (prediction.labels || to.columns(prediction.value) != 1) member.refuse("a member does not predict a number");
      parts.push_back(prediction.value);
    }
    each = to.concat(parts);
  }
  const auto median = [&](bool running) {
    auto step = std::make_unique<program::WeightedMedian>();
    step->weights = reals(weights);
    step->running = running;
    return to.add(std::move(step), each);
  };
  Methods methods;
  to.add_numbers(methods, median(false), true);
  methods.add("staged_predict", median(true));
  return methods;
}

}  // namespace mere::lower
