// Imputers and the indicator of missing numbers.

#include <algorithm>
#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/missing.hpp"

namespace mere::lower {

namespace {

// missing_values as a number: NaN (None too: what is missing is one value), or a number that stands for "not known".
double missing_number(const Estimator& from) {
  const NodeId id = from.need("missing_values");
  if (from.reader().kind(id) == Kind::null) return std::numeric_limits<double>::quiet_NaN();
  const std::optional<double> value = from.reader().find_real(id);
  if (!value) from.refuse("missing_values is no number");
  return *value;
}

ValueId is_missing(Lowering& to, ValueId in, double missing) {
  auto step = std::make_unique<program::IsMissing>();
  step->missing = missing;
  return to.add(std::move(step), in);
}

// Columns whose missing numbers are told; `features_` may be all of them.
std::vector<std::uint32_t> indicated(const Estimator& indicator, std::uint64_t columns) {
  std::vector<std::uint32_t> out;
  for (const std::int64_t c : indicator.integers("features_", 1)) {
    indicator.require(c >= 0 && static_cast<std::uint64_t>(c) < columns, "features_ has a column that does not exist");
    out.push_back(static_cast<std::uint32_t>(c));
  }
  return out;
}

// An imputer's result, and beside it what its indicator says of the input.
Methods with_indicator(Lowering& to, const Estimator& from, ValueId in, ValueId imputed) {
  Methods methods;
  if (from.find("indicator_") != kNoNode) {
    const Estimator indicator = from.child("indicator_");
    std::vector<std::uint32_t> columns = indicated(indicator, to.columns(in));
    if (!columns.empty()) {
      const ValueId mask = is_missing(to, to.select(in, std::move(columns)), missing_number(indicator));
      imputed = to.concat({imputed, mask});
    }
  }
  methods.add("transform", imputed);
  return methods;
}

ValueId keep(Lowering& to, const Estimator& from, ValueId in, const std::vector<bool>& kept) {
  std::vector<std::uint32_t> columns;
  for (std::size_t c = 0; c < kept.size(); ++c) {
    if (kept[c]) columns.push_back(static_cast<std::uint32_t>(c));
  }
  if (columns.size() == kept.size()) return in;
  if (columns.empty()) from.refuse("no column is left");
  return to.select(in, std::move(columns));
}

// Since 1.8 a constant is kept as objects. A text says that its column has texts.
Array<double> statistics_of(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in);
  if (!from.is_array("statistics_") || !from.reader().is_object_array(from.find("statistics_"))) {
    if (from.is_array("statistics_") &&
        from.reader().dtype(from.find("statistics_")).type_class() == TypeClass::unicode) {
      const std::vector<std::string> texts =
          from.find_texts_of(from.find("statistics_")).value_or(std::vector<std::string>());
      from.require(texts.size() == columns, "statistics_ has not a member a column");
      std::vector<double> numbers;
      for (const std::string& text : texts) {
        to.need_texts(from, in, numbers.size());
        numbers.push_back(to.text_constant(text));
      }
      return reals(std::move(numbers));
    }
    return vector(from, "statistics_", columns);
  }
  std::vector<double> numbers;
  for (const NodeId member : from.members("statistics_")) {
    if (from.reader().kind(member) == Kind::text && numbers.size() < columns) {
      to.need_texts(from, in, numbers.size());
      numbers.push_back(to.text_constant(std::string(from.reader().text(member))));
      continue;
    }
    const std::optional<double> number = from.reader().find_real(member);
    if (!number) from.refuse("its statistics are no numbers");
    numbers.push_back(*number);
  }
  from.require(numbers.size() == columns, "statistics_ has not a member a column");
  return reals(std::move(numbers));
}

}  // namespace

// Columns without a statistic go, unless they are filled with a constant or kept on request.
Methods lower_simple_imputer(Lowering& to, const Estimator& from, ValueId in) {
  const double missing = missing_number(from);
  const ValueId x = to.check(in, {.nan = std::isnan(missing)});
  const Array<double> statistics = statistics_of(to, from, in);
  const bool keeps = from.is_text("strategy", "constant") || from.boolean_or("keep_empty_features", false);
  std::vector<bool> kept;
  for (const double s : statistics) kept.push_back(keeps || !std::isnan(s));
  auto step = std::make_unique<program::Impute>();
  step->missing = missing;
  step->replacement = statistics;
  return with_indicator(to, from, x, keep(to, from, to.add(std::move(step), x), kept));
}

Methods lower_knn_imputer(Lowering& to, const Estimator& from, ValueId in) {
  if (!std::isnan(missing_number(from))) from.refuse("missing_values is not NaN");
  if (!from.is_text("metric", "nan_euclidean")) from.refuse("its metric is not nan_euclidean");
  if (!from.is_text("weights", "uniform") && !from.is_text("weights", "distance")) {
    from.refuse("its weights are a function");
  }
  const Array<double> rows = matrix(from, "_fit_X");
  from.require(columns_of(rows) == to.columns(in), "_fit_X has shape " + rows.shape().to_text());
  std::vector<bool> kept(to.columns(in), false);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!std::isnan(rows[i])) kept[i % kept.size()] = true;
  }
  if (from.boolean_or("keep_empty_features", false)) kept.assign(kept.size(), true);
  auto step = std::make_unique<program::ImputeNearest>();
  step->rows = rows;
  step->count = from.integer("n_neighbors");
  step->by_distance = from.is_text("weights", "distance");
  const ValueId x = to.check(in, {.nan = true});
  return with_indicator(to, from, x, keep(to, from, to.add(std::move(step), x), kept));
}

namespace {

// Of one step of an iterative imputer: (column, columns it is told from, estimator), a named tuple.
std::vector<NodeId> triplet(const Estimator& from, NodeId id) {
  const graph::NodeReader& reader = from.reader();
  if (reader.kind(id) == Kind::object && reader.parts(id).args != kNoNode) id = reader.parts(id).args;
  std::vector<NodeId> parts = from.members_of(id, "imputation_sequence_");
  from.require(parts.size() == 3, "a step of imputation_sequence_ has not three parts");
  return parts;
}

// `by` where the mask is 1, else `x`: both are finite, so that the products are exact.
ValueId replaced(Lowering& to, ValueId x, ValueId by, ValueId mask) {
  return combine(to, "add",
                 {combine(to, "multiply", {mask, by}), combine(to, "multiply", {to.map(mask, "one_minus"), x})});
}

}  // namespace

// sklearn/impute/_iterative.py: a first guess, then column by column, in rounds, what the others tell of what is
// missing.
Methods lower_iterative_imputer(Lowering& to, const Estimator& from, ValueId in) {
  if (from.boolean("sample_posterior")) from.refuse("it draws from the posterior");
  if (from.boolean_or("keep_empty_features", false)) from.refuse("it keeps columns that have no number");
  const double missing = missing_number(from);
  const ValueId x = to.check(in, {.nan = std::isnan(missing)});
  const Estimator first = from.child("initial_imputer_");
  const Array<double> statistics = statistics_of(to, first, in);
  std::vector<bool> kept;
  for (const double s : statistics) kept.push_back(!std::isnan(s));
  const ValueId mask = is_missing(to, keep(to, from, x, kept), missing);
  ValueId filled = need_method(from, to.lower(first, in), "transform");
  const std::uint64_t columns = to.columns(mask);
  from.require(to.columns(filled) == columns, "initial_imputer_ keeps other columns");
  const bool guesses_only = from.integer("n_iter_") == 0;
  const std::vector<NodeId> steps = guesses_only ? std::vector<NodeId>() : from.members("imputation_sequence_");
  // Each step moves every column.
  from.require_memory(steps.size() * columns, "imputation_sequence_");
  const Array<double> low = guesses_only ? Array<double>() : vector(from, "_min_value", columns);
  const Array<double> high = guesses_only ? Array<double>() : vector(from, "_max_value", columns);
  for (const NodeId step : steps) {
    const std::vector<NodeId> parts = triplet(from, step);
    const std::optional<std::int64_t> at = to.reader().find_integer(parts[0]);
    from.require(at && *at >= 0 && static_cast<std::uint64_t>(*at) < columns, "a step is of no column");
    const auto column = static_cast<std::size_t>(*at);
    std::vector<std::uint32_t> others;
    for (const std::int64_t other : from.integers_of(parts[1], "imputation_sequence_", 1)) {
      from.require(other >= 0 && static_cast<std::uint64_t>(other) < columns, "a step looks at no column");
      others.push_back(static_cast<std::uint32_t>(other));
    }
    const Methods methods = to.lower(parts[2], to.select(filled, std::move(others)));
    const ValueId told = clip(to, need_method(from, methods, "predict"), low[column], high[column]);
    from.require(to.columns(told) == 1, "a step predicts several columns");
    const ValueId made = replaced(to, slice(to, filled, column, 1), told, slice(to, mask, column, 1));
    // The new column is put behind the others, then where it was.
    std::vector<std::uint32_t> order;
    for (std::uint32_t c = 0; c < columns; ++c) order.push_back(c == column ? static_cast<std::uint32_t>(columns) : c);
    filled = to.select(to.concat({filled, made}), std::move(order));
  }
  return with_indicator(to, from, x, filled);
}

Methods lower_missing_indicator(Lowering& to, const Estimator& from, ValueId in) {
  const double missing = missing_number(from);
  ValueId x = to.check(in, {.nan = std::isnan(missing)});
  const std::vector<std::uint32_t> columns = indicated(from, to.columns(in));
  if (columns.empty()) from.refuse("it makes no columns");
  const std::uint64_t count = columns.size();
  if (count < to.columns(in) && from.is_text("features", "missing-only")) {
    x = to.select(x, columns);
    // What misses numbers only now is an error.
    if (from.boolean("error_on_new") && std::isnan(missing)) {
      std::vector<std::uint32_t> others;
      for (std::uint32_t c = 0; c < to.columns(in); ++c) {
        if (std::find(columns.begin(), columns.end(), c) == columns.end()) others.push_back(c);
      }
      x = to.concat({x, to.check(to.select(in, std::move(others)), {})});
    }
  }
  Methods methods;
  methods.add("transform", slice(to, is_missing(to, x, missing), 0, std::min(count, to.columns(x))));
  return methods;
}

}  // namespace mere::lower
