// Projections: principal components and their kin, kernels' approximations, partial least squares.

#include <cmath>
#include <numeric>

#include "lower/families.hpp"
#include "lower/families/algebra.hpp"
#include "lower/families/steps.hpp"
#include "lower/families/stored_matrix.hpp"
#include "program/operators/features.hpp"

namespace mere::lower {

namespace {

Methods transform_only(ValueId value) {
  Methods methods;
  methods.add("transform", value);
  return methods;
}

Array<double> components_of(const Estimator& from, std::uint64_t columns) {
  return stored_matrix(from, "components_", columns);
}

ValueId centered(Lowering& to, const Estimator& from, ValueId in, std::string_view mean) {
  const ValueId x = widen(to, to.check(in, {}));
  return from.find(mean) == kNoNode ? x : to.arithmetic(x, "subtract", vector(from, mean, to.columns(in)));
}

// -(sum of `weighted` + columns log 2 pi - log |precision|) / 2.
ValueId log_likelihood(Lowering& to, ValueId squares, std::uint64_t columns, double log_precision) {
  const double constant = -0.5 * (static_cast<double>(columns) * std::log(2 * M_PI) - log_precision);
  return to.arithmetic(to.arithmetic(squares, "multiply", -0.5), "add", constant);
}

// The components are orthonormal, so that the precision needs no inverse: 1 / variance along each, 1 / noise across.
void add_pca_scores(Lowering& to, const Estimator& from, Methods& methods, ValueId x, const Array<double>& components,
                    const Array<double>& variances, bool whiten) {
  const double noise = from.real("noise_variance_");
  const std::uint64_t columns = columns_of(components), count = rows_of(components);
  if (noise == 0 && count < columns) return;
  std::vector<double> factors;
  double log_precision = noise == 0 ? 0 : -static_cast<double>(columns - count) * std::log(noise);
  for (const double v : variances) {
    // scikit-learn takes whitened components times their deviation here, so that the variance counts twice.
    const double along = noise + std::max(v - noise, 0.0) * (whiten ? v : 1);
    factors.push_back(1 / along - (noise == 0 ? 0 : 1 / noise));
    log_precision -= std::log(along);
  }
  ValueId sum = to.linear(to.map(to.linear(x, components, {}), "square"), reals(std::move(factors), 1, count), {});
  if (noise != 0) sum = combine(to, "add", {sum, to.arithmetic(reduce(to, x, "sum_of_squares"), "divide", noise)});
  methods.add("score_samples", log_likelihood(to, sum, columns, log_precision)).flat = true;
}

}  // namespace

Methods lower_pca(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> components = components_of(from, to.columns(in));
  const Array<double> variances = vector(from, "explained_variance_", rows_of(components));
  const ValueId x = centered(to, from, in, "mean_");
  ValueId out = to.linear(x, components, {});
  if (from.boolean("whiten")) {
    out = to.arithmetic(out, "divide", mapped(variances, [](double v) { return std::sqrt(v); }));
  }
  Methods methods = transform_only(out);
  if (from.class_name() == "sklearn.decomposition._pca.PCA") {
    add_pca_scores(to, from, methods, x, components, variances, from.boolean("whiten"));
  }
  return methods;
}

// A product with components_ and nothing else.
Methods lower_plain_projection(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId x = widen(to, to.check(in, {}));
  return transform_only(to.linear(x, components_of(from, to.columns(in)), {}));
}

// `whiten` is False, True, or from 1.1 on a word.
Methods lower_fast_ica(Lowering& to, const Estimator& from, ValueId in) {
  const NodeId whiten = from.need("whiten");
  const std::optional<std::int64_t> flag = from.reader().find_integer(whiten);
  const bool centers = !flag || *flag != 0;
  const ValueId x = centers ? centered(to, from, in, "mean_") : widen(to, to.check(in, {}));
  return transform_only(to.linear(x, components_of(from, to.columns(in)), {}));
}

// sklearn/decomposition/_factor_analysis.py: E[z | x] = (I + W noise^-1 W^T)^-1 W noise^-1 (x - mean).
Methods lower_factor_analysis(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in);
  const Array<double> components = components_of(from, columns);
  const Array<double> noise = vector(from, "noise_variance_", columns);
  const std::uint64_t count = rows_of(components);
  std::vector<double> scaled(components.begin(), components.end());
  double log_noise = 0;
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] /= noise[i % columns];
  for (const double n : noise) log_noise += std::log(n);
  const Array<double> weights = reals(std::move(scaled), count, columns);
  const Array<double> gram = product(weights, transposed(components));
  std::vector<double> inner(gram.begin(), gram.end());
  for (std::size_t i = 0; i < count; ++i) inner[i * count + i] += 1;
  const Array<double> precision = reals(std::move(inner), count, count);
  const ValueId x = centered(to, from, in, "mean_");
  const ValueId projected = to.linear(x, weights, {});
  const ValueId latent = to.linear(projected, inverse(precision), {});
  Methods methods = transform_only(latent);
  // The Woodbury identity: x^T C^-1 x = x^T noise^-1 x - (W noise^-1 x)^T E[z | x].
  const ValueId across = reduce(to, to.arithmetic(to.map(x, "square"), "divide", noise), "sum");
  const ValueId along = reduce(to, combine(to, "multiply", {projected, latent}), "sum");
  const ValueId squares = combine(to, "subtract", {across, along});
  methods.add("score_samples", log_likelihood(to, squares, columns, -log_noise - log_determinant(precision))).flat =
      true;
  return methods;
}

namespace {

double number_or(const Estimator& from, std::string_view attribute, double otherwise) {
  return from.find(attribute) == kNoNode ? otherwise : from.real(attribute);
}

// sklearn/metrics/pairwise.py: kernels by name, with their defaults.
ValueId named_kernel(Lowering& to, const Estimator& from, ValueId in, const Array<double>& vectors) {
  if (from.reader().kind(from.need("kernel")) != Kind::text) from.refuse("its kernel is a function");
  static constexpr struct {
    std::string_view name, function;
  } kKernels[] = {{"linear", "dot"},
                  {"rbf", "rbf"},
                  {"laplacian", "laplacian"},
                  {"poly", "polynomial"},
                  {"polynomial", "polynomial"},
                  {"sigmoid", "sigmoid"},
                  {"cosine", "cosine_similarity"},
                  {"chi2", "chi2"},
                  {"additive_chi2", "additive_chi2"}};
  const std::string name = from.text("kernel");
  if (from.find("kernel_params") != kNoNode) from.refuse("its kernel has parameters of its own");
  for (const auto& known : kKernels) {
    if (known.name != name) continue;
    KernelParameters parameters;
    const double otherwise = name == "chi2" ? 1 : 1 / static_cast<double>(to.columns(in));
    parameters.gamma = number_or(from, from.has("gamma_") ? "gamma_" : "gamma", otherwise);
    parameters.coef0 = number_or(from, "coef0", 1);
    parameters.degree = number_or(from, "degree", 3);
    return pairwise(to, widen(to, to.check(in, {})), known.function, vectors, parameters);
  }
  from.refuse("its kernel is '" + name + "'");
}

// sklearn/preprocessing/_data.py, KernelCenterer: less the means of the training rows and of the row itself.
ValueId centered_kernel(Lowering& to, const Estimator& from, ValueId kernel, const Array<double>& rows) {
  const ValueId means = to.arithmetic(reduce(to, kernel, "sum"), "divide", static_cast<double>(rows.size()));
  const ValueId x = combine(to, "subtract", {to.arithmetic(kernel, "subtract", rows), means});
  return to.arithmetic(x, "add", from.real("K_fit_all_"));
}

}  // namespace

Methods lower_kernel_pca(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> vectors = stored_matrix(from, "X_fit_", to.columns(in));
  const bool is_old = !from.has("eigenvalues_");
  const Array<double> values = vector(from, is_old ? "lambdas_" : "eigenvalues_");
  const Array<double> axes = matrix(from, is_old ? "alphas_" : "eigenvectors_", rows_of(vectors), values.size());
  const Estimator centerer = from.child("_centerer");
  const Array<double> rows = vector(centerer, "K_fit_rows_", rows_of(vectors));
  const ValueId k = centered_kernel(to, centerer, named_kernel(to, from, in, vectors), rows);
  std::vector<double> weights(axes.size(), 0.0);
  for (std::size_t j = 0; j < values.size(); ++j) {
    for (std::size_t i = 0; i < rows.size() && values[j] != 0; ++i) {
      weights[j * rows.size() + i] = axes[i * values.size() + j] / std::sqrt(values[j]);
    }
  }
  return transform_only(to.linear(k, reals(std::move(weights), values.size(), rows.size()), {}));
}

Methods lower_kernel_centerer(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> rows = vector(from, "K_fit_rows_", to.columns(in));
  return transform_only(centered_kernel(to, from, widen(to, to.check(in, {})), rows));
}

Methods lower_nystroem(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> vectors = components_of(from, to.columns(in));
  const ValueId k = named_kernel(to, from, in, vectors);
  return transform_only(to.linear(k, matrix(from, "normalization_", rows_of(vectors), rows_of(vectors)), {}));
}

// Random cosines.
Methods lower_rbf_sampler(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> weights = transposed(matrix(from, "random_weights_"));
  from.require(columns_of(weights) == to.columns(in), "random_weights_ has another number of rows than columns");
  ValueId x = to.check(in, {});
  if (from.class_name() == "sklearn.kernel_approximation.SkewedChi2Sampler") {
    const double skewedness = from.real("skewedness");
    x = to.map(to.arithmetic(not_below(to, x, -skewedness), "add", skewedness), "log");
  }
  x = to.linear(widen(to, x), weights, vector(from, "random_offset_", rows_of(weights)));
  const double scale = std::sqrt(2.0) / std::sqrt(static_cast<double>(rows_of(weights)));
  return transform_only(to.arithmetic(to.map(x, "cos"), "multiply", scale));
}

// sklearn/kernel_approximation.py: sqrt of x and, for each further step, its cosine and sine at log x; 0 stays 0.
Methods lower_additive_chi2_sampler(Lowering& to, const Estimator& from, ValueId in) {
  const std::int64_t steps = from.integer("sample_steps");
  from.require(steps >= 1 && steps <= 1000, "sample_steps is " + std::to_string(steps));
  const std::string_view name = from.find("sample_interval_") != kNoNode ? "sample_interval_" : "sample_interval";
  constexpr double kIntervals[] = {0.8, 0.5, 0.4};
  from.require(from.find(name) != kNoNode || steps <= 3, "it has no sample_interval");
  const double interval = from.find(name) != kNoNode
                              ? from.real(name)
                              : kIntervals[static_cast<std::size_t>(std::min<std::int64_t>(steps, 3)) - 1];
  const ValueId x = not_below(to, to.check(in, {}), 0);
  // The logarithm of 1 in place of that of 0: what it goes to is times 0.
  const ValueId logs = to.arithmetic(to.map(to.map(x, "one_if_zero"), "log"), "multiply", interval);
  const ValueId twice = to.arithmetic(to.arithmetic(x, "multiply", 2.0), "multiply", interval);
  std::vector<ValueId> parts{to.map(to.arithmetic(x, "multiply", interval), "sqrt")};
  for (std::int64_t j = 1; j < steps; ++j) {
    const double order = static_cast<double>(j);
    const ValueId factor = to.map(to.arithmetic(twice, "divide", std::cosh(M_PI * order * interval)), "sqrt");
    const ValueId angle = to.arithmetic(logs, "multiply", order);
    for (const std::string_view wave : {"cos", "sin"}) {
      parts.push_back(combine(to, "multiply", {factor, to.map(angle, wave)}));
    }
  }
  return transform_only(to.concat(std::move(parts)));
}

// Count sketches of the columns, one a factor, and their circular convolution, which scikit-learn takes by FFT.
Methods lower_polynomial_count_sketch(Lowering& to, const Estimator& from, ValueId in) {
  const double gamma = from.real("gamma"), coef0 = from.real("coef0");
  const std::int64_t degree = from.integer("degree"), width = from.integer("n_components");
  const std::uint64_t columns = to.columns(in), all = columns + (coef0 != 0 ? 1 : 0);
  from.require(degree >= 1 && degree <= 1000 && width >= 1 && width <= 1 << 20, "degree or n_components is none");
  const auto rows = static_cast<std::size_t>(degree * width);
  const Array<std::int64_t> places = from.integers("indexHash_", 2), signs = from.integers("bitHash_", 2);
  const auto fits = [&](const Array<std::int64_t>& a) {
    return a.shape()[0] == degree && static_cast<std::uint64_t>(a.shape()[1]) == all;
  };
  from.require(fits(places) && fits(signs), "indexHash_ has shape " + places.shape().to_text());
  if (rows > (std::size_t{1} << 26) / static_cast<std::size_t>(columns)) from.refuse("its sketches are too large");
  std::vector<double> weights(rows * static_cast<std::size_t>(columns), 0.0), bias(rows, 0.0);
  for (std::size_t d = 0; d < static_cast<std::size_t>(degree); ++d) {
    for (std::size_t c = 0; c < all; ++c) {
      const std::int64_t place = places[d * all + c];
      from.require(place >= 0 && place < width, "indexHash_ has " + std::to_string(place));
      const std::size_t row = d * static_cast<std::size_t>(width) + static_cast<std::size_t>(place);
      const auto sign = static_cast<double>(signs[d * all + c]);
      if (c < columns) {
        weights[row * columns + c] = sign * std::sqrt(gamma);
      } else {
        bias[row] += sign * std::sqrt(coef0);
      }
    }
  }
  auto step = std::make_unique<program::Convolve>();
  step->factors = degree;
  const ValueId sketches =
      to.linear(widen(to, to.check(in, {})), reals(std::move(weights), rows, columns), reals(std::move(bias)));
  return transform_only(to.add(std::move(step), sketches));
}

namespace {

// Rotated scores of partial least squares.
Methods pls_transform(Lowering& to, const Estimator& from, ValueId scaled, std::string_view rotations) {
  const Array<double> weights = transposed(matrix(from, rotations));
  from.require(columns_of(weights) == to.columns(scaled), std::string(rotations) + " has another number of rows");
  return transform_only(to.linear(scaled, weights, {}));
}

ValueId pls_scaled(Lowering& to, const Estimator& from, ValueId in) {
  return to.arithmetic(centered(to, from, in, "_x_mean"), "divide", vector(from, "_x_std", to.columns(in)));
}

}  // namespace

Methods lower_pls_svd(Lowering& to, const Estimator& from, ValueId in) {
  return pls_transform(to, from, pls_scaled(to, from, in), "x_weights_");
}

// sklearn/cross_decomposition/_pls.py. coef_ was (columns, targets) up to 1.0, and since 1.5 holds the scale of x.
Methods lower_pls(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId scaled = pls_scaled(to, from, in);
  Methods methods = pls_transform(to, from, scaled, "x_rotations_");
  const bool is_old = !from.has("intercept_");
  Array<double> coef = matrix(from, from.has("_coef_") ? "_coef_" : "coef_");
  if (is_old) coef = transposed(coef);
  from.require(columns_of(coef) == to.columns(in), "coef_ has shape " + coef.shape().to_text());
  const bool unscaled = to.version(from) >= Version{1, 5};
  const ValueId x = unscaled ? centered(to, from, in, "_x_mean") : scaled;
  const Array<double> bias = vector(from, is_old ? "_y_mean" : "intercept_", rows_of(coef));
  to.add_numbers(methods, to.linear(x, coef, bias), from.boolean_or("_predict_1d", false));
  return methods;
}

}  // namespace mere::lower
