// Voting and stacking: estimators of any kind side by side. sklearn/ensemble/_voting.py, _stacking.py.

#include <numeric>

#include "lower/families.hpp"
#include "lower/families/members.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/tables.hpp"

namespace mere::lower {

namespace {

// Weights of the estimators that were not dropped; nothing if all count the same.
std::optional<std::vector<double>> weights_of(const Estimator& from, std::size_t members) {
  const std::optional<std::vector<double>> all = find_numbers(from, "weights");
  if (!all) return std::nullopt;
  const std::vector<NodeId> named = from.members("estimators");
  from.require(named.size() == all->size(), "weights and estimators disagree");
  std::vector<double> weights;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const std::vector<NodeId> pair = from.members_of(named[i], "estimators");
    from.require(pair.size() == 2, "a member of estimators is no pair");
    const bool dropped = from.reader().kind(pair[1]) == Kind::text && from.reader().text(pair[1]) == "drop";
    if (!dropped) weights.push_back((*all)[i]);
  }
  from.require(weights.size() == members, "weights and estimators_ disagree");
  return weights;
}

// numpy.average: the sum of products, divided by the sum of weights or by how many there are.
ValueId average(Lowering& to, std::vector<ValueId> parts, const std::optional<std::vector<double>>& weights) {
  double whole = static_cast<double>(parts.size());
  if (weights) {
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = to.arithmetic(parts[i], "multiply", (*weights)[i]);
    whole = pairwise_sum(*weights);
  }
  return to.arithmetic(combine(to, "add", parts), "divide", whole);
}

// A member's class as the number it has there.
ValueId class_numbers(Lowering& to, ValueId index, const std::vector<std::size_t>& classes) {
  auto step = std::make_unique<program::LookUp>();
  step->table = reals(std::vector<double>(classes.begin(), classes.end()), 1, classes.size());
  step->otherwise = reals({0.0});
  return to.add(std::move(step), index);
}

Prediction class_prediction(const Estimator& member, const Methods& methods) {
  const Prediction prediction = one_prediction(member, methods);
  if (!prediction.labels) member.refuse("a member predicts no classes");
  return prediction;
}

}  // namespace

Methods lower_voting_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<Estimator> members = members_of_ensemble(from);
  const Labels labels = classes_of(from);
  const std::optional<std::vector<double>> weights = weights_of(from, members.size());
  Methods methods;
  if (from.is_text("voting", "soft")) {
    std::vector<ValueId> parts;
    for (const Estimator& member : members) {
      parts.push_back(need_method(member, to.lower(member, in), "predict_proba"));
      member.require(to.columns(parts.back()) == labels.count, "it has other classes than the ensemble");
    }
    const ValueId proba = average(to, parts, weights);
    to.add_classes(methods, to.arg_max(proba), {labels});
    methods.add("predict_proba", proba);
    if (from.boolean_or("flatten_transform", true)) methods.add("transform", to.concat(parts));
    return methods;
  }
  if (!from.is_text("voting", "hard")) from.refuse("its parameter voting is neither 'hard' nor 'soft'");
  std::vector<ValueId> indices, numbers;
  std::vector<std::vector<std::size_t>> positions;
  std::vector<Vote> votes;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Methods own = to.lower(members[i], in);
    const Prediction prediction = class_prediction(members[i], own);
    positions.push_back(encoded_classes(members[i], *prediction.labels, labels.count));
    indices.push_back(prediction.value);
    numbers.push_back(class_numbers(to, prediction.value, positions.back()));
    votes.push_back({weights ? (*weights)[i] : 1.0, 0.0});
  }
  to.add_classes(methods, to.arg_max(votes_of(to, indices, positions, votes, labels.count)), {labels});
  methods.add("transform", to.concat(numbers)).integer = true;
  return methods;
}

Methods lower_voting_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<Estimator> members = members_of_ensemble(from);
  std::vector<ValueId> parts;
  for (const Estimator& member : members) {
    const Methods own = to.lower(member, in);
    const Prediction prediction = one_prediction(member, own);
    if (prediction.labels || to.columns(prediction.value) != 1) member.refuse("a member does not predict a number");
    parts.push_back(prediction.value);
  }
  Methods methods;
  to.add_numbers(methods, average(to, parts, weights_of(from, members.size())), true);
  methods.add("transform", to.concat(parts));
  return methods;
}

namespace {

// What the last estimator of a stack sees: members' answers side by side, then the input if it is passed through. Of
// two classes' probabilities the first is left out.
ValueId stacked(Lowering& to, const Estimator& from, ValueId in, std::uint64_t classes) {
  const std::vector<Estimator> members = members_of_ensemble(from);
  const std::vector<std::string> asked = from.texts("stack_method_");
  from.require(asked.size() == members.size(), "stack_method_ and estimators_ disagree");
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Methods methods = to.lower(members[i], in);
    ValueId part = need_method(members[i], methods, asked[i]);
    if (asked[i] == "predict_proba" && classes == 2) {
      members[i].require(to.columns(part) == 2, "it has other classes than the stack");
      part = slice(to, part, 1, 1);
    }
    const std::vector<Labels>& labels = methods.find(asked[i])->labels;
    if (labels.size() > 1) members[i].refuse("it has several outputs");
    if (!labels.empty()) part = class_numbers(to, part, encoded_classes(members[i], labels[0], classes));
    parts.push_back(part);
  }
  if (from.boolean("passthrough")) parts.push_back(in);
  return to.concat(parts);
}

}  // namespace

Methods lower_stacking_classifier(Lowering& to, const Estimator& from, ValueId in) {
  if (!from.is_array("classes_")) from.refuse("it has several outputs");
  const Labels labels = classes_of(from);
  const ValueId meta = stacked(to, from, in, labels.count);
  const Estimator last = from.child("final_estimator_");
  const Methods found = to.lower(last, meta);
  const Prediction prediction = class_prediction(last, found);
  const std::vector<std::size_t> classes = encoded_classes(last, *prediction.labels, labels.count);
  Methods methods;
  to.add_classes(methods, class_numbers(to, prediction.value, classes), {labels});
  for (const char* name : {"predict_proba", "decision_function"}) {
    if (const Method* method = found.find(name)) methods.add(name, method->value).flat = method->flat;
  }
  methods.add("transform", meta);
  return methods;
}

Methods lower_stacking_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId meta = stacked(to, from, in, 0);
  const Estimator last = from.child("final_estimator_");
  const Methods found = to.lower(last, meta);
  const ValueId value = need_method(last, found, "predict");
  if (!found.find("predict")->labels.empty()) last.refuse("it predicts classes");
  Methods methods;
  to.add_numbers(methods, value, found.find("predict")->flat);
  methods.add("transform", meta);
  return methods;
}

}  // namespace mere::lower
