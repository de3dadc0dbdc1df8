// Feature selection, and the choice of columns for several transformers.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "lower/sklearn_tree.hpp"

namespace mere::lower {

namespace {

Methods selected(Lowering& to, const Estimator& from, ValueId in, const std::vector<bool>& mask) {
  from.require(mask.size() == to.columns(in), "its choice is of " + std::to_string(mask.size()) + " columns, not of " +
                                                  std::to_string(to.columns(in)));
  std::vector<std::uint32_t> columns;
  for (std::size_t c = 0; c < mask.size(); ++c) {
    if (mask[c]) columns.push_back(static_cast<std::uint32_t>(c));
  }
  if (columns.empty()) from.refuse("it selects no columns");
  Methods methods;
  methods.add("transform", to.select(in, std::move(columns)));
  return methods;
}

// NaN counts as the least of all numbers.
std::vector<double> clean_scores(const Estimator& from, std::uint64_t columns) {
  std::vector<double> scores;
  for (const double s : vector(from, "scores_", columns)) {
    scores.push_back(std::isnan(s) ? std::numeric_limits<double>::lowest() : s);
  }
  return scores;
}

// The k largest, of equal ones the later: numpy.argsort(kind="mergesort")[-k:].
std::vector<bool> largest(const std::vector<double>& scores, std::size_t k) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::vector<bool> mask(scores.size(), false);
  for (std::size_t i = scores.size() - std::min(k, scores.size()); i < scores.size(); ++i) mask[order[i]] = true;
  return mask;
}

// numpy.percentile with straight lines between ranks.
double percentile(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const double rank = percent / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const double share = rank - static_cast<double>(below);
  if (below + 1 >= values.size()) return values.back();
  const double difference = values[below + 1] - values[below];
  return share < 0.5 ? values[below] + difference * share : values[below + 1] - difference * (1 - share);
}

std::vector<bool> best_k(const Estimator& from, const NodeId k, std::uint64_t columns) {
  if (from.reader().kind(k) == Kind::text && from.reader().text(k) == "all") {
    return std::vector<bool>(static_cast<std::size_t>(columns), true);
  }
  const std::optional<std::int64_t> count = from.reader().find_integer(k);
  from.require(count && *count >= 0, "k is no count");
  return largest(clean_scores(from, columns), static_cast<std::size_t>(*count));
}

std::vector<bool> best_percentile(const Estimator& from, double percent, std::uint64_t columns) {
  const std::vector<double> scores = clean_scores(from, columns);
  if (percent == 100) return std::vector<bool>(scores.size(), true);
  std::vector<bool> mask(scores.size(), false);
  if (percent == 0) return mask;
  from.require(percent > 0 && percent < 100, "percentile is none");
  const double threshold = percentile(scores, 100 - percent);
  const auto most = static_cast<std::size_t>(static_cast<double>(scores.size()) * percent / 100);
  std::size_t taken = 0;
  for (std::size_t c = 0; c < scores.size(); ++c) {
    mask[c] = scores[c] > threshold;
    taken += mask[c] ? 1 : 0;
  }
  for (std::size_t c = 0; c < scores.size() && taken < most; ++c) {
    if (scores[c] != threshold) continue;
    mask[c] = true;
    ++taken;
  }
  return mask;
}

// By p-values: "fpr", "fdr", "fwe".
std::vector<bool> significant(const Estimator& from, std::string_view mode, double alpha, std::uint64_t columns) {
  const Array<double> p = vector(from, "pvalues_", columns);
  std::vector<bool> mask;
  double limit = alpha;
  if (mode == "fwe") limit = alpha / static_cast<double>(p.size());
  if (mode == "fdr") {
    std::vector<double> sorted(p.begin(), p.end());
    std::sort(sorted.begin(), sorted.end());
    limit = -1;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] <= alpha / static_cast<double>(sorted.size()) * static_cast<double>(i + 1)) limit = sorted[i];
    }
  }
  for (const double value : p) mask.push_back(mode == "fdr" ? value <= limit : value < limit);
  return mask;
}

std::vector<bool> univariate(const Estimator& from, std::string_view mode, std::string_view parameter,
                             std::uint64_t columns) {
  if (mode == "k_best") return best_k(from, from.need(parameter), columns);
  if (mode == "percentile") return best_percentile(from, from.real(parameter), columns);
  if (mode == "fpr" || mode == "fdr" || mode == "fwe") return significant(from, mode, from.real(parameter), columns);
  from.refuse("no way to select is called '" + std::string(mode) + "'");
}

}  // namespace

Methods lower_univariate_selection(Lowering& to, const Estimator& from, ValueId in) {
  static constexpr struct {
    std::string_view name, mode, parameter;
  } kModes[] = {{"SelectKBest", "k_best", "k"},
                {"SelectPercentile", "percentile", "percentile"},
                {"SelectFpr", "fpr", "alpha"},
                {"SelectFdr", "fdr", "alpha"},
                {"SelectFwe", "fwe", "alpha"}};
  const ValueId x = to.check(in, {});
  const std::string_view name = from.class_name();
  for (const auto& known : kModes) {
    if (name.substr(name.rfind('.') + 1) == known.name) {
      return selected(to, from, x, univariate(from, known.mode, known.parameter, to.columns(in)));
    }
  }
  return selected(to, from, x, univariate(from, from.text("mode"), "param", to.columns(in)));
}

Methods lower_variance_threshold(Lowering& to, const Estimator& from, ValueId in) {
  const double threshold = from.real("threshold");
  std::vector<bool> mask;
  for (const double v : vector(from, "variances_", to.columns(in))) mask.push_back(v > threshold);
  return selected(to, from, in, mask);
}

namespace {

std::vector<bool> support_of(const Estimator& from) {
  std::vector<bool> mask;
  for (const std::int64_t s : from.integers("support_", 1)) mask.push_back(s != 0);
  return mask;
}

}  // namespace

Methods lower_support_selection(Lowering& to, const Estimator& from, ValueId in) {
  return selected(to, from, to.check(in, {}), support_of(from));
}

// Also predicts, by the estimator that was fitted on the columns that are left.
Methods lower_recursive_elimination(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods = selected(to, from, to.check(in, {}), support_of(from));
  const Estimator inner = from.child("estimator_");
  if (!find_rule(inner.class_name())) return methods;
  Methods of = to.lower(inner, methods.find("transform")->value);
  for (Method& method : of.all()) {
    if (method.name != "transform" && method.name != "score_samples") methods.all().push_back(method);
  }
  return methods;
}

namespace {

// feature_importances_ of a tree, a forest or gradient boosting, which is computed and not kept: the mean over trees.
std::optional<std::vector<double>> tree_importances(const Estimator& model, std::uint64_t columns) {
  const auto over = [&](const std::vector<double>& of) {
    model.require(of.size() == columns, "a tree has another number of features");
    return of;
  };
  if (is_tree_classifier(model) || is_tree_regressor(model)) return over(SklearnTree(model).importances(true));
  const std::string& name = model.class_name();
  const bool boosting = name.starts_with("sklearn.ensemble._gb.GradientBoosting");
  if (!boosting && !name.starts_with("sklearn.ensemble._forest.")) return std::nullopt;
  // A forest takes each tree's shares, boosting its sums; trees of one node are left out of both.
  std::vector<double> sums(static_cast<std::size_t>(columns), 0.0);
  std::size_t count = 0;
  for (const NodeId member : model.members("estimators_")) {
    const SklearnTree tree(Estimator(model.reader(), member));
    if (tree.node_count() < 2) continue;
    const std::vector<double> of = over(tree.importances(!boosting));
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += of[c];
    ++count;
  }
  if (count == 0) return sums;
  for (double& x : sums) x /= static_cast<double>(count);
  const double all = pairwise_sum(sums);
  for (double& x : sums) x /= all;
  return sums;
}

// How much each column counts in a fitted model: |coef_|, over several outputs by a norm.
std::vector<double> importances(const Estimator& from, const Estimator& model, std::uint64_t columns) {
  const bool by_default = !from.has("importance_getter") || from.is_text("importance_getter", "auto");
  const bool by_trees = from.is_text("importance_getter", "feature_importances_");
  if (!by_default && !by_trees && !from.is_text("importance_getter", "coef_")) {
    from.refuse("its importance_getter is neither 'auto', 'coef_' nor 'feature_importances_'");
  }
  if ((by_default && !model.has("coef_")) || by_trees) {
    if (const auto found = tree_importances(model, columns)) return *found;
  }
  if (!model.has("coef_")) from.refuse("importances of " + model.class_name() + " are not attributes");
  const Array<double> coef = matrix(model, "coef_");
  from.require(columns_of(coef) == columns, "coef_ has another number of columns");
  const double order = from.find("norm_order") == kNoNode ? 1 : from.real("norm_order");
  std::vector<double> out(static_cast<std::size_t>(columns), 0.0);
  for (std::size_t i = 0; i < coef.size(); ++i) {
    double& sum = out[i % out.size()];
    const double size = std::fabs(coef[i]);
    sum = std::isinf(order) ? std::max(sum, size) : sum + (order == 1 ? size : std::pow(size, order));
  }
  if (!std::isinf(order) && order != 1) {
    for (double& sum : out) sum = std::pow(sum, 1 / order);
  }
  return out;
}

// A number, "mean", "median" or a multiple of one ("1.25*mean"); by default the mean, or next to nothing for models
// that make most coefficients 0.
double threshold_of(const Estimator& from, const Estimator& model, const std::vector<double>& scores) {
  std::string text = "mean";
  const NodeId id = from.find("threshold");
  if (id != kNoNode && from.reader().kind(id) != Kind::text) return from.real("threshold");
  if (id != kNoNode) {
    text = from.text("threshold");
  } else {
    const std::string_view name = std::string_view(model.class_name()).substr(model.class_name().rfind('.') + 1);
    const bool net =
        (name == "ElasticNet" || name == "ElasticNetCV") && model.has(name == "ElasticNet" ? "l1_ratio" : "l1_ratio_");
    const bool all_l1 = net && std::fabs(model.real(name == "ElasticNet" ? "l1_ratio" : "l1_ratio_") - 1) < 1e-8;
    if (model.is_text("penalty", "l1") || name.find("Lasso") != std::string_view::npos || all_l1) return 1e-5;
  }
  double factor = 1;
  const std::size_t star = text.find('*');
  if (star != std::string::npos) {
    factor = std::strtod(text.c_str(), nullptr);
    text = text.substr(star + 1);
  }
  text.erase(0, text.find_first_not_of(' '));
  if (text == "mean") {
    return factor * (pairwise_sum(scores) / static_cast<double>(scores.size()));
  }
  if (text == "median") return factor * percentile(scores, 50);
  from.refuse("its threshold is '" + text + "'");
}

}  // namespace

Methods lower_select_from_model(Lowering& to, const Estimator& from, ValueId in) {
  const Estimator model = from.child(from.has("estimator_") ? "estimator_" : "estimator");
  const std::vector<double> scores = importances(from, model, to.columns(in));
  const double threshold = threshold_of(from, model, scores);
  std::vector<bool> mask(scores.size(), true);
  if (from.find("max_features") != kNoNode) {
    const std::int64_t most = from.integer(from.has("max_features_") ? "max_features_" : "max_features");
    from.require(most >= 0, "max_features is negative");
    // Of equal ones the earlier, other than for SelectKBest.
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    for (std::size_t i = static_cast<std::size_t>(most); i < order.size(); ++i) mask[order[i]] = false;
  }
  for (std::size_t c = 0; c < scores.size(); ++c) {
    if (scores[c] < threshold) mask[c] = false;
  }
  return selected(to, from, to.check(in, {}), mask);
}

namespace {

std::uint32_t column_at(const Estimator& from, std::int64_t index, std::uint64_t columns) {
  if (index < 0) index += static_cast<std::int64_t>(columns);
  from.require(index >= 0 && static_cast<std::uint64_t>(index) < columns, "a column that does not exist is chosen");
  return static_cast<std::uint32_t>(index);
}

std::uint32_t column_named(const Estimator& from, std::string_view name) {
  if (!from.has("feature_names_in_")) from.refuse("it chooses columns by name, which were not recorded");
  const std::vector<std::string> names =
      from.find_texts_of(from.find("feature_names_in_")).value_or(std::vector<std::string>());
  const auto found = std::find(names.begin(), names.end(), name);
  from.require(found != names.end(), "there is no column '" + std::string(name) + "'");
  return static_cast<std::uint32_t>(found - names.begin());
}

// The end of a slice: an index, or a name (which is included), or None.
std::optional<std::int64_t> slice_end(const Estimator& from, NodeId id, bool is_stop) {
  const graph::NodeReader& reader = from.reader();
  if (reader.kind(id) == Kind::null) return std::nullopt;
  if (reader.kind(id) == Kind::text) return column_named(from, reader.text(id)) + (is_stop ? 1 : 0);
  const std::optional<std::int64_t> index = reader.find_integer(id);
  if (!index) from.refuse("a slice of columns has an end that is neither a number nor a name");
  return index;
}

std::vector<std::uint32_t> sliced(const Estimator& from, NodeId id, std::uint64_t columns) {
  const auto count = static_cast<std::int64_t>(columns);
  const std::int64_t step = slice_end(from, from.reader().child(id, 2), false).value_or(1);
  from.require(step != 0, "a slice has step 0");
  if (step < 0) from.refuse("a slice of columns goes backwards");
  const auto bounded = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + count : i, 0, count); };
  const std::int64_t begin = bounded(slice_end(from, from.reader().child(id, 0), false).value_or(0));
  const std::int64_t end = bounded(slice_end(from, from.reader().child(id, 1), true).value_or(count));
  std::vector<std::uint32_t> out;
  for (std::int64_t i = begin; i < end; i += std::min(step, count)) out.push_back(static_cast<std::uint32_t>(i));
  return out;
}

// The columns that a transformer of a ColumnTransformer takes.
std::vector<std::uint32_t> chosen_columns(const Estimator& from, NodeId id, std::uint64_t columns) {
  const graph::NodeReader& reader = from.reader();
  if (reader.kind(id) == Kind::slice) return sliced(from, id, columns);
  if (reader.kind(id) == Kind::object) {
    // scikit-learn 1.5 to 1.7 wrap the rest in a list that warns.
    const Estimator wrapped(reader, id);
    if (!wrapped.has("data")) from.refuse("it chooses columns by a " + wrapped.class_name());
    return chosen_columns(from, wrapped.need("data"), columns);
  }
  // One column that is not in a list: the transformer takes one dimension.
  if (reader.kind(id) == Kind::text) return {column_named(from, reader.text(id))};
  if (const auto index = reader.find_integer(id)) return {column_at(from, *index, columns)};
  std::vector<std::uint32_t> out;
  const auto take_mask = [&](const std::vector<std::int64_t>& mask) {
    from.require(mask.size() == columns, "a mask of columns has another length than there are columns");
    for (std::size_t c = 0; c < mask.size(); ++c) {
      if (mask[c]) out.push_back(static_cast<std::uint32_t>(c));
    }
    return out;
  };
  if (reader.kind(id) == Kind::array && !reader.is_object_array(id)) {
    if (reader.dtype(id).type_class() == TypeClass::unicode) {
      const auto names = from.find_texts_of(id);
      from.require(names.has_value(), "it chooses columns by an array of more than one dimension");
      for (const std::string& name : *names) out.push_back(column_named(from, name));
      return out;
    }
    const Array<std::int64_t> indices = from.integers_of(id, "columns", 1);
    if (reader.dtype(id).type_class() == TypeClass::boolean) return take_mask({indices.begin(), indices.end()});
    for (const std::int64_t index : indices) out.push_back(column_at(from, index, columns));
    return out;
  }
  const std::vector<NodeId> members = from.members_of(id, "columns");
  const bool is_mask = !members.empty() && std::all_of(members.begin(), members.end(), [&](NodeId member) {
    return reader.kind(member) == Kind::boolean;
  });
  if (is_mask) {
    std::vector<std::int64_t> mask;
    for (const NodeId member : members) mask.push_back(reader.find_integer(member).value_or(0));
    return take_mask(mask);
  }
  for (const NodeId member : members) {
    if (reader.kind(member) == Kind::text) {
      out.push_back(column_named(from, reader.text(member)));
      continue;
    }
    const std::optional<std::int64_t> index = reader.find_integer(member);
    if (!index) from.refuse("it chooses columns by something that is neither a number nor a name");
    out.push_back(column_at(from, *index, columns));
  }
  return out;
}

}  // namespace

// sklearn/compose/_column_transformer.py: the parts side by side, in the order in which they were given, the rest last.
Methods lower_column_transformer(Lowering& to, const Estimator& from, ValueId in) {
  const graph::NodeReader& reader = from.reader();
  std::vector<ValueId> parts;
  for (const NodeId member : from.members("transformers_")) {
    const std::vector<NodeId> triple = from.members_of(member, "transformers_");
    from.require(triple.size() == 3 && reader.kind(triple[0]) == Kind::text,
                 "a transformer is no triple of name, estimator and columns");
    const bool is_text = reader.kind(triple[1]) == Kind::text;
    if (is_text && reader.text(triple[1]) == "drop") continue;
    std::vector<std::uint32_t> columns = chosen_columns(from, triple[2], to.columns(in));
    if (columns.empty()) continue;
    ValueId part = to.select(in, std::move(columns));
    if (is_text && reader.text(triple[1]) != "passthrough") from.refuse("a transformer is a text");
    if (!is_text) part = need_method(from, to.lower(triple[1], part), "transform");
    const NodeId weights = from.find("transformer_weights");
    const NodeId weight = weights == kNoNode ? kNoNode : reader.find(weights, reader.text(triple[0]));
    if (weight != kNoNode && reader.kind(weight) != Kind::null) {
      const std::optional<double> factor = reader.find_real(weight);
      from.require(factor.has_value(), "a weight is no number");
      part = to.arithmetic(part, "multiply", *factor);
    }
    parts.push_back(part);
  }
  if (parts.empty()) from.refuse("it makes no columns");
  Methods methods;
  methods.add("transform", to.concat(parts));
  return methods;
}

}  // namespace mere::lower
