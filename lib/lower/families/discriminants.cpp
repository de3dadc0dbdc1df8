// Discriminant analysis: linear scores, or distances to the means of classes.

#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"

namespace mere::lower {

// sklearn/discriminant_analysis.py. The logarithm never sees a 0: scikit-learn adds the smallest normal number to it.
Methods lower_linear_discriminant_analysis(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods = lower_linear_classifier(to, from, in);
  const ValueId scores = methods.find("decision_function")->value;
  const ValueId proba = to.columns(scores) == 1 ? to.with_complement(to.map(scores, "expit")) : to.softmax(scores);
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(clip(to, proba, std::numeric_limits<double>::min(), std::nullopt), "log"));
  const std::string solver = from.text("solver");
  if (solver == "lsqr") return methods;
  ValueId x = to.check(in, {});
  if (solver == "svd") x = to.arithmetic(widen(to, x), "subtract", vector(from, "xbar_", to.columns(in)));
  const Array<double> scalings = transposed(matrix(from, "scalings_"));
  from.require(columns_of(scalings) == to.columns(in), "scalings_ has another number of rows than columns");
  x = to.linear(x, scalings, {});
  const std::int64_t most = from.integer("_max_components");
  from.require(most > 0, "_max_components is not above 0");
  methods.add("transform", slice(to, x, 0, std::min(static_cast<std::uint64_t>(most), to.columns(x))));
  return methods;
}

// Scores: -(|(x - mean) R S^-1/2|^2 + sum log S) / 2 + log prior.
Methods lower_quadratic_discriminant_analysis(Lowering& to, const Estimator& from, ValueId in) {
  const Labels labels = classes_of(from);
  const std::uint64_t columns = to.columns(in);
  const Array<double> means = matrix(from, "means_", labels.count, columns),
                      priors = vector(from, "priors_", labels.count);
  const std::vector<NodeId> rotations = from.members("rotations_"), scalings = from.members("scalings_");
  from.require(rotations.size() == labels.count && scalings.size() == labels.count,
               "rotations_ or scalings_ is not a list with a member for every class");
  const ValueId x = widen(to, to.check(in, {}));
  std::vector<ValueId> distances;
  std::vector<double> logarithms, log_priors;
  for (std::size_t i = 0; i < labels.count; ++i) {
    const Array<double> r = from.reals_of(rotations[i], "rotations_", 2),
                        s = from.reals_of(scalings[i], "scalings_", 1);
    from.require(rows_of(r) == columns && columns_of(r) == s.size(), "rotations_ and scalings_ disagree");
    std::vector<double> weights(r.size());
    double sum = 0;
    for (std::size_t j = 0; j < s.size(); ++j) {
      const double inverse = std::pow(s[j], -0.5);
      for (std::size_t c = 0; c < columns; ++c) weights[j * columns + c] = r[c * s.size() + j] * inverse;
      sum += std::log(s[j]);
    }
    logarithms.push_back(sum);
    log_priors.push_back(std::log(priors[i]));
    const std::span<const double> mean = means.span().subspan(i * columns, columns);
    const ValueId centered = to.arithmetic(x, "subtract", reals({mean.begin(), mean.end()}));
    distances.push_back(
        reduce(to, to.linear(centered, reals(std::move(weights), s.size(), columns), {}), "sum_of_squares"));
  }
  ValueId scores = to.arithmetic(to.concat(distances), "add", reals(std::move(logarithms)));
  scores = to.arithmetic(to.arithmetic(scores, "multiply", -0.5), "add", reals(std::move(log_priors)));
  Methods methods;
  const bool two_classes = labels.count == 2;
  methods
      .add("decision_function",
           two_classes ? combine(to, "subtract", {slice(to, scores, 1, 1), slice(to, scores, 0, 1)}) : scores)
      .flat = two_classes;
  to.add_classes(methods, to.arg_max(scores), {labels});
  const ValueId proba = to.softmax(scores);
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  return methods;
}

}  // namespace mere::lower
