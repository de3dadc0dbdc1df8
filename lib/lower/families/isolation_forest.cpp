// Isolation forests. sklearn/ensemble/_iforest.py.

#include <cmath>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "lower/sklearn_tree.hpp"

namespace mere::lower {

namespace {

constexpr double kEulerGamma = 0.57721566490153286;

// Of searches that fail in a binary tree of so many rows.
double average_path_length(double rows) {
  if (rows <= 1) return 0;
  if (rows == 2) return 1;
  return 2.0 * (std::log(rows - 1.0) + kEulerGamma) - 2.0 * (rows - 1.0) / rows;
}

// Depths of nodes and what their rows add, as 1.3 and later keep them; else made again from the tree.
struct Depths {
  std::vector<double> path, rest;
};

std::vector<double> stored(const Estimator& from, std::string_view attribute, std::size_t tree, std::size_t nodes) {
  const std::vector<NodeId> members = from.members(attribute);
  from.require(tree < members.size(), std::string(attribute) + " and estimators_ disagree");
  const Array<double> numbers = from.reals_of(members[tree], attribute, 1);
  from.require(numbers.size() == nodes, std::string(attribute) + " has " + std::to_string(numbers.size()) +
                                            " numbers for " + std::to_string(nodes) + " nodes");
  return {numbers.begin(), numbers.end()};
}

Depths depths_of(const Estimator& from, const SklearnTree& tree, std::size_t number, Version version) {
  Depths depths;
  if (version >= Version{1, 3}) {
    depths.path = stored(from, "_decision_path_lengths", number, tree.node_count());
    depths.rest = stored(from, "_average_path_length_per_tree", number, tree.node_count());
    return depths;
  }
  for (const std::int64_t length : tree.path_lengths()) depths.path.push_back(static_cast<double>(length));
  for (std::size_t i = 0; i < tree.node_count(); ++i) {
    depths.rest.push_back(average_path_length(static_cast<double>(tree.samples()[i])));
  }
  return depths;
}

}  // namespace

// 2 to the power of minus the mean depth over that of a whole tree. Where max_samples_ is 1 that is 0: from 1.0 on the
// quotient then counts as 1.
Methods lower_isolation_forest(Lowering& to, const Estimator& from, ValueId in) {
  const Version version = to.version(from);
  const std::vector<NodeId> members = from.members("estimators_");
  const std::vector<NodeId> features = from.members("estimators_features_");
  from.require(!members.empty() && features.size() == members.size(), "estimators_ and estimators_features_ have " +
                                                                          std::to_string(members.size()) + " and " +
                                                                          std::to_string(features.size()) + " members");
  const std::uint64_t columns = to.columns(in);
  const bool all_features = from.integer("_max_features") == static_cast<std::int64_t>(columns);
  const bool any_number = version >= Version{1, 6};
  const ValueId x = to.check(in, {.nan = any_number, .infinity = any_number, .single_range = true});
  TreePackerOptions options;
  options.what = from.path();
  options.columns = columns;
  options.outputs = 1;
  TreePacker packer(options);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Estimator member(from.reader(), members[i]);
    if (!is_tree_regressor(member)) member.refuse("a member of an isolation forest is of a class that is no tree");
    const SklearnTree tree(member);
    member.require(tree.all_classes() == 1, "its tree has several outputs");
    TreeColumns of_tree = tree.columns(any_number);
    std::vector<std::int64_t> mapped;
    if (!all_features) {
      mapped = map_features(from, tree, from.integers_of(features[i], "estimators_features_", 1), columns);
      of_tree.feature = mapped;
    } else {
      from.require(tree.features() == columns, "a tree has " + std::to_string(tree.features()) + " features");
    }
    const Depths depths = depths_of(from, tree, i, version);
    of_tree.leaf_row = [&](std::size_t node, std::span<double> row) {
      row[0] = depths.path[node] + depths.rest[node] - 1.0;
    };
    packer.add(of_tree);
  }
  const double samples = from.real(from.has("_max_samples") ? "_max_samples" : "max_samples_");
  const double whole = static_cast<double>(members.size()) * average_path_length(samples);
  const ValueId depth = to.add(packer.finish(), x);
  to.add_part(from, x, {{"depths", depth}});
  const bool counts_as_one = whole == 0 && version >= Version{1, 0};
  const ValueId quotient = counts_as_one ? constant(to, depth, reals({1.0})) : to.arithmetic(depth, "divide", whole);
  const ValueId scores = to.map(to.map(to.map(quotient, "negative"), "exp2"), "negative");
  const ValueId decisions = to.arithmetic(scores, "subtract", from.real("offset_"));
  Methods methods;
  // NaN, as 0.24 has it where max_samples_ is 1, is not below 0.
  to.add_classes(methods, to.above(to.map(decisions, "negative"), 0), {integer_labels({1, -1})});
  methods.add("decision_function", decisions).flat = true;
  methods.add("score_samples", scores).flat = true;
  return methods;
}

}  // namespace mere::lower
