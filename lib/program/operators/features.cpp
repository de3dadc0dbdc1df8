#include "program/operators/features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <mere/error.hpp>
#include <mere/size.hpp>

namespace mere::program {

namespace {

constexpr std::int64_t kMaxDegree = 64;

std::string at(const Matrix& x, std::size_t row, std::size_t column) {
  return "the input at row " + std::to_string(x.first_row + row) + ", column " + std::to_string(column) + " is " +
         std::to_string(x.row(row)[column]);
}

}  // namespace

void Products::fields(Fields& fields) {
  fields.field("parents", parents);
  fields.field("columns", columns);
}

std::uint64_t Products::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (columns.shape().size() != 1) fail_check(*this, "columns have shape " + columns.shape().to_text());
  const std::uint64_t terms[] = {columns.size()};
  require_shape(*this, "parents", parents.shape(), terms);
  return columns.size();
}

void Products::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* to = out.row(r);
    for (std::size_t t = 0; t < out.columns; ++t) {
      const double factor = x.row(r)[std::min<std::size_t>(columns[t], x.columns - 1)];
      to[t] = parents[t] < t ? to[parents[t]] * factor : factor;
      if (x.single) to[t] = static_cast<float>(to[t]);
    }
  }
}

void Convolve::fields(Fields& fields) {
  fields.field("factors", factors);
}

std::uint64_t Convolve::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (factors < 1 || in_columns[0] % static_cast<std::uint64_t>(factors) != 0) {
    fail_check(*this, std::to_string(in_columns[0]) + " columns are no " + std::to_string(factors) + " factors");
  }
  return in_columns[0] / static_cast<std::uint64_t>(factors);
}

void Convolve::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const std::size_t n = out.columns;
  std::vector<double> sums(n);
  for (std::size_t r = 0; r < out.rows; ++r) {
    const double* factor = in[0].row(r);
    double* made = out.row(r);
    std::copy_n(factor, n, made);
    for (std::size_t f = 1; f < in[0].columns / n; ++f) {
      factor += n;
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::size_t i = 0; i < n; ++i) {
        // made[i] * factor[k] goes to place i + k, counted around.
        for (std::size_t k = 0; k < n - i; ++k) sums[i + k] += made[i] * factor[k];
        for (std::size_t k = n - i; k < n; ++k) sums[i + k - n] += made[i] * factor[k];
      }
      std::copy(sums.begin(), sums.end(), made);
    }
  }
}

void Splines::fields(Fields& fields) {
  fields.field("knots", knots);
  fields.field("degree", degree);
  fields.field("outside", outside);
}

std::size_t Splines::splines() const {
  return static_cast<std::size_t>(knots.shape()[1] - degree - 1);
}

std::uint64_t Splines::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (outside != "refuse" && outside != "constant" && outside != "linear" && outside != "continue" &&
      outside != "periodic") {
    fail_check(*this, "outside is " + outside);
  }
  if (degree < 0 || degree > kMaxDegree) fail_check(*this, "degree is " + std::to_string(degree));
  if (knots.shape().size() != 2 || static_cast<std::uint64_t>(knots.shape()[0]) != in_columns[0] ||
      knots.shape()[1] < 2 * degree + 2) {
    fail_check(*this, "knots have shape " + knots.shape().to_text() + " for " + std::to_string(in_columns[0]) +
                          " columns and degree " + std::to_string(degree));
  }
  const auto folded = static_cast<std::size_t>(outside == "periodic" ? degree : 0);
  if (splines() < 2 * folded) fail_check(*this, "a period has fewer splines than its degree");
  const std::size_t made = splines() - folded;
  return (Size(made) * Size(in_columns[0])).get("Splines", Reason::schema);
}

// Cox and de Boor: the splines of degree `k` that are not 0 between the knots around x; returns the first one's index.
// The interval is one of those where all splines of the full degree sum to 1; the outer ones reach beyond.
std::size_t Splines::nonzero(const double* t, double x, std::size_t k, double* b) const {
  const auto full = static_cast<std::size_t>(degree);
  const auto after = static_cast<std::size_t>(std::upper_bound(t + full + 1, t + splines(), x) - t);
  const std::size_t interval = after - 1;
  b[0] = 1;
  for (std::size_t d = 1; d <= k; ++d) {
    double carried = 0;
    for (std::size_t j = 0; j < d; ++j) {
      const double right = t[interval + j + 1], left = t[interval + 1 + j - d];
      const double weight = right == left ? 0 : b[j] / (right - left);
      b[j] = carried + weight * (right - x);
      carried = weight * (x - left);
    }
    b[d] = carried;
  }
  return interval - k;
}

void Splines::values_of(const double* t, double x, double* values) const {
  const auto k = static_cast<std::size_t>(degree);
  double b[kMaxDegree + 1];
  std::fill_n(values, splines(), 0.0);
  std::copy_n(b, k + 1, values + nonzero(t, x, k, b));
}

// Spline i has the slope k * (B[i] / (t[i + k] - t[i]) - B[i + 1] / (t[i + k + 1] - t[i + 1])), with B of one degree
// less.
void Splines::slopes_of(const double* t, double x, double* slopes) const {
  const auto k = static_cast<std::size_t>(degree);
  double b[kMaxDegree + 1];
  std::fill_n(slopes, splines(), 0.0);
  const std::size_t first = nonzero(t, x, k - 1, b);
  for (std::size_t j = 0; j < k; ++j) {
    const std::size_t i = first + j;
    const double width = t[i + k] - t[i];
    const double slope = width == 0 ? 0 : static_cast<double>(k) * b[j] / width;
    slopes[i] += slope;
    if (i > 0) slopes[i - 1] -= slope;
  }
}

// sklearn/preprocessing/_polynomial.py, SplineTransformer.transform.
void Splines::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const auto k = static_cast<std::size_t>(degree);
  const std::size_t n = splines(), count = static_cast<std::size_t>(knots.shape()[1]);
  const std::size_t made = out.columns / x.columns;
  std::vector<double> values(n), slopes(n);
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double* t = knots.data() + c * count;
      const double low = t[k], high = t[n];
      double number = x.row(r)[c];
      double* to = out.row(r) + c * made;
      const bool is_outside = number < low || number > high;
      if (is_outside && outside == "refuse") {
        throw Error(Reason::bad_argument, at(x, r, c) + ", outside of the knots");
      }
      if (outside == "periodic") number = low + std::fmod(number - low, high - low);
      if (outside == "periodic" && number < low) number += high - low;
      if (!is_outside || outside == "continue" || outside == "periodic") {
        values_of(t, number, values.data());
      } else {
        const double end = number < low ? low : high;
        values_of(t, end, values.data());
        if (outside == "linear" && k > 0) {
          slopes_of(t, end, slopes.data());
          for (std::size_t i = 0; i < n; ++i) values[i] += (number - end) * slopes[i];
        }
      }
      for (std::size_t i = 0; i < made; ++i) to[i] = values[i];
      for (std::size_t i = made; i < n; ++i) to[i - made] += values[i];
      if (x.single) {
        for (std::size_t i = 0; i < made; ++i) to[i] = static_cast<float>(to[i]);
      }
    }
  }
}

void PowerTransform::fields(Fields& fields) {
  fields.field("box_cox", box_cox);
  fields.field("lambdas", lambdas);
}

std::uint64_t PowerTransform::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_shape(*this, "lambdas", lambdas.shape(), in_columns);
  return in_columns[0];
}

void PowerTransform::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  constexpr double kZero = std::numeric_limits<double>::epsilon();
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double number = x.row(r)[c], lambda = lambdas[c];
      double result = number;
      if (box_cox) {
        if (number <= 0) throw Error(Reason::bad_argument, at(x, r, c) + ", which is not above 0");
        result = lambda == 0 ? std::log(number) : std::expm1(lambda * std::log(number)) / lambda;
      } else if (number >= 0) {
        result = std::fabs(lambda) < kZero ? std::log1p(number) : (std::pow(number + 1, lambda) - 1) / lambda;
      } else if (number < 0) {
        result = std::fabs(lambda - 2) > kZero ? -(std::pow(1 - number, 2 - lambda) - 1) / (2 - lambda)
                                               : -std::log1p(-number);
      }
      out.row(r)[c] = x.single ? static_cast<float>(result) : result;
    }
  }
}

void SolveLower::fields(Fields& fields) {
  fields.field("lower", lower);
}

std::uint64_t SolveLower::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  const std::uint64_t shape[] = {in_columns[0], in_columns[0]};
  require_shape(*this, "lower", lower.shape(), shape);
  return in_columns[0];
}

void SolveLower::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* z = out.row(r);
    for (std::size_t i = 0; i < x.columns; ++i) {
      const double* row = lower.data() + i * x.columns;
      double sum = x.row(r)[i];
      for (std::size_t j = 0; j < i; ++j) sum -= row[j] * z[j];
      z[i] = sum / row[i];
    }
  }
}

void NotBelow::fields(Fields& fields) {
  fields.field("low", low);
}

std::uint64_t NotBelow::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  return in_columns[0];
}

void NotBelow::apply(std::span<const Matrix> in, MutableMatrix&) const {
  const Matrix& x = in[0];
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      if (x.row(r)[c] < low) throw Error(Reason::bad_argument, at(x, r, c) + ", below " + std::to_string(low));
    }
  }
}

}  // namespace mere::program
