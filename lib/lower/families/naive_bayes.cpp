// Naive Bayes: sums of logarithms, a column a class. sklearn/naive_bayes.py.

#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/tables.hpp"

namespace mere::lower {

namespace {

// predict by the largest of the joint log likelihoods, probabilities by their differences.
Methods by_likelihood(Lowering& to, const Estimator& from, ValueId likelihood) {
  const Labels labels = classes_of(from);
  from.require(labels.count == to.columns(likelihood), "classes_ and the likelihoods disagree");
  const ValueId log_proba = combine(to, "subtract", {likelihood, reduce(to, likelihood, "log_sum_exp")});
  Methods methods;
  to.add_classes(methods, to.arg_max(likelihood), {labels});
  methods.add("predict_proba", to.map(log_proba, "exp"));
  methods.add("predict_log_proba", log_proba);
  return methods;
}

Array<double> log_probabilities(const Estimator& from, std::uint64_t classes, std::uint64_t columns) {
  return matrix(from, "feature_log_prob_", classes, columns);
}

}  // namespace

Methods lower_gaussian_nb(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in), classes = classes_of(from).count;
  const Array<double> means = matrix(from, "theta_", classes, columns);
  const Array<double> variances = matrix(from, from.has("var_") ? "var_" : "sigma_", classes, columns);
  const Array<double> priors = vector(from, "class_prior_", classes);
  std::vector<double> constants, log_priors;
  for (std::size_t i = 0; i < classes; ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) sum += std::log(2 * M_PI * variances[i * columns + c]);
    constants.push_back(-0.5 * sum);
    log_priors.push_back(std::log(priors[i]));
  }
  ValueId x = tile(to, widen(to, to.check(in, {})), classes);
  x = to.map(to.arithmetic(x, "subtract", flattened(means)), "square");
  x = reduce(to, to.arithmetic(x, "divide", flattened(variances)), "sum", columns);
  x = to.arithmetic(to.arithmetic(x, "multiply", -0.5), "add", reals(std::move(constants)));
  return by_likelihood(to, from, to.arithmetic(x, "add", reals(std::move(log_priors))));
}

Methods lower_multinomial_nb(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t classes = classes_of(from).count;
  const ValueId x = widen(to, to.check(in, {}));
  return by_likelihood(
      to, from,
      to.linear(x, log_probabilities(from, classes, to.columns(in)), vector(from, "class_log_prior_", classes)));
}

// The prior counts only where there is nothing to tell apart.
Methods lower_complement_nb(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t classes = classes_of(from).count;
  const ValueId x = widen(to, to.check(in, {}));
  return by_likelihood(to, from,
                       to.linear(x, log_probabilities(from, classes, to.columns(in)),
                                 classes == 1 ? vector(from, "class_log_prior_", 1) : Array<double>()));
}

// Of what is on log p, of what is off log (1 - p).
Methods lower_bernoulli_nb(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in), classes = classes_of(from).count;
  const Array<double> on = log_probabilities(from, classes, columns);
  const Array<double> priors = vector(from, "class_log_prior_", classes);
  const Array<double> off = mapped(on, [](double p) { return std::log(1 - std::exp(p)); });
  std::vector<double> difference, bias;
  for (std::size_t i = 0; i < classes; ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      difference.push_back(on[i * columns + c] - off[i * columns + c]);
      sum += off[i * columns + c];
    }
    bias.push_back(priors[i] + sum);
  }
  ValueId x = widen(to, to.check(in, {}));
  if (from.find("binarize") != kNoNode) x = to.above(x, from.real("binarize"));
  return by_likelihood(to, from, to.linear(x, reals(std::move(difference), classes, columns), reals(std::move(bias))));
}

// Columns are indices of categories; one that was not seen is an error.
Methods lower_categorical_nb(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in), classes = classes_of(from).count;
  const std::vector<NodeId> all = from.members("feature_log_prob_");
  from.require(all.size() == columns, "feature_log_prob_ has not a member a column");
  std::vector<Array<double>> tables;
  std::uint64_t width = 1;
  for (const NodeId id : all) {
    tables.push_back(from.reals_of(id, "feature_log_prob_", 2));
    from.require(rows_of(tables.back()) == classes, "feature_log_prob_ and classes_ disagree");
    width = std::max(width, columns_of(tables.back()));
  }
  auto categories = std::make_unique<program::Categorize>();
  std::vector<double> values;
  std::vector<std::int64_t> counts;
  for (const Array<double>& table : tables) {
    for (std::size_t i = 0; i < width; ++i) values.push_back(static_cast<double>(i));
    counts.push_back(static_cast<std::int64_t>(columns_of(table)));
  }
  categories->values = reals(std::move(values), columns, width);
  categories->counts = Array<std::int64_t>(std::move(counts));
  categories->refuse_unknown = true;
  auto look_up = std::make_unique<program::LookUp>();
  std::vector<double> table, otherwise(static_cast<std::size_t>(columns * classes), 0.0);
  for (std::size_t k = 0; k < classes; ++k) {
    for (const Array<double>& of : tables) {
      const std::size_t count = columns_of(of);
      for (std::size_t i = 0; i < width; ++i) table.push_back(i < count ? of[k * count + i] : 0);
    }
  }
  look_up->table = reals(std::move(table), columns * classes, width);
  look_up->otherwise = reals(std::move(otherwise));
  ValueId x = not_below(to, to.check(in, {}), 0);
  x = to.map(x, "trunc");
  x = to.add(std::move(categories), x);
  x = reduce(to, to.add(std::move(look_up), tile(to, x, classes)), "sum", columns);
  return by_likelihood(to, from, to.arithmetic(x, "add", vector(from, "class_log_prior_", classes)));
}

}  // namespace mere::lower
