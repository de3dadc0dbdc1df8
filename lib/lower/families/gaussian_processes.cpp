// Gaussian processes: kernels made of kernels, over the rows of training.

#include <cmath>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/features.hpp"

namespace mere::lower {

namespace {

constexpr int kMaxKernelDepth = 50;

// k(x, each row of training), and k(x, x) where it is asked for.
struct KernelValues {
  ValueId cross = 0, diagonal = 0;
};

class KernelLowering {
 public:
  KernelLowering(Lowering& to, ValueId x, Array<double> rows, bool with_diagonal)
      : to_(to), x_(x), rows_(std::move(rows)), with_diagonal_(with_diagonal) {}

  // sklearn/gaussian_process/kernels.py.
  KernelValues lower(const Estimator& kernel, int depth = 0) {
    if (depth > kMaxKernelDepth) kernel.refuse("its kernels are nested too deep");
    const std::string_view full = kernel.class_name();
    constexpr std::string_view kModule = "sklearn.gaussian_process.kernels.";
    if (full.substr(0, kModule.size()) != kModule) kernel.refuse("it is no kernel of scikit-learn");
    const std::string_view name = full.substr(kModule.size());
    if (name == "Sum" || name == "Product") return both(kernel, name == "Sum" ? "add" : "multiply", depth);
    if (name == "Exponentiation") return power(kernel, depth);
    if (name == "ConstantKernel") return constants(kernel.real("constant_value"), kernel.real("constant_value"));
    // Noise is of a row with itself alone.
    if (name == "WhiteKernel") return constants(0, kernel.real("noise_level"));
    if (name == "RBF") return stationary(exponential(distances(kernel, "squared_euclidean"), -0.5));
    if (name == "Matern") return matern(kernel);
    if (name == "RationalQuadratic") return rational_quadratic(kernel);
    if (name == "ExpSineSquared") return exp_sine_squared(kernel);
    if (name == "DotProduct") return dot_product(kernel);
    kernel.refuse("this kernel has no standard operators");
  }

 private:
  KernelValues constants(double cross, double diagonal) {
    KernelValues out;
    out.cross = constant(to_, x_, reals(std::vector<double>(rows_of(rows_), cross)));
    if (with_diagonal_) out.diagonal = constant(to_, x_, reals({diagonal}));
    return out;
  }

  KernelValues stationary(ValueId cross) {
    KernelValues out;
    out.cross = cross;
    if (with_diagonal_) out.diagonal = constant(to_, x_, reals({1.0}));
    return out;
  }

  KernelValues both(const Estimator& kernel, std::string_view operation, int depth) {
    const KernelValues a = lower(kernel.child("k1"), depth + 1), b = lower(kernel.child("k2"), depth + 1);
    KernelValues out;
    out.cross = combine(to_, operation, {a.cross, b.cross});
    if (with_diagonal_) out.diagonal = combine(to_, operation, {a.diagonal, b.diagonal});
    return out;
  }

  KernelValues power(const Estimator& kernel, int depth) {
    KernelValues out = lower(kernel.child("kernel"), depth + 1);
    const double exponent = kernel.real("exponent");
    if (exponent != std::floor(exponent) || exponent < 1 || exponent > 64) {
      kernel.refuse("its exponent is no small whole number");
    }
    const auto times = [&](ValueId value) {
      return combine(to_, "multiply", std::vector<ValueId>(static_cast<std::size_t>(exponent), value));
    };
    out.cross = times(out.cross);
    if (with_diagonal_) out.diagonal = times(out.diagonal);
    return out;
  }

  // Between rows divided by length_scale, which is a number or one a column.
  ValueId distances(const Estimator& kernel, std::string_view function) {
    const std::uint64_t columns = to_.columns(x_);
    std::vector<double> scale;
    const NodeId id = kernel.need("length_scale");
    if (kernel.reader().kind(id) == Kind::list || kernel.reader().kind(id) == Kind::tuple) {
      for (const NodeId member : kernel.members("length_scale")) {
        const std::optional<double> number = kernel.reader().find_real(member);
        kernel.require(number.has_value(), "length_scale has a member that is no number");
        scale.push_back(*number);
      }
    } else {
      const Array<double> stored = vector(kernel, "length_scale");
      scale.assign(stored.begin(), stored.end());
    }
    kernel.require(scale.size() == 1 || scale.size() == columns, "length_scale has another length");
    std::vector<double> scaled(rows_.begin(), rows_.end());
    for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] /= scale[scale.size() == 1 ? 0 : i % columns];
    return pairwise(to_, to_.arithmetic(x_, "divide", reals(std::move(scale))), function,
                    reals(std::move(scaled), rows_of(rows_), columns));
  }

  ValueId exponential(ValueId value, double factor) {
    return to_.map(to_.arithmetic(value, "multiply", factor), "exp");
  }

  KernelValues matern(const Estimator& kernel) {
    const double nu = kernel.real("nu");
    if (std::isinf(nu)) return stationary(exponential(distances(kernel, "squared_euclidean"), -0.5));
    const ValueId d = distances(kernel, "euclidean");
    if (nu == 0.5) return stationary(exponential(d, -1));
    if (nu != 1.5 && nu != 2.5) kernel.refuse("its nu is none of 0.5, 1.5, 2.5 and infinity");
    const ValueId k = to_.arithmetic(d, "multiply", std::sqrt(nu == 1.5 ? 3.0 : 5.0));
    ValueId sum = to_.arithmetic(k, "add", 1);
    if (nu == 2.5) sum = combine(to_, "add", {sum, to_.arithmetic(to_.map(k, "square"), "divide", 3)});
    return stationary(combine(to_, "multiply", {sum, exponential(k, -1)}));
  }

  KernelValues rational_quadratic(const Estimator& kernel) {
    const double alpha = kernel.real("alpha"), scale = kernel.real("length_scale");
    const ValueId d = pairwise(to_, x_, "squared_euclidean", rows_);
    const ValueId base = to_.arithmetic(to_.arithmetic(d, "divide", 2 * alpha * scale * scale), "add", 1);
    return stationary(exponential(to_.map(base, "log"), -alpha));
  }

  KernelValues exp_sine_squared(const Estimator& kernel) {
    const ValueId d = pairwise(to_, x_, "euclidean", rows_);
    ValueId sine = to_.arithmetic(to_.arithmetic(d, "multiply", M_PI), "divide", kernel.real("periodicity"));
    sine = to_.arithmetic(to_.map(sine, "sin"), "divide", kernel.real("length_scale"));
    return stationary(exponential(to_.map(sine, "square"), -2));
  }

  KernelValues dot_product(const Estimator& kernel) {
    const double offset = kernel.real("sigma_0") * kernel.real("sigma_0");
    KernelValues out;
    out.cross = to_.arithmetic(pairwise(to_, x_, "dot", rows_), "add", offset);
    if (with_diagonal_) out.diagonal = to_.arithmetic(reduce(to_, x_, "sum_of_squares"), "add", offset);
    return out;
  }

  Lowering& to_;
  ValueId x_;
  Array<double> rows_;
  bool with_diagonal_;
};

Array<double> training_rows(const Estimator& from, const Lowering& to, ValueId in) {
  const Array<double> rows = matrix(from, "X_train_");
  from.require(columns_of(rows) == to.columns(in), "X_train_ has shape " + rows.shape().to_text());
  return rows;
}

// One binary classifier: its probability of the second class.
struct Binary {
  ValueId probability, latent;
};

// sklearn/gaussian_process/_gpc.py: the logistic function as a sum of five error functions.
Binary lower_laplace(Lowering& to, const Estimator& from, ValueId in) {
  static constexpr double kLambdas[] = {0.41, 0.4, 0.37, 0.44, 0.39};
  static constexpr double kCoefficients[] = {-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654};
  const Array<double> rows = training_rows(from, to, in);
  const std::uint64_t n = rows_of(rows);
  const ValueId x = widen(to, to.check(in, {}));
  const KernelValues k = KernelLowering(to, x, rows, true).lower(from.child("kernel_"));
  const Array<double> y = from.reals("y_train_", 1), pi = vector(from, "pi_", n), w = vector(from, "W_sr_", n);
  from.require(y.size() == n, "y_train_ and X_train_ disagree");
  std::vector<double> residuals;
  for (std::size_t i = 0; i < n; ++i) residuals.push_back(y[i] - pi[i]);
  const ValueId f = to.linear(k.cross, reals(std::move(residuals), 1, n), {});
  auto solve = std::make_unique<program::SolveLower>();
  solve->lower = matrix(from, "L_", n, n);
  const ValueId v = to.add(std::move(solve), to.arithmetic(k.cross, "multiply", w));
  const ValueId variance = combine(to, "subtract", {k.diagonal, reduce(to, v, "sum_of_squares")});
  // With alpha = 1 / (2 variance), each integral is erf(lambda f sqrt(alpha / (alpha + lambda^2))) / 2.
  const ValueId alpha = to.map(to.arithmetic(variance, "multiply", 2), "reciprocal");
  std::vector<ValueId> terms;
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double lambda = kLambdas[i];
    const ValueId share = combine(to, "divide", {alpha, to.arithmetic(alpha, "add", lambda * lambda)});
    const ValueId argument = combine(to, "multiply", {to.arithmetic(f, "multiply", lambda), to.map(share, "sqrt")});
    terms.push_back(to.arithmetic(to.arithmetic(to.map(argument, "erf"), "divide", 2), "multiply", kCoefficients[i]));
    sum += kCoefficients[i];
  }
  return {to.arithmetic(combine(to, "add", terms), "add", 0.5 * sum), f};
}

}  // namespace

Methods lower_gaussian_process_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> rows = training_rows(from, to, in);
  const bool flat = dimensions(from, "alpha_") == 1;
  Array<double> alpha = matrix(from, "alpha_");
  if (!flat) alpha = transposed(alpha);
  from.require(columns_of(alpha) == rows_of(rows), "alpha_ and X_train_ disagree");
  const ValueId x = widen(to, to.check(in, {}));
  const KernelValues k = KernelLowering(to, x, rows, false).lower(from.child("kernel_"));
  ValueId mean = to.linear(k.cross, alpha, {});
  mean = to.arithmetic(mean, "multiply", vector(from, "_y_train_std"));
  Methods methods;
  to.add_numbers(methods, to.arithmetic(mean, "add", vector(from, "_y_train_mean")), flat);
  return methods;
}

Methods lower_gaussian_process_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const Labels labels = classes_of(from);
  const Estimator base = from.child("base_estimator_");
  Methods methods;
  if (labels.count == 2) {
    const Binary binary = lower_laplace(to, base, in);
    to.add_classes(methods, to.above(binary.latent, 0), {labels});
    methods.add("predict_proba", to.with_complement(binary.probability));
    return methods;
  }
  if (!from.is_text("multi_class", "one_vs_rest")) from.refuse("multi_class is not 'one_vs_rest'");
  const std::vector<NodeId> members = base.members("estimators_");
  from.require(members.size() == labels.count, "it has not an estimator a class");
  std::vector<ValueId> parts;
  for (const NodeId member : members) {
    parts.push_back(lower_laplace(to, Estimator(from.reader(), member), in).probability);
  }
  const ValueId all = to.concat(parts);
  // It is a OneVsRestClassifier: of equal ones the last class won up to 1.8.
  to.add_classes(methods, to.version(from) >= Version{1, 9} ? to.arg_max(all) : last_arg_max(to, all), {labels});
  methods.add("predict_proba", to.normalize_rows(all));
  return methods;
}

}  // namespace mere::lower
