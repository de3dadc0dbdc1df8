#include "lower/families/algebra.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include <mere/error.hpp>

namespace mere::lower {

namespace {

std::size_t side_of(const Array<double>& matrix) {
  if (matrix.shape().size() != 2 || matrix.shape()[0] != matrix.shape()[1]) {
    throw Error(Reason::schema, "a matrix of shape " + matrix.shape().to_text() + " is not square");
  }
  return static_cast<std::size_t>(matrix.shape()[0]);
}

}  // namespace

Array<double> inverse(const Array<double>& matrix) {
  const std::size_t n = side_of(matrix);
  std::vector<double> a(matrix.begin(), matrix.end()), b(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) b[i * n + i] = 1;
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < n; ++r) {
      if (std::fabs(a[r * n + c]) > std::fabs(a[pivot * n + c])) pivot = r;
    }
    if (!(std::fabs(a[pivot * n + c]) > 0)) throw Error(Reason::schema, "a matrix that has to be inverted is singular");
    for (std::size_t j = 0; j < n && pivot != c; ++j) {
      std::swap(a[c * n + j], a[pivot * n + j]);
      std::swap(b[c * n + j], b[pivot * n + j]);
    }
    const double by = 1 / a[c * n + c];
    for (std::size_t j = 0; j < n; ++j) {
      a[c * n + j] *= by;
      b[c * n + j] *= by;
    }
    for (std::size_t r = 0; r < n; ++r) {
      const double times = a[r * n + c];
      if (r == c || times == 0) continue;
      for (std::size_t j = 0; j < n; ++j) {
        a[r * n + j] -= times * a[c * n + j];
        b[r * n + j] -= times * b[c * n + j];
      }
    }
  }
  return Array<double>(std::move(b), matrix.shape());
}

Array<double> product(const Array<double>& a, const Array<double>& b) {
  if (a.shape().size() != 2 || b.shape().size() != 2 || a.shape()[1] != b.shape()[0]) {
    throw Error(Reason::schema,
                "matrices of shapes " + a.shape().to_text() + " and " + b.shape().to_text() + " have no product");
  }
  const auto rows = static_cast<std::size_t>(a.shape()[0]), inner = static_cast<std::size_t>(a.shape()[1]);
  const auto columns = static_cast<std::size_t>(b.shape()[1]);
  std::vector<double> out(rows * columns, 0.0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < inner; ++k) {
      for (std::size_t c = 0; c < columns; ++c) out[r * columns + c] += a[r * inner + k] * b[k * columns + c];
    }
  }
  return Array<double>(std::move(out), {a.shape()[0], b.shape()[1]});
}

double log_determinant(const Array<double>& matrix) {
  const std::size_t n = side_of(matrix);
  std::vector<double> a(matrix.begin(), matrix.end());
  double sum = 0;
  for (std::size_t c = 0; c < n; ++c) {
    const double pivot = a[c * n + c];
    if (!(pivot > 0)) throw Error(Reason::schema, "a matrix that has to be positive definite is not");
    sum += std::log(pivot);
    for (std::size_t r = c + 1; r < n; ++r) {
      const double times = a[r * n + c] / pivot;
      for (std::size_t j = c; j < n; ++j) a[r * n + j] -= times * a[c * n + j];
    }
  }
  return sum;
}

// By its recurrence up to 10, then Stirling's series.
double digamma(double x) {
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double inverse_square = 1 / (x * x);
  constexpr double kTerms[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
  double power = inverse_square;
  sum += std::log(x) - 0.5 / x;
  for (const double term : kTerms) {
    sum -= term * power;
    power *= inverse_square;
  }
  return sum;
}

}  // namespace mere::lower
