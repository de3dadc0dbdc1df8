// Estimators around others: one or several of them decide, a program in a program.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/pairs.hpp"
#include "program/operators/tables.hpp"

namespace mere::lower {

namespace {

Methods only(const Methods& of, std::initializer_list<std::string_view> names) {
  Methods methods;
  for (const std::string_view name : names) {
    if (const Method* method = of.find(name)) methods.all().push_back(*method);
  }
  return methods;
}

// sklearn/multiclass.py, _predict_binary: how sure a binary estimator is of its second class, and above what it is.
struct BinaryScore {
  ValueId value;
  double threshold;
};

BinaryScore binary_score(Lowering& to, const Estimator& from, const Methods& of) {
  if (const Method* decision = of.find("decision_function")) {
    from.require(to.columns(decision->value) == 1, "an estimator in it has several columns of decisions");
    return {decision->value, 0};
  }
  if (const Method* proba = of.find("predict_proba")) {
    from.require(to.columns(proba->value) == 2, "an estimator in it has not two classes");
    return {slice(to, proba->value, 1, 1), 0.5};
  }
  const Method* predict = of.find("predict");
  if (!predict || !predict->labels.empty()) from.refuse("an estimator in it gives no scores");
  return {predict->value, 0.5};
}

// The numbers of a table of classes; nothing: they are texts.
std::optional<std::vector<double>> numbers_of(const Labels& labels) {
  std::vector<double> out;
  for (std::size_t i = 0; i < labels.count; ++i) {
    const auto load = [&](auto value) {
      std::memcpy(&value, labels.bytes.data() + i * sizeof value, sizeof value);
      out.push_back(static_cast<double>(value));
    };
    if (labels.dtype == Dtype::of<std::int64_t>()) load(std::int64_t());
    if (labels.dtype == Dtype::of<std::int32_t>()) load(std::int32_t());
    if (labels.dtype == Dtype::of<double>()) load(double());
    if (labels.dtype == Dtype::of<bool>()) load(std::uint8_t());
  }
  if (out.size() != labels.count) return std::nullopt;
  return out;
}

// What predict gives, as a number: of a classifier the class itself, not its index.
ValueId predicted_number(Lowering& to, const Estimator& from, const Method& predict) {
  if (predict.labels.empty()) return predict.value;
  const std::optional<std::vector<double>> numbers = numbers_of(predict.labels[0]);
  if (!numbers || predict.labels.size() != 1) from.refuse("the classes of an estimator in it are no numbers");
  bool is_index = true;
  for (std::size_t i = 0; i < numbers->size(); ++i) is_index &= (*numbers)[i] == static_cast<double>(i);
  if (is_index) return predict.value;
  auto step = std::make_unique<program::LookUp>();
  step->table = reals(*numbers, 1, numbers->size());
  step->otherwise = reals({0.0});
  return to.add(std::move(step), predict.value);
}

std::vector<Methods> lower_all(Lowering& to, const Estimator& from, std::string_view attribute, ValueId in) {
  std::vector<Methods> all;
  for (const NodeId member : from.members(attribute)) all.push_back(to.lower(member, in));
  from.require(!all.empty(), std::string(attribute) + " is empty");
  return all;
}

bool all_have(const std::vector<Methods>& all, std::string_view name) {
  return std::all_of(all.begin(), all.end(), [&](const Methods& of) { return of.find(name) != nullptr; });
}

ValueId side_by_side(Lowering& to, const std::vector<Methods>& all, std::string_view name) {
  std::vector<ValueId> parts;
  for (const Methods& of : all) parts.push_back(of.find(name)->value);
  return to.concat(parts);
}

}  // namespace

// sklearn/multiclass.py, _ConstantPredictor: of a class that no row or every row had.
Methods lower_constant_predictor(Lowering& to, const Estimator& from, ValueId in) {
  const double y = vector(from, "y_", 1)[0];
  Methods methods;
  methods.add("decision_function", constant(to, in, reals({y}))).flat = true;
  methods.add("predict_proba", constant(to, in, reals({1 - y, y})));
  return methods;
}

// Of equal scores the last class won up to 1.8.
Methods lower_one_versus_rest(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<Methods> all = lower_all(to, from, "estimators_", in);
  const Estimator binarizer = from.child("label_binarizer_");
  const Labels labels = classes_of(from.has("classes_") ? from : binarizer);
  const std::string type = binarizer.text("y_type_");
  const bool multilabel = type.rfind("multilabel", 0) == 0;
  from.require(all.size() == labels.count || (all.size() == 1 && labels.count == 2),
               "estimators_ and the classes disagree");
  std::vector<ValueId> parts;
  double threshold = 0;
  for (const Methods& of : all) {
    const BinaryScore score = binary_score(to, from, of);
    parts.push_back(score.value);
    threshold = score.threshold;
  }
  const ValueId scores = to.concat(parts);
  Methods methods;
  if (multilabel) {
    methods.add("predict", to.above(scores, threshold)).integer = true;
  } else if (all.size() == 1) {
    to.add_classes(methods, to.above(scores, threshold), {labels});
  } else {
    const bool first = to.version(from) >= Version{1, 9};
    to.add_classes(methods, first ? to.arg_max(scores) : last_arg_max(to, scores), {labels});
  }
  if (all_have(all, "decision_function")) methods.add("decision_function", scores).flat = all.size() == 1;
  if (all_have(all, "predict_proba")) {
    std::vector<ValueId> seconds;
    for (const Methods& of : all) seconds.push_back(slice(to, of.find("predict_proba")->value, 1, 1));
    const ValueId p = to.concat(seconds);
    ValueId proba = p;
    if (all.size() == 1)
      proba = to.with_complement(p);
    else if (!multilabel)
      proba = combine(to, "divide", {p, to.map(reduce(to, p, "sum"), "one_if_zero")});
    methods.add("predict_proba", proba);
  }
  return methods;
}

Methods lower_one_versus_one(Lowering& to, const Estimator& from, ValueId in) {
  if (from.find("pairwise_indices_") != kNoNode) from.refuse("it was fitted on distances");
  const Labels labels = classes_of(from);
  const std::vector<Methods> all = lower_all(to, from, "estimators_", in);
  from.require(labels.count >= 2 && all.size() == labels.count * (labels.count - 1) / 2,
               "estimators_ has not a member a pair of classes");
  std::vector<ValueId> predictions, scores;
  double threshold = 0;
  for (const Methods& of : all) {
    const BinaryScore score = binary_score(to, from, of);
    need_method(from, of, "predict");
    predictions.push_back(predicted_number(to, from, *of.find("predict")));
    scores.push_back(score.value);
    threshold = score.threshold;
  }
  auto step = std::make_unique<program::PairVotes>();
  step->classes = static_cast<std::int64_t>(labels.count);
  ValueId votes = to.add(std::move(step), {to.concat(predictions), to.concat(scores)});
  const bool two_classes = labels.count == 2;
  if (two_classes) votes = slice(to, votes, 1, 1);
  // Up to 1.0 the votes of two classes were held against 0 whatever they are made of.
  if (all_have(all, "decision_function") || to.version(from) < Version{1, 1}) threshold = 0;
  Methods methods;
  methods.add("decision_function", votes).flat = two_classes;
  to.add_classes(methods, two_classes ? to.above(votes, threshold) : to.arg_max(votes), {labels});
  return methods;
}

// The class whose code is nearest.
Methods lower_output_code(Lowering& to, const Estimator& from, ValueId in) {
  const Labels labels = classes_of(from);
  std::vector<ValueId> scores;
  for (const Methods& of : lower_all(to, from, "estimators_", in)) scores.push_back(binary_score(to, from, of).value);
  const Array<double> codes = matrix(from, "code_book_", labels.count, scores.size());
  const ValueId distances = pairwise(to, to.concat(scores), "squared_euclidean", codes);
  Methods methods;
  to.add_classes(methods, to.arg_max(to.map(distances, "negative")), {labels});
  return methods;
}

namespace {

// An array, or the list that the user gave.
std::vector<std::int64_t> order_of(const Estimator& from) {
  if (from.is_array("order_")) {
    const Array<std::int64_t> order = from.integers("order_", 1);
    return {order.begin(), order.end()};
  }
  std::vector<std::int64_t> order;
  for (const NodeId member : from.members("order_")) {
    const std::optional<std::int64_t> index = from.reader().find_integer(member);
    from.require(index.has_value(), "order_ has a member that is no index");
    order.push_back(*index);
  }
  return order;
}

// sklearn/multioutput.py: each estimator sees the input and what those before it predicted.
Methods lower_chain(Lowering& to, const Estimator& from, ValueId in, bool is_classifier) {
  if (from.has("chain_method_") && !from.is_text("chain_method_", "predict")) {
    from.refuse("its chain_method is not 'predict'");
  }
  const std::vector<NodeId> members = from.members("estimators_");
  const std::vector<std::int64_t> order = order_of(from);
  from.require(!members.empty() && order.size() == members.size(), "order_ and estimators_ disagree");
  // Which estimator is of which output.
  std::vector<std::uint32_t> inverse(order.size(), 0xffffffff);
  for (std::size_t i = 0; i < order.size(); ++i) {
    from.require(order[i] >= 0 && static_cast<std::size_t>(order[i]) < order.size() &&
                     inverse[static_cast<std::size_t>(order[i])] == 0xffffffff,
                 "order_ is no order");
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::uint32_t>(i);
  }
  std::vector<ValueId> seen{in}, predictions, probabilities, decisions;
  for (const NodeId member : members) {
    const Methods of = to.lower(member, to.concat(seen));
    need_method(from, of, "predict");
    predictions.push_back(predicted_number(to, from, *of.find("predict")));
    seen.push_back(predictions.back());
    if (const Method* p = of.find("predict_proba"); p && to.columns(p->value) == 2) {
      probabilities.push_back(slice(to, p->value, 1, 1));
    }
    if (const Method* d = of.find("decision_function"); d && to.columns(d->value) == 1) decisions.push_back(d->value);
  }
  const auto ordered = [&](const std::vector<ValueId>& parts) { return to.select(to.concat(parts), inverse); };
  Methods methods;
  methods.add("predict", ordered(predictions));
  if (is_classifier && probabilities.size() == members.size()) {
    const ValueId proba = ordered(probabilities);
    methods.add("predict_proba", proba);
    if (to.version(from) >= Version{1, 3}) methods.add("predict_log_proba", to.map(proba, "log"));
  }
  if (is_classifier && decisions.size() == members.size()) methods.add("decision_function", ordered(decisions));
  return methods;
}

}  // namespace

Methods lower_classifier_chain(Lowering& to, const Estimator& from, ValueId in) {
  return lower_chain(to, from, in, true);
}

Methods lower_regressor_chain(Lowering& to, const Estimator& from, ValueId in) {
  return lower_chain(to, from, in, false);
}

Methods lower_multi_output_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<Methods> all = lower_all(to, from, "estimators_", in);
  for (const Methods& of : all) need_method(from, of, "predict");
  Methods methods;
  methods.add("predict", side_by_side(to, all, "predict"));
  return methods;
}

// Classes of every output; probabilities of each by themselves.
Methods lower_multi_output_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<Methods> all = lower_all(to, from, "estimators_", in);
  std::vector<Labels> labels;
  for (const Methods& of : all) {
    need_method(from, of, "predict");
    from.require(of.find("predict")->labels.size() == 1, "an estimator in it is no classifier of one output");
    labels.push_back(of.find("predict")->labels[0]);
  }
  Methods methods;
  to.add_classes(methods, side_by_side(to, all, "predict"), std::move(labels));
  methods.all().back().flat = false;
  for (std::size_t i = 0; i < all.size() && all_have(all, "predict_proba"); ++i) {
    methods.add("predict_proba[" + std::to_string(i) + "]", all[i].find("predict_proba")->value);
  }
  return methods;
}

namespace {

// A calibrator of one column of scores: a sigmoid or an isotonic regression.
ValueId calibrated(Lowering& to, const Estimator& calibrator, ValueId score) {
  if (calibrator.class_name() == "sklearn.calibration._SigmoidCalibration") {
    const ValueId t =
        to.arithmetic(to.arithmetic(score, "multiply", calibrator.real("a_")), "add", calibrator.real("b_"));
    return to.map(to.map(t, "negative"), "expit");
  }
  return need_method(calibrator, to.lower(calibrator, score), "predict");
}

// One of the models of a CalibratedClassifierCV.
ValueId calibrated_probabilities(Lowering& to, const Estimator& from, ValueId in, std::uint64_t classes) {
  const Estimator model = from.child(from.has("estimator") ? "estimator" : "base_estimator");
  const Methods of = to.lower(model, in);
  const bool decides = of.find("decision_function") != nullptr;
  ValueId scores = need_method(from, of, decides ? "decision_function" : "predict_proba");
  if (classes == 2 && to.columns(scores) == 2) scores = slice(to, scores, 1, 1);
  if (classes != 2 && to.columns(scores) != classes) from.refuse("one of its estimators has not seen all classes");
  const std::vector<NodeId> calibrators = from.members(from.has("calibrators") ? "calibrators" : "calibrators_");
  if (from.is_text("method", "temperature")) {
    if (!decides) from.refuse("a temperature over probabilities");
    from.require(calibrators.size() == 1, "it has not one temperature");
    const ValueId logits = classes == 2 ? to.concat({to.map(scores, "negative"), scores}) : scores;
    return to.softmax(to.arithmetic(logits, "multiply", Estimator(from.reader(), calibrators[0]).real("beta_")));
  }
  from.require(calibrators.size() == to.columns(scores), "it has not a calibrator a column of scores");
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < calibrators.size(); ++i) {
    parts.push_back(calibrated(to, Estimator(from.reader(), calibrators[i]), slice(to, scores, i, 1)));
  }
  return classes == 2 ? to.with_complement(parts[0]) : to.normalize_rows(to.concat(parts), true);
}

}  // namespace

// sklearn/calibration.py: the mean over models, each with calibrators of its own.
Methods lower_calibrated_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Labels labels = classes_of(from);
  std::vector<ValueId> parts;
  for (const NodeId member : from.members("calibrated_classifiers_")) {
    parts.push_back(calibrated_probabilities(to, Estimator(from.reader(), member), in, labels.count));
  }
  from.require(!parts.empty(), "calibrated_classifiers_ is empty");
  const ValueId proba = to.arithmetic(combine(to, "add", parts), "divide", static_cast<double>(parts.size()));
  Methods methods;
  to.add_classes(methods, to.arg_max(proba), {labels});
  methods.add("predict_proba", proba);
  return methods;
}

Methods lower_search(Lowering& to, const Estimator& from, ValueId in) {
  if (from.find("best_estimator_") == kNoNode) from.refuse("it was not fitted again on all rows (refit=False)");
  return to.lower(from.need("best_estimator_"), in);
}

Methods lower_self_training(Lowering& to, const Estimator& from, ValueId in) {
  const Methods of = to.lower(from.need(from.has("estimator_") ? "estimator_" : "base_estimator_"), in);
  return only(of, {"predict", "predict_proba", "predict_log_proba", "decision_function"});
}

Methods lower_frozen_estimator(Lowering& to, const Estimator& from, ValueId in) {
  return to.lower(from.need("estimator"), in);
}

// sklearn/model_selection/_classification_threshold.py: the second class from a threshold on, that one included.
Methods lower_threshold_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const bool tuned = from.has("best_threshold_");
  const Methods of = to.lower(from.need(from.has("estimator_") ? "estimator_" : "estimator"), in);
  if (from.find("pos_label") != kNoNode) from.refuse("it says which class is the positive one");
  const Method* predict = of.find("predict");
  if (!predict || predict->labels.size() != 1) from.refuse("the estimator in it is no classifier");
  const Labels labels = predict->labels[0];
  from.require(labels.count == 2, "it has not two classes");
  const std::optional<std::vector<double>> numbers = numbers_of(labels);
  if (tuned && numbers && (*numbers)[0] == 1) from.refuse("its metric may take the first class for the positive one");
  const bool by_decision = from.is_text("response_method", "decision_function") || !of.find("predict_proba");
  const ValueId score =
      by_decision ? need_method(from, of, "decision_function") : slice(to, of.find("predict_proba")->value, 1, 1);
  double threshold = by_decision ? 0 : 0.5;
  if (tuned) threshold = from.real("best_threshold_");
  if (!tuned && !from.is_text("threshold", "auto")) threshold = from.real("threshold");
  Methods methods;
  to.add_classes(methods, to.above(score, threshold, true), {labels});
  for (const std::string_view name : {"predict_proba", "predict_log_proba", "decision_function"}) {
    if (const Method* method = of.find(name)) methods.all().push_back(*method);
  }
  return methods;
}

namespace {

// A transformer backwards.
ValueId inverse_transformed(Lowering& to, const Estimator& from, ValueId x) {
  const std::string& full = from.class_name();
  const std::string name = full.substr(full.rfind('.') + 1);
  const auto times_scale = [&] {
    return from.find("scale_") == kNoNode ? x : to.arithmetic(x, "multiply", vector(from, "scale_", to.columns(x)));
  };
  if (full.rfind("sklearn.preprocessing.", 0) != 0) from.refuse("its inverse is not known");
  if (name == "StandardScaler" || name == "RobustScaler") {
    const std::string_view center = name == "StandardScaler" ? "mean_" : "center_";
    const bool centers = from.boolean(name == "StandardScaler" ? "with_mean" : "with_centering");
    x = from.boolean(name == "StandardScaler" ? "with_std" : "with_scaling") ? times_scale() : x;
    return centers ? to.arithmetic(x, "add", vector(from, center, to.columns(x))) : x;
  }
  if (name == "MaxAbsScaler") return times_scale();
  if (name == "MinMaxScaler") {
    x = to.arithmetic(x, "subtract", vector(from, "min_", to.columns(x)));
    return to.arithmetic(x, "divide", vector(from, "scale_", to.columns(x)));
  }
  if (name == "FunctionTransformer") return lower_inverse_function(to, from, x);
  from.refuse("its inverse is not known");
}

}  // namespace

Methods lower_transformed_target(Lowering& to, const Estimator& from, ValueId in) {
  const Methods of = to.lower(from.need("regressor_"), in);
  const ValueId y = need_method(from, of, "predict");
  Methods methods;
  to.add_numbers(methods, inverse_transformed(to, from.child("transformer_"), y),
                 from.integer("_training_dim") == 1 && to.columns(y) == 1);
  return methods;
}

}  // namespace mere::lower
