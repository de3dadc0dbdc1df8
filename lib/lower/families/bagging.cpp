// Bagging: the mean of members that see some of the columns each. sklearn/ensemble/_bagging.py.

#include <algorithm>

#include "lower/families.hpp"
#include "lower/families/members.hpp"
#include "lower/sklearn_tree.hpp"

namespace mere::lower {

namespace {

struct Bag {
  std::vector<Estimator> members;
  std::vector<Array<std::int64_t>> features;  // of each member
};

Bag read_bag(const Lowering& to, const Estimator& from, ValueId in) {
  Bag bag;
  bag.members = members_of_ensemble(from);
  for (const NodeId id : from.members("estimators_features_")) {
    bag.features.push_back(from.integers_of(id, "estimators_features_", 1));
    for (const std::int64_t column : bag.features.back()) {
      from.require(
          column >= 0 && static_cast<std::uint64_t>(column) < to.columns(in),
          "estimators_features_ names column " + std::to_string(column) + " of " + std::to_string(to.columns(in)));
    }
  }
  from.require(bag.features.size() == bag.members.size() &&
                   from.integer("n_estimators") == static_cast<std::int64_t>(bag.members.size()),
               "estimators_, estimators_features_ and n_estimators disagree");
  return bag;
}

// The columns that any member sees: of the others nothing is asked, whatever they hold.
std::vector<std::int64_t> seen_columns(const Bag& bag) {
  std::vector<std::int64_t> seen;
  for (const auto& features : bag.features) seen.insert(seen.end(), features.begin(), features.end());
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  return seen;
}

ValueId select(Lowering& to, ValueId in, std::span<const std::int64_t> columns) {
  bool all = columns.size() == to.columns(in);
  for (std::size_t i = 0; all && i < columns.size(); ++i) all = columns[i] == static_cast<std::int64_t>(i);
  return all ? in : to.select(in, std::vector<std::uint32_t>(columns.begin(), columns.end()));
}

// All trees as one step. `set_leaf` writes a leaf of tree i as `outputs` numbers.
ValueId mean_of_trees(Lowering& to, const Estimator& from, const Bag& bag, ValueId in, std::uint64_t outputs,
                      const std::function<void(std::size_t, const SklearnTree&, std::size_t, std::span<double>)>& set) {
  const std::vector<std::int64_t> seen = seen_columns(bag);
  const bool nan = tree_accepts_nan(bag.members[0], to.version(from));
  const ValueId x = to.check(select(to, in, seen), {.nan = nan, .single_range = true});
  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(x);
  options.outputs = outputs;
  options.mean = true;
  TreePacker packer(options);
  for (std::size_t i = 0; i < bag.members.size(); ++i) {
    const SklearnTree tree(bag.members[i]);
    std::vector<std::int64_t> places;
    for (const std::int64_t column : bag.features[i]) {
      places.push_back(std::lower_bound(seen.begin(), seen.end(), column) - seen.begin());
    }
    const std::vector<std::int64_t> mapped =
        map_features(from, tree, Array<std::int64_t>(std::move(places)), to.columns(x));
    TreeColumns columns = tree.columns(nan);
    columns.feature = mapped;
    columns.leaf_row = [&](std::size_t node, std::span<double> row) { set(i, tree, node, row); };
    packer.add(columns);
  }
  return to.add(packer.finish(), x);
}

ValueId mean_of(Lowering& to, const std::vector<ValueId>& parts) {
  return to.arithmetic(combine(to, "add", parts), "divide", static_cast<double>(parts.size()));
}

}  // namespace

// Members were fitted on indices of classes, and may know only some of them.
Methods lower_bagging_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Bag bag = read_bag(to, from, in);
  const Labels labels = classes_of(from);
  from.require(from.integer("n_classes_") == static_cast<std::int64_t>(labels.count),
               "n_classes_ and classes_ disagree");
  const bool divide = to.version(from) < Version{1, 4};
  const bool trees = std::all_of(bag.members.begin(), bag.members.end(), is_tree_classifier);
  ValueId proba = 0;
  std::vector<ValueId> decisions;
  if (trees) {
    std::vector<std::vector<std::size_t>> classes;
    for (const Estimator& member : bag.members) {
      classes.push_back(encoded_classes(member, classes_of(member), labels.count));
    }
    std::vector<double> own;
    proba = mean_of_trees(to, from, bag, in, labels.count,
                          [&](std::size_t i, const SklearnTree& tree, std::size_t node, std::span<double> row) {
                            from.require(tree.outputs() == 1 && tree.all_classes() == classes[i].size(),
                                         "a member's tree has other classes than itself");
                            own.resize(classes[i].size());
                            tree.set_probabilities(node, divide, own);
                            std::fill(row.begin(), row.end(), 0.0);
                            for (std::size_t k = 0; k < own.size(); ++k) row[classes[i][k]] = own[k];
                          });
  } else {
    std::vector<ValueId> parts;
    for (std::size_t i = 0; i < bag.members.size(); ++i) {
      const Estimator& member = bag.members[i];
      const Methods methods = to.lower(member, select(to, in, bag.features[i]));
      const Prediction prediction = one_prediction(member, methods);
      if (!prediction.labels) member.refuse("a member predicts no classes");
      const std::vector<std::size_t> classes = encoded_classes(member, *prediction.labels, labels.count);
      if (const Method* own = methods.find("predict_proba")) {
        member.require(to.columns(own->value) == classes.size(), "it gives other probabilities than it has classes");
        parts.push_back(spread(to, own->value, classes, labels.count));
      } else {
        parts.push_back(votes_of(to, {prediction.value}, {classes}, {Vote{}}, labels.count));
      }
      if (const Method* decision = methods.find("decision_function")) decisions.push_back(decision->value);
    }
    proba = mean_of(to, parts);
  }
  Methods methods;
  to.add_probabilities(methods, proba, labels);
  const bool all_decide = decisions.size() == bag.members.size() &&
                          std::all_of(decisions.begin(), decisions.end(),
                                      [&](ValueId value) { return to.columns(value) == to.columns(decisions[0]); });
  if (all_decide) methods.add("decision_function", mean_of(to, decisions)).flat = to.columns(decisions[0]) == 1;
  return methods;
}

Methods lower_bagging_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Bag bag = read_bag(to, from, in);
  Methods methods;
  if (std::all_of(bag.members.begin(), bag.members.end(), is_tree_regressor)) {
    const std::size_t outputs = SklearnTree(bag.members[0]).outputs();
    const ValueId mean = mean_of_trees(
        to, from, bag, in, outputs, [&](std::size_t, const SklearnTree& tree, std::size_t node, std::span<double> row) {
          from.require(tree.outputs() == outputs && tree.all_classes() == outputs,
                       "members disagree about their outputs");
          std::copy_n(tree.all_values().data() + node * outputs, outputs, row.data());
        });
    to.add_numbers(methods, mean, outputs == 1);
    return methods;
  }
  std::vector<ValueId> parts;
  bool flat = false;
  for (std::size_t i = 0; i < bag.members.size(); ++i) {
    const Methods own = to.lower(bag.members[i], select(to, in, bag.features[i]));
    const ValueId value = need_method(bag.members[i], own, "predict");
    if (!own.find("predict")->labels.empty()) bag.members[i].refuse("a member predicts classes");
    flat = own.find("predict")->flat;
    from.require(parts.empty() || to.columns(parts[0]) == to.columns(value), "members disagree about their outputs");
    parts.push_back(value);
  }
  to.add_numbers(methods, mean_of(to, parts), flat);
  return methods;
}

}  // namespace mere::lower
