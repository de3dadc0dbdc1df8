// Histogram gradient boosting. sklearn/ensemble/_hist_gradient_boosting: trees compare float64, and know categories.

#include <algorithm>
#include <numeric>

#include "lower/families.hpp"
#include "lower/families/boosted.hpp"
#include "lower/families/steps.hpp"
#include "lower/tree_packer.hpp"

namespace mere::lower {

namespace {

constexpr LossLink kLosses[] = {
    {"sklearn._loss.loss.AbsoluteError", Link::identity},
    {"sklearn._loss.loss.HalfBinomialLoss", Link::logit},
    {"sklearn._loss.loss.HalfGammaLoss", Link::log},
    {"sklearn._loss.loss.HalfMultinomialLoss", Link::softmax},
    {"sklearn._loss.loss.HalfPoissonLoss", Link::log},
    {"sklearn._loss.loss.HalfSquaredError", Link::identity},
    {"sklearn._loss.loss.PinballLoss", Link::identity},
    {"sklearn.ensemble._hist_gradient_boosting.loss.BinaryCrossEntropy", Link::logit},
    {"sklearn.ensemble._hist_gradient_boosting.loss.CategoricalCrossEntropy", Link::softmax},
    {"sklearn.ensemble._hist_gradient_boosting.loss.LeastAbsoluteDeviation", Link::identity},
    {"sklearn.ensemble._hist_gradient_boosting.loss.LeastSquares", Link::identity},
    {"sklearn.ensemble._hist_gradient_boosting.loss.Poisson", Link::log},
};

constexpr std::size_t kBitsetWords = 8;

// One field of every node, whatever integer the release has there.
template <class To>
std::vector<To> node_field(const Estimator& tree, const graph::ArrayState& nodes, const char* name) {
  const Field* field = nodes.dtype.find_field(name);
  if (!field) tree.fail(std::string("nodes have no field ") + name);
  std::vector<To> out(static_cast<std::size_t>(nodes.elements));
  const auto read = [&](auto zero) {
    const bool swap = field->type.byte_order() == ByteOrder::big;
    const Values<decltype(zero)> values(nodes.first + field->offset, nodes.shape, nodes.strides, swap);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<To>(values[i]);
  };
  const std::uint64_t size = field->type.itemsize();
  const TypeClass type = field->type.type_class();
  if (type == TypeClass::real && size == 8 && std::is_same_v<To, double>) {
    read(double{});
  } else if (type == TypeClass::boolean || (type == TypeClass::unsigned_integer && size == 1)) {
    read(std::uint8_t{});
  } else if (type == TypeClass::unsigned_integer && size == 4) {
    read(std::uint32_t{});
  } else if (type == TypeClass::integer && size == 4) {
    read(std::int32_t{});
  } else if (type == TypeClass::integer && size == 8) {
    read(std::int64_t{});
  } else {
    tree.fail(std::string("nodes have ") + name + " of type " + field->type.to_text());
  }
  return out;
}

// The categories that were seen, a row of words a column; of columns without categories, none.
std::vector<std::uint32_t> known_categories(const Estimator& from, std::uint64_t columns) {
  const Estimator mapper = from.child("_bin_mapper");
  const Array<std::int64_t> categorical = mapper.integers("is_categorical_", 1);
  const std::vector<NodeId> thresholds = mapper.members("bin_thresholds_");
  mapper.require(categorical.size() == columns && thresholds.size() == columns,
                 "is_categorical_ and bin_thresholds_ are not for " + std::to_string(columns) + " columns");
  std::vector<std::uint32_t> words(static_cast<std::size_t>(columns) * kBitsetWords, 0);
  for (std::size_t f = 0; f < columns; ++f) {
    if (categorical[f] == 0) continue;
    for (const double category : mapper.reals_of(thresholds[f], "bin_thresholds_", 1)) {
      if (!(category >= 0 && category < 2147483648.0)) mapper.fail("a category is " + std::to_string(category));
      const auto bit = static_cast<std::uint32_t>(category) & 0xff;
      words[f * kBitsetWords + bit / 32] |= std::uint32_t{1} << bit % 32;
    }
  }
  return words;
}

void add_tree(TreePacker& packer, const Estimator& tree, std::span<const std::uint32_t> known) {
  const NodeId id = tree.need("nodes");
  tree.require(tree.is_array("nodes") && !tree.reader().is_object_array(id), "nodes are no array");
  const graph::ArrayState nodes = tree.reader().array(id);
  tree.require(nodes.shape.size() == 1 && nodes.elements >= 1 && nodes.dtype.type_class() == TypeClass::record,
               "nodes have shape " + nodes.shape.to_text() + " of " + nodes.dtype.to_text());
  const auto is_leaf = node_field<std::uint8_t>(tree, nodes, "is_leaf");
  const auto feature = node_field<std::int64_t>(tree, nodes, "feature_idx");
  const auto threshold = node_field<double>(tree, nodes, "num_threshold");
  const auto value = node_field<double>(tree, nodes, "value");
  const auto missing_left = node_field<std::uint8_t>(tree, nodes, "missing_go_to_left");
  const auto bitset = node_field<std::int64_t>(tree, nodes, "bitset_idx");
  auto left = node_field<std::int64_t>(tree, nodes, "left"), right = node_field<std::int64_t>(tree, nodes, "right");
  auto categorical = node_field<std::uint8_t>(tree, nodes, "is_categorical");
  for (std::size_t i = 0; i < is_leaf.size(); ++i) {
    if (is_leaf[i] == 0) continue;
    left[i] = right[i] = -1;
    categorical[i] = 0;
  }

  // A set of each node that asks for categories: those that go left, then those known of its column.
  std::vector<std::uint32_t> sets, set_of(is_leaf.size(), 0);
  if (std::any_of(categorical.begin(), categorical.end(), [](std::uint8_t flag) { return flag != 0; })) {
    const Array<std::int64_t> words = tree.integers("raw_left_cat_bitsets", 2);
    tree.require(words.shape()[1] == static_cast<std::int64_t>(kBitsetWords),
                 "raw_left_cat_bitsets has shape " + words.shape().to_text());
    for (std::size_t i = 0; i < is_leaf.size(); ++i) {
      if (categorical[i] == 0) continue;
      const auto row = static_cast<std::uint64_t>(bitset[i]), column = static_cast<std::uint64_t>(feature[i]);
      tree.require(row < static_cast<std::uint64_t>(words.shape()[0]) && column < known.size() / kBitsetWords,
                   "node " + std::to_string(i) + " asks set " + std::to_string(bitset[i]) + " of column " +
                       std::to_string(feature[i]));
      set_of[i] = static_cast<std::uint32_t>(sets.size() / program::kCategoryWords);
      for (std::size_t k = 0; k < kBitsetWords; ++k) {
        sets.push_back(static_cast<std::uint32_t>(words[static_cast<std::size_t>(row) * kBitsetWords + k]));
      }
      const auto of_column = known.subspan(static_cast<std::size_t>(column) * kBitsetWords, kBitsetWords);
      sets.insert(sets.end(), of_column.begin(), of_column.end());
    }
  }
  TreeColumns columns;
  columns.left = left;
  columns.right = right;
  columns.feature = feature;
  columns.threshold = threshold;
  columns.missing_left = missing_left;
  if (!sets.empty()) {
    columns.categorical = categorical;
    columns.category_set = set_of;
    columns.category_sets = sets;
  }
  columns.values = value;
  packer.add(columns);
}

// Up to 1.1 a negative category is not missing, but whatever its low byte is.
ValueId bytes_of_categories(Lowering& to, const Estimator& from, ValueId in) {
  const Array<std::int64_t> categorical = from.child("_bin_mapper").integers("is_categorical_", 1);
  from.require(categorical.size() == to.columns(in), "is_categorical_ is not for its columns");
  std::vector<std::uint32_t> chosen, order;
  for (std::uint32_t c = 0; c < categorical.size(); ++c) {
    if (categorical[c] != 0) chosen.push_back(c);
  }
  if (chosen.empty()) return in;
  auto next = static_cast<std::uint32_t>(categorical.size());
  for (std::uint32_t c = 0; c < categorical.size(); ++c) order.push_back(categorical[c] != 0 ? next++ : c);
  return to.select(to.concat({in, to.map(to.select(in, chosen), "low_byte_if_negative")}), std::move(order));
}

// From 1.4 on an encoder goes before: columns with categories become the numbers of their categories and come first.
ValueId preprocessed(Lowering& to, const Estimator& from, ValueId in) {
  const NodeId id = from.find("_preprocessor");
  if (id == kNoNode) return to.version(from) < Version{1, 2} ? bytes_of_categories(to, from, in) : in;
  const Estimator preprocessor(from.reader(), id);
  const Array<std::int64_t> categorical = from.integers("is_categorical_", 1);
  from.require(categorical.size() == to.columns(in), "is_categorical_ has " + std::to_string(categorical.size()) +
                                                         " members for " + std::to_string(to.columns(in)) + " columns");
  std::vector<std::uint32_t> encoded, numbers;
  for (std::uint32_t c = 0; c < categorical.size(); ++c) (categorical[c] != 0 ? encoded : numbers).push_back(c);
  std::vector<ValueId> parts;
  for (const NodeId member : preprocessor.members("transformers_")) {
    const std::vector<NodeId> parts_of = preprocessor.members_of(member, "transformers_");
    const bool named = parts_of.size() == 3 && from.reader().kind(parts_of[0]) == Kind::text;
    preprocessor.require(named, "a transformer is not named");
    const std::string_view name = from.reader().text(parts_of[0]);
    if (name == "remainder") continue;
    if (name == "encoder" && !encoded.empty() && parts.empty()) {
      const Methods methods = to.lower(parts_of[1], to.select(in, encoded));
      parts.push_back(need_method(preprocessor, methods, "transform"));
    } else if (name == "numerical" && parts.size() == 1) {
      if (!numbers.empty()) parts.push_back(to.select(in, numbers));
    } else {
      preprocessor.fail("transformer " + std::string(name) + " is not where it belongs");
    }
  }
  preprocessor.require(!parts.empty(), "it has no encoder");
  return to.concat(parts);
}

Boosted lower_hist_boosting(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId x = preprocessed(to, from, in);
  from.require(to.columns(x) == to.columns(in), "its encoder makes " + std::to_string(to.columns(x)) + " columns");
  const std::int64_t classes = from.integer("n_trees_per_iteration_");
  const std::vector<NodeId> stages = from.members("_predictors");
  from.require(classes >= 1 && !stages.empty(), "it has no trees");

  const NodeId baseline = from.need("_baseline_prediction");
  std::vector<double> base;
  if (from.is_array("_baseline_prediction")) {
    if (from.is_single("_baseline_prediction")) from.refuse("it sums in float32");
    const Array<double> numbers =
        from.reals_of(baseline, "_baseline_prediction", from.reader().array(baseline).shape.size());
    base.assign(numbers.begin(), numbers.end());
  } else {
    base.push_back(from.real("_baseline_prediction"));
  }
  from.require(base.size() == static_cast<std::uint64_t>(classes), "_baseline_prediction has " +
                                                                       std::to_string(base.size()) + " numbers for " +
                                                                       std::to_string(classes) + " trees a stage");

  TreePackerOptions options;
  options.what = from.path();
  options.columns = to.columns(x);
  options.outputs = static_cast<std::uint64_t>(classes);
  options.leaf_width = 1;
  options.compare_double = true;
  options.base = base;
  TreePacker packer(options);
  const std::vector<std::uint32_t> known = known_categories(from, to.columns(x));
  for (const NodeId stage : stages) {
    const std::vector<NodeId> trees = from.members_of(stage, "_predictors");
    from.require(trees.size() == static_cast<std::uint64_t>(classes),
                 "a stage has " + std::to_string(trees.size()) + " trees, expected " + std::to_string(classes));
    for (const NodeId tree : trees) add_tree(packer, Estimator(from.reader(), tree), known);
  }
  const Boosted made = add_boosted(to, packer.finish(), static_cast<std::size_t>(classes), base, std::nullopt, x);
  to.add_part(from, x, {{"raw", made.raw}});
  return made;
}

}  // namespace

Methods lower_hist_boosting_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Link link = link_of(from, true, kLosses);
  const Boosted model = lower_hist_boosting(to, from, in);
  from.require(model.classes == 1 || link == Link::softmax, "its loss is for two classes");
  return boosted_classifier(to, from, model, link,
                            to.version(from) < Version{1, 5} ? ClassRule::probability : ClassRule::raw);
}

Methods lower_hist_boosting_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Link link = link_of(from, false, kLosses);
  const Boosted model = lower_hist_boosting(to, from, in);
  from.require(model.classes == 1, "it has " + std::to_string(model.classes) + " trees a stage");
  return boosted_regressor(to, model, link);
}

}  // namespace mere::lower
