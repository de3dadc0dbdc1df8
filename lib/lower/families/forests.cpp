// Random forests and extra trees. sklearn/ensemble/_forest.py.

#include <algorithm>
#include <memory>

#include "lower/families.hpp"
#include "lower/sklearn_tree.hpp"
#include "program/operators/tables.hpp"

namespace mere::lower {

namespace {

// The trees of estimators_, each held against the forest's outputs.
std::vector<Estimator> members(const Estimator& from, bool (*is_member)(const Estimator&)) {
  std::vector<Estimator> trees;
  for (const NodeId member : from.members("estimators_")) {
    trees.emplace_back(from.reader(), member);
    if (!is_member(trees.back())) trees.back().refuse("a member of a forest is of a class that is no tree");
  }
  from.require(!trees.empty(), "estimators_ is empty");
  return trees;
}

// Up to 1.3 the forest itself refused NaN, whatever its trees did.
bool forest_accepts_nan(const Estimator& first, Version version) {
  return version >= Version{1, 4} && tree_accepts_nan(first, version);
}

TreePackerOptions options_for(const Lowering& to, const Estimator& from, ValueId in, std::size_t outputs,
                              const std::vector<Estimator>& trees, std::size_t nodes_of_first) {
  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(in);
  options.outputs = outputs;
  options.mean = true;
  options.node_ids = true;
  options.expected_nodes = nodes_of_first * trees.size();
  return options;
}

void require_tree(const Lowering& to, const Estimator& from, ValueId in, const SklearnTree& tree, std::size_t number,
                  const std::vector<std::size_t>& classes) {
  const auto fail = [&](const std::string& what) { from.fail("tree " + std::to_string(number) + ": " + what); };
  if (tree.features() != to.columns(in)) {
    fail("has " + std::to_string(tree.features()) + " features for " + std::to_string(to.columns(in)) + " columns");
  }
  if (tree.classes() != classes) fail("outputs or classes disagree with those of the forest");
}

ValueId add_leaves(Lowering& to, Methods& methods, const TreePacker& packer, ValueId x) {
  const ValueId leaves = to.add(packer.finish_leaves(), x);
  methods.add("apply", leaves).integer = true;
  return leaves;
}

// n_classes_: a number, or a list of them.
void require_class_counts(const Estimator& from, const std::vector<Labels>& tables) {
  const NodeId id = from.need("n_classes_");
  const Kind kind = from.reader().kind(id);
  std::vector<std::int64_t> counts;
  if (kind == Kind::list || kind == Kind::tuple) {
    for (const NodeId member : from.members("n_classes_")) {
      const std::optional<std::int64_t> count = from.reader().find_integer(member);
      from.require(count.has_value(), "n_classes_ has a member that is no number");
      counts.push_back(*count);
    }
  } else if (from.is_array("n_classes_")) {
    const Array<std::int64_t> array = from.integers("n_classes_", 1);
    counts.assign(array.begin(), array.end());
  } else {
    counts.push_back(from.integer("n_classes_"));
  }
  bool same = counts.size() == tables.size();
  for (std::size_t k = 0; same && k < counts.size(); ++k)
    same = counts[k] == static_cast<std::int64_t>(tables[k].count);
  from.require(same, "n_classes_ and classes_ disagree");
}

}  // namespace

Methods lower_forest_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Version version = to.version(from);
  const std::size_t outputs = output_count(from);
  std::vector<Labels> tables = class_tables(from, outputs);
  require_class_counts(from, tables);
  std::vector<std::size_t> classes;
  std::vector<std::int64_t> groups;
  std::size_t all_classes = 0;
  for (const Labels& table : tables) {
    classes.push_back(static_cast<std::size_t>(table.count));
    groups.push_back(static_cast<std::int64_t>(table.count));
    all_classes += classes.back();
  }
  const std::vector<Estimator> trees = members(from, is_tree_classifier);
  const bool nan = forest_accepts_nan(trees[0], version);
  const bool divide = version < Version{1, 4};
  const ValueId x = to.check(in, {.nan = nan, .single_range = true});
  TreePacker packer(options_for(to, from, in, all_classes, trees, SklearnTree(trees[0]).node_count()));
  packer.add_all(trees.size(), to.threads(), [&](std::size_t i) {
    const auto tree = std::make_shared<const SklearnTree>(trees[i]);
    require_tree(to, from, in, *tree, i, classes);
    TreeColumns columns = tree->columns(nan);
    columns.leaf_row = [tree = tree.get(), divide](std::size_t node, std::span<double> row) {
      tree->set_probabilities(node, divide, row);
    };
    columns.held = tree;
    return columns;
  });
  const ValueId proba = to.add(packer.finish(), x);
  Methods methods;
  to.add_classes(methods, to.arg_max(proba, groups), tables_of_one_type(from, std::move(tables)));
  add_output_probabilities(to, methods, proba, classes);
  to.add_part(from, x, {{"predict_proba", proba}, {"apply", add_leaves(to, methods, packer, x)}});
  return methods;
}

Methods lower_forest_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Version version = to.version(from);
  const std::size_t outputs = output_count(from);
  const std::vector<Estimator> trees = members(from, is_tree_regressor);
  const bool nan = forest_accepts_nan(trees[0], version);
  const ValueId x = to.check(in, {.nan = nan, .single_range = true});
  TreePacker packer(options_for(to, from, in, outputs, trees, SklearnTree(trees[0]).node_count()));
  const std::vector<std::size_t> one_each(outputs, 1);
  packer.add_all(trees.size(), to.threads(), [&](std::size_t i) {
    const auto tree = std::make_shared<const SklearnTree>(trees[i]);
    require_tree(to, from, in, *tree, i, one_each);
    TreeColumns columns = tree->columns(nan);
    columns.values = tree->all_values();
    columns.held = tree;
    return columns;
  });
  Methods methods;
  const ValueId mean = to.add(packer.finish(), x);
  to.add_numbers(methods, mean, outputs == 1);
  to.add_part(from, x, {{"predict", mean}, {"apply", add_leaves(to, methods, packer, x)}});
  return methods;
}

// A column a leaf of the forest, in the order of trees and of the leaves' numbers: 1 where the row ends there.
Methods lower_random_trees_embedding(Lowering& to, const Estimator& from, ValueId in) {
  const Version version = to.version(from);
  const std::vector<Estimator> trees = members(from, is_tree_regressor);
  const Estimator encoder = from.child("one_hot_encoder_");
  from.require(encoder.class_name() == "sklearn.preprocessing._encoders.OneHotEncoder",
               "one_hot_encoder_ is of class " + encoder.class_name());
  if (encoder.find("drop_idx_") != kNoNode) encoder.refuse("it drops leaves");
  const std::vector<NodeId> categories = encoder.members("categories_");
  from.require(categories.size() == trees.size(), "one_hot_encoder_ and estimators_ disagree");
  std::vector<Array<std::int64_t>> leaves;
  for (const NodeId id : categories) {
    leaves.push_back(encoder.integers_of(id, "categories_", 1));
  }
  const bool nan = forest_accepts_nan(trees[0], version);
  const ValueId x = to.check(in, {.nan = nan, .single_range = true});
  TreePackerOptions options = options_for(to, from, in, trees.size(), trees, SklearnTree(trees[0]).node_count());
  options.mean = false;
  options.leaf_width = 1;
  TreePacker packer(options);
  std::vector<std::int64_t> widths;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const SklearnTree tree(trees[i]);
    require_tree(to, from, in, tree, i, {1});
    TreeColumns columns = tree.columns(nan);
    columns.leaf_row = [&](std::size_t node, std::span<double> row) {
      const auto found = std::lower_bound(leaves[i].begin(), leaves[i].end(), static_cast<std::int64_t>(node));
      if (found == leaves[i].end() || static_cast<std::size_t>(*found) != node) {
        from.fail("one_hot_encoder_ does not know leaf " + std::to_string(node) + " of tree " + std::to_string(i));
      }
      row[0] = static_cast<double>(found - leaves[i].begin());
    };
    packer.add(columns);
    widths.push_back(static_cast<std::int64_t>(leaves[i].size()));
  }
  auto one_hot = std::make_unique<program::OneHot>();
  one_hot->widths = Array<std::int64_t>(std::move(widths));
  const ValueId ranks = to.add(packer.finish(), x);
  Methods methods;
  methods.add("transform", to.add(std::move(one_hot), ranks));
  to.add_part(from, x, {{"apply", add_leaves(to, methods, packer, x)}});
  return methods;
}

}  // namespace mere::lower
