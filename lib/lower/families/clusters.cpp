// Clusters by their centres, and mixtures of normal distributions.

#include <cmath>

#include "lower/families.hpp"
#include "lower/families/algebra.hpp"
#include "lower/families/steps.hpp"

namespace mere::lower {

namespace {

// sklearn/cluster/_k_means_common: |c|^2 - 2 x.c, a column a centre, which is least where the centre is nearest.
ValueId shortened_distances(Lowering& to, ValueId x, const Array<double>& centers) {
  const std::size_t columns = columns_of(centers);
  std::vector<double> bias(static_cast<std::size_t>(rows_of(centers)), 0.0);
  for (std::size_t i = 0; i < centers.size(); ++i) bias[i / columns] += centers[i] * centers[i];
  return to.linear(x, mapped(centers, [](double c) { return -2 * c; }), reals(std::move(bias)));
}

// predict of a clusterer: the number of the cluster.
void add_clusters(Methods& methods, ValueId index) {
  Method& method = methods.add("predict", index);
  method.flat = method.integer = true;
}

Array<double> centers_of(const Estimator& from, const Lowering& to, ValueId in) {
  const Array<double> centers = matrix(from, "cluster_centers_");
  from.require(columns_of(centers) == to.columns(in), "cluster_centers_ has shape " + centers.shape().to_text());
  return centers;
}

}  // namespace

Methods lower_k_means(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> centers = centers_of(from, to, in);
  const ValueId x = to.check(in, {});
  Methods methods;
  add_clusters(methods, to.arg_max(to.map(shortened_distances(to, x, centers), "negative")));
  methods.add("transform", pairwise(to, x, "euclidean", centers));
  return methods;
}

namespace {

constexpr std::size_t kMaxTreeNodes = 1 << 16;

// The hierarchy of a BisectingKMeans, flat: each inner node has the centres of its two children.
struct Bisections {
  std::vector<double> left, right;  // centres
  struct Leaf {
    std::int64_t label = 0;
    std::vector<std::pair<std::size_t, bool>> turns;  // at which node, whether to the right
  };
  std::vector<Leaf> leaves;
};

Bisections read_bisections(const Estimator& from, std::uint64_t columns) {
  struct Open {
    NodeId node = kNoNode;
    std::vector<std::pair<std::size_t, bool>> turns;
  };
  std::vector<double> mean(static_cast<std::size_t>(columns), 0.0);
  if (from.find("_X_mean") != kNoNode) {
    const Array<double> stored = vector(from, "_X_mean", columns);
    mean.assign(stored.begin(), stored.end());
  }
  Bisections out;
  std::vector<Open> open{{from.need("_bisecting_tree"), {}}};
  for (std::size_t steps = 0; !open.empty(); ++steps) {
    from.require(steps < kMaxTreeNodes, "its tree has too many nodes");
    const Open now = std::move(open.back());
    open.pop_back();
    const Estimator node(from.reader(), now.node);
    if (node.find("left") == kNoNode) {
      out.leaves.push_back({node.integer("label"), now.turns});
      continue;
    }
    const std::size_t inner = out.left.size() / columns;
    for (const bool right : {false, true}) {
      const Estimator child = node.child(right ? "right" : "left");
      const Array<double> center = vector(child, "center", columns);
      std::vector<double>& to = right ? out.right : out.left;
      for (std::size_t c = 0; c < columns; ++c) to.push_back(center[c] + mean[c]);
      Open next{child.node(), now.turns};
      next.turns.emplace_back(inner, right);
      open.push_back(std::move(next));
    }
  }
  return out;
}

}  // namespace

// A leaf is right where every node on the way to it turns towards it: then its sum is 0, and those of others are less.
Methods lower_bisecting_k_means(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in);
  const ValueId x = to.check(in, {});
  Methods methods;
  const Bisections tree = read_bisections(from, columns);
  const std::size_t nodes = tree.left.size() / columns;
  if (nodes == 0) {
    add_clusters(methods, constant(to, x, reals({static_cast<double>(tree.leaves[0].label)})));
  } else {
    const ValueId left = shortened_distances(to, x, reals(tree.left, nodes, columns));
    const ValueId right = shortened_distances(to, x, reals(tree.right, nodes, columns));
    const ValueId turns = to.above(combine(to, "subtract", {left, right}), 0);
    std::vector<double> weights(nodes * tree.leaves.size(), 0.0), bias(tree.leaves.size(), 0.0);
    for (const Bisections::Leaf& leaf : tree.leaves) {
      from.require(leaf.label >= 0 && static_cast<std::size_t>(leaf.label) < tree.leaves.size(),
                   "a label of its tree is out of range");
      const auto at = static_cast<std::size_t>(leaf.label);
      for (const auto& [node, is_right] : leaf.turns) {
        weights[at * nodes + node] = is_right ? 1 : -1;
        if (is_right) bias[at] -= 1;
      }
    }
    const ValueId sums = to.linear(turns, reals(std::move(weights), tree.leaves.size(), nodes), reals(std::move(bias)));
    add_clusters(methods, to.arg_max(sums));
  }
  methods.add("transform", pairwise(to, x, "euclidean", centers_of(from, to, in)));
  return methods;
}

namespace {

// sklearn/mixture/_gaussian_mixture.py, _estimate_log_gaussian_prob: a column a component.
ValueId log_normal(Lowering& to, const Estimator& from, ValueId x, std::uint64_t count) {
  const std::uint64_t d = to.columns(x);
  const Array<double> means = matrix(from, "means_", count, d);
  const std::string type = from.text("covariance_type");
  std::vector<double> weights, bias, log_determinants;
  const std::string_view name = "precisions_cholesky_";
  Array<double> cholesky;
  if (type == "full") {
    cholesky = from.reals(name, 3);
    from.require(cholesky.size() == count * d * d && static_cast<std::uint64_t>(cholesky.shape()[0]) == count &&
                     static_cast<std::uint64_t>(cholesky.shape()[1]) == d,
                 "precisions_cholesky_ has shape " + cholesky.shape().to_text());
  } else if (type == "tied") {
    cholesky = matrix(from, name, d, d);
  } else if (type == "diag") {
    cholesky = matrix(from, name, count, d);
  } else if (type == "spherical") {
    cholesky = vector(from, name, count);
  } else {
    from.refuse("covariance_type is '" + type + "'");
  }
  for (std::size_t k = 0; k < count; ++k) {
    const double* mean = means.data() + k * d;
    double log_determinant = 0;
    for (std::size_t j = 0; j < d; ++j) {
      double offset = 0;
      for (std::size_t i = 0; i < d; ++i) {
        double w = 0;
        if (type == "full") w = cholesky[(k * d + i) * d + j];
        if (type == "tied") w = cholesky[i * d + j];
        if (type == "diag" && i == j) w = cholesky[k * d + j];
        if (type == "spherical" && i == j) w = cholesky[k];
        if (i == j) log_determinant += std::log(w);
        offset += mean[i] * w;
        weights.push_back(w);
      }
      bias.push_back(-offset);
    }
    log_determinants.push_back(log_determinant);
  }
  const ValueId y = to.linear(x, reals(std::move(weights), count * d, d), reals(std::move(bias)));
  ValueId log_p = to.arithmetic(reduce(to, y, "sum_of_squares", d), "add", static_cast<double>(d) * std::log(2 * M_PI));
  return to.arithmetic(to.arithmetic(log_p, "multiply", -0.5), "add", reals(std::move(log_determinants)));
}

Methods mixture(Lowering& to, ValueId weighted) {
  const ValueId sum = reduce(to, weighted, "log_sum_exp");
  Methods methods;
  add_clusters(methods, to.arg_max(weighted));
  methods.add("predict_proba", to.map(combine(to, "subtract", {weighted, sum}), "exp"));
  methods.add("score_samples", sum).flat = true;
  return methods;
}

}  // namespace

Methods lower_gaussian_mixture(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> weights = vector(from, "weights_");
  const ValueId log_p = log_normal(to, from, widen(to, to.check(in, {})), weights.size());
  return mixture(to, to.arithmetic(log_p, "add", mapped(weights, [](double w) { return std::log(w); })));
}

// sklearn/mixture/_bayesian_mixture.py: expectations of the logarithms under the posterior.
Methods lower_bayesian_gaussian_mixture(Lowering& to, const Estimator& from, ValueId in) {
  const Array<double> freedom = vector(from, "degrees_of_freedom_");
  const Array<double> precision = vector(from, "mean_precision_");
  const std::size_t count = precision.size();
  from.require(freedom.size() == count || freedom.size() == 1, "degrees_of_freedom_ and mean_precision_ disagree");
  const auto d = static_cast<double>(to.columns(in));
  std::vector<double> offsets, log_weights;
  for (std::size_t k = 0; k < count; ++k) {
    const double degrees = freedom[freedom.size() == 1 ? 0 : k];
    double log_lambda = d * std::log(2.0);
    for (std::size_t i = 0; i < to.columns(in); ++i) {
      log_lambda += digamma(0.5 * (degrees - static_cast<double>(i)));
    }
    offsets.push_back(-0.5 * d * std::log(degrees) + 0.5 * (log_lambda - d / precision[k]));
  }
  if (from.is_text("weight_concentration_prior_type", "dirichlet_process")) {
    const std::vector<NodeId> pair = from.members("weight_concentration_");
    from.require(pair.size() == 2, "weight_concentration_ is no pair");
    const Array<double> a = from.reals_of(pair[0], "weight_concentration_", 1);
    const Array<double> b = from.reals_of(pair[1], "weight_concentration_", 1);
    from.require(a.size() == count && b.size() == count, "weight_concentration_ has another length");
    double before = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const double both = digamma(a[k] + b[k]);
      log_weights.push_back(digamma(a[k]) - both + before);
      before += digamma(b[k]) - both;
    }
  } else {
    const Array<double> a = vector(from, "weight_concentration_", count);
    double sum = 0;
    for (const double v : a) sum += v;
    for (const double v : a) log_weights.push_back(digamma(v) - digamma(sum));
  }
  ValueId log_p = log_normal(to, from, widen(to, to.check(in, {})), count);
  log_p = to.arithmetic(log_p, "add", reals(std::move(offsets)));
  return mixture(to, to.arithmetic(log_p, "add", reals(std::move(log_weights))));
}

}  // namespace mere::lower
