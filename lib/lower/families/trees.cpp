// Decision trees, alone. sklearn/tree/_classes.py.

#include "lower/families.hpp"
#include "lower/sklearn_tree.hpp"

namespace mere::lower {

namespace {

TreePackerOptions options_for(const Lowering& to, const Estimator& from, ValueId in, std::size_t outputs,
                              const SklearnTree& tree) {
  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(in);
  options.outputs = outputs;
  options.expected_nodes = tree.node_count();
  return options;
}

void require_columns(const Lowering& to, const Estimator& from, ValueId in, const SklearnTree& tree) {
  from.require(tree.features() == to.columns(in), "tree_ has " + std::to_string(tree.features()) + " features for " +
                                                      std::to_string(to.columns(in)) + " columns");
}

void add_leaves(Lowering& to, Methods& methods, const TreePacker& packer, ValueId x) {
  Method& apply = methods.add("apply", to.add(packer.finish_leaves(), x));
  apply.flat = true;
  apply.integer = true;
}

}  // namespace

// predict takes the largest of the values as they are stored: of fractions of them, rounding can make two equal.
Methods lower_tree_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Version version = to.version(from);
  const SklearnTree tree(from);
  require_columns(to, from, in, tree);
  const std::size_t outputs = output_count(from);
  from.require(tree.outputs() == outputs, "tree_ and n_outputs_ disagree");
  std::vector<Labels> tables = class_tables(from, outputs);
  for (std::size_t k = 0; k < outputs; ++k) {
    from.require(tables[k].count == tree.classes()[k], "tree_ and classes_ disagree");
  }
  const bool nan = tree_accepts_nan(from, version);
  const ValueId x = to.check(in, {.nan = nan, .single_range = true});

  TreePackerOptions options = options_for(to, from, in, outputs, tree);
  options.node_ids = true;
  TreePacker classes(options);
  TreeColumns columns = tree.columns(nan);
  columns.leaf_row = [&](std::size_t node, std::span<double> row) { tree.set_class_indices(node, row); };
  classes.add(columns);
  Methods methods;
  to.add_classes(methods, to.add(classes.finish(), x), tables_of_one_type(from, std::move(tables)));

  TreePacker probabilities(options_for(to, from, in, tree.all_classes(), tree));
  const bool divide = version < Version{1, 4};
  columns.leaf_row = [&](std::size_t node, std::span<double> row) { tree.set_probabilities(node, divide, row); };
  probabilities.add(columns);
  add_output_probabilities(to, methods, to.add(probabilities.finish(), x), tree.classes());
  add_leaves(to, methods, classes, x);
  return methods;
}

Methods lower_tree_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Version version = to.version(from);
  const SklearnTree tree(from);
  require_columns(to, from, in, tree);
  const std::size_t outputs = output_count(from);
  from.require(tree.outputs() == outputs && tree.all_classes() == outputs, "tree_ and n_outputs_ disagree");
  const bool nan = tree_accepts_nan(from, version);
  const ValueId x = to.check(in, {.nan = nan, .single_range = true});
  TreePackerOptions options = options_for(to, from, in, outputs, tree);
  options.node_ids = true;
  TreePacker packer(options);
  TreeColumns columns = tree.columns(nan);
  columns.values = tree.all_values();
  packer.add(columns);
  Methods methods;
  to.add_numbers(methods, to.add(packer.finish(), x), outputs == 1);
  add_leaves(to, methods, packer, x);
  return methods;
}

}  // namespace mere::lower
