#include "program/operators/pairwise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <mere/error.hpp>

namespace mere::program {

namespace {

struct Pair {
  const double* a;
  const double* b;
  std::size_t n;
};

template <class Term>
double sum_of(const Pair& p, Term term) {
  double sum = 0;
  for (std::size_t i = 0; i < p.n; ++i) sum += term(p.a[i], p.b[i]);
  return sum;
}

double dot(const Pair& p) {
  return sum_of(p, [](double a, double b) { return a * b; });
}
double squared_euclidean(const Pair& p) {
  return sum_of(p, [](double a, double b) { return (a - b) * (a - b); });
}
double manhattan(const Pair& p) {
  return sum_of(p, [](double a, double b) { return std::fabs(a - b); });
}

double chebyshev(const Pair& p) {
  double most = 0;
  for (std::size_t i = 0; i < p.n; ++i) most = std::max(most, std::fabs(p.a[i] - p.b[i]));
  return most;
}

double cosine_similarity(const Pair& p) {
  const double a = std::sqrt(dot({p.a, p.a, p.n})), b = std::sqrt(dot({p.b, p.b, p.n}));
  return dot(p) / ((a == 0 ? 1 : a) * (b == 0 ? 1 : b));
}

// Columns of which both are 0 add nothing.
double canberra(const Pair& p) {
  return sum_of(p, [](double a, double b) {
    const double sum = std::fabs(a) + std::fabs(b);
    return sum > 0 ? std::fabs(a - b) / sum : 0.0;
  });
}

double braycurtis(const Pair& p) {
  const double sum = sum_of(p, [](double a, double b) { return std::fabs(a) + std::fabs(b); });
  return sum > 0 ? manhattan(p) / sum : 0.0;
}

double hamming(const Pair& p) {
  return sum_of(p, [](double a, double b) { return a != b ? 1.0 : 0.0; }) / static_cast<double>(p.n);
}

// Over the columns that both know, scaled to all columns; NaN if there is none.
double nan_euclidean(const Pair& p) {
  double known = 0;
  const double sum = sum_of(p, [&](double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return 0.0;
    known += 1;
    return (a - b) * (a - b);
  });
  if (known == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(sum / known * static_cast<double>(p.n));
}

double additive_chi2(const Pair& p) {
  return -sum_of(p, [](double a, double b) { return a + b != 0 ? (a - b) * (a - b) / (a + b) : 0.0; });
}

// Whole powers by squaring, as libsvm has them.
double whole_power(double base, double exponent) {
  double power = 1;
  for (auto n = static_cast<std::uint64_t>(exponent); n > 0; n /= 2) {
    if (n % 2 == 1) power *= base;
    base *= base;
  }
  return power;
}

double power(double base, double exponent) {
  const bool whole = exponent >= 0 && exponent < 1024 && exponent == std::floor(exponent);
  return whole ? whole_power(base, exponent) : std::pow(base, exponent);
}

double minkowski(const Pair& p, const Pairwise& of) {
  return std::pow(sum_of(p, [&](double a, double b) { return std::pow(std::fabs(a - b), of.degree); }), 1 / of.degree);
}

struct NamedFunction {
  std::string_view name;
  double (*call)(const Pair& p, const Pairwise& of);
};

constexpr NamedFunction kFunctions[] = {
    {"squared_euclidean", [](const Pair& p, const Pairwise&) { return squared_euclidean(p); }},
    {"euclidean", [](const Pair& p, const Pairwise&) { return std::sqrt(squared_euclidean(p)); }},
    {"manhattan", [](const Pair& p, const Pairwise&) { return manhattan(p); }},
    {"chebyshev", [](const Pair& p, const Pairwise&) { return chebyshev(p); }},
    {"minkowski", minkowski},
    {"cosine", [](const Pair& p, const Pairwise&) { return std::clamp(1 - cosine_similarity(p), 0.0, 2.0); }},
    {"canberra", [](const Pair& p, const Pairwise&) { return canberra(p); }},
    {"braycurtis", [](const Pair& p, const Pairwise&) { return braycurtis(p); }},
    {"hamming", [](const Pair& p, const Pairwise&) { return hamming(p); }},
    {"nan_euclidean", [](const Pair& p, const Pairwise&) { return nan_euclidean(p); }},
    {"dot", [](const Pair& p, const Pairwise&) { return dot(p); }},
    {"cosine_similarity", [](const Pair& p, const Pairwise&) { return cosine_similarity(p); }},
    {"rbf", [](const Pair& p, const Pairwise& of) { return std::exp(-of.gamma * squared_euclidean(p)); }},
    {"laplacian", [](const Pair& p, const Pairwise& of) { return std::exp(-of.gamma * manhattan(p)); }},
    {"polynomial", [](const Pair& p, const Pairwise& of) { return power(of.gamma * dot(p) + of.coef0, of.degree); }},
    {"sigmoid", [](const Pair& p, const Pairwise& of) { return std::tanh(of.gamma * dot(p) + of.coef0); }},
    {"additive_chi2", [](const Pair& p, const Pairwise&) { return additive_chi2(p); }},
    {"chi2", [](const Pair& p, const Pairwise& of) { return std::exp(of.gamma * additive_chi2(p)); }},
};

const NamedFunction* find_function(std::string_view name) {
  for (const NamedFunction& known : kFunctions) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace

void Pairwise::fields(Fields& fields) {
  fields.field("function", function);
  fields.field("vectors", vectors);
  fields.field("gamma", gamma);
  fields.field("coef0", coef0);
  fields.field("degree", degree);
}

std::uint64_t Pairwise::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (!find_function(function)) fail_check(*this, "there is no function " + function);
  if (vectors.shape().size() != 2 || static_cast<std::uint64_t>(vectors.shape()[1]) != in_columns[0]) {
    fail_check(*this, "vectors have shape " + vectors.shape().to_text() + " for " + std::to_string(in_columns[0]) +
                          " columns");
  }
  return static_cast<std::uint64_t>(vectors.shape()[0]);
}

void Pairwise::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const auto call = find_function(function)->call;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < out.columns; ++c) {
      out.row(r)[c] = call({x.row(r), vectors.data() + c * x.columns, x.columns}, *this);
    }
  }
}

void Neighbors::fields(Fields& fields) {
  fields.field("count", count);
  fields.field("radius", radius);
  fields.field("by_distance", by_distance);
  fields.field("refuse_empty", refuse_empty);
}

std::uint64_t Neighbors::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (count < 0 || static_cast<std::uint64_t>(count) > in_columns[0]) {
    fail_check(*this, std::to_string(count) + " neighbours of " + std::to_string(in_columns[0]));
  }
  return in_columns[0];
}

void Neighbors::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  std::vector<std::size_t> order(x.columns);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* distance = x.row(r);
    double* weight = out.row(r);
    std::fill_n(weight, out.columns, 0.0);
    std::size_t near = 0;
    if (count == 0) {
      for (std::size_t c = 0; c < x.columns; ++c) {
        if (distance[c] <= radius) order[near++] = c;
      }
    } else {
      near = static_cast<std::size_t>(count);
      std::iota(order.begin(), order.end(), std::size_t{0});
      // NaN is behind every number, so that the order is a strict one.
      const auto before = [&](std::size_t a, std::size_t b) {
        const double da = distance[a], db = distance[b];
        if (std::isnan(da) || std::isnan(db)) return std::isnan(da) == std::isnan(db) ? a < b : std::isnan(db);
        return da < db || (da == db && a < b);
      };
      std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(near - 1), order.end(), before);
    }
    if (near == 0 && refuse_empty) {
      throw Error(Reason::bad_argument,
                  "the input at row " + std::to_string(x.first_row + r) + " has no neighbours within the radius");
    }
    bool touches = false;
    for (std::size_t i = 0; i < near; ++i) touches |= distance[order[i]] == 0;
    for (std::size_t i = 0; i < near; ++i) {
      const double d = distance[order[i]];
      weight[order[i]] = !by_distance ? 1 : touches ? (d == 0 ? 1 : 0) : 1 / d;
    }
  }
}

}  // namespace mere::program
