#include "program/operators/missing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mere::program {

namespace {

bool is_missing(double x, double missing) {
  return std::isnan(missing) ? std::isnan(x) : x == missing;
}

// Over the columns that both know, scaled to all; NaN if there is none.
double nan_euclidean(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  std::size_t known = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    sum += (a[i] - b[i]) * (a[i] - b[i]);
    ++known;
  }
  if (known == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(sum / static_cast<double>(known) * static_cast<double>(n));
}

}  // namespace

void Impute::fields(Fields& fields) {
  fields.field("missing", missing);
  fields.field("replacement", replacement);
}

std::uint64_t Impute::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_shape(*this, "replacement", replacement.shape(), in_columns);
  return in_columns[0];
}

void Impute::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double number = x.row(r)[c];
      const double by = x.single ? static_cast<float>(replacement[c]) : replacement[c];
      out.row(r)[c] = is_missing(number, missing) ? by : number;
    }
  }
}

void IsMissing::fields(Fields& fields) {
  fields.field("missing", missing);
}

std::uint64_t IsMissing::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  return in_columns[0];
}

void IsMissing::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  // NumPy's answer is of booleans, which go with float32 as float32.
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) out.row(r)[c] = is_missing(x.row(r)[c], missing) ? 1 : 0;
  }
}

void ImputeNearest::fields(Fields& fields) {
  fields.field("rows", rows);
  fields.field("count", count);
  fields.field("by_distance", by_distance);
}

std::uint64_t ImputeNearest::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (rows.empty() || rows.shape().size() != 2 || static_cast<std::uint64_t>(rows.shape()[1]) != in_columns[0]) {
    fail_check(*this,
               "rows have shape " + rows.shape().to_text() + " for " + std::to_string(in_columns[0]) + " columns");
  }
  if (count < 1) fail_check(*this, "count is " + std::to_string(count));
  return in_columns[0];
}

// sklearn/impute/_knn.py: among the rows that know the column, the nearest; where no distance is known, the column's
// mean.
void ImputeNearest::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const auto donors = static_cast<std::size_t>(rows.shape()[0]);
  std::vector<double> distance(donors);
  std::vector<std::pair<double, std::size_t>> near;
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    double* to = out.row(r);
    std::copy_n(row, x.columns, to);
    if (std::none_of(row, row + x.columns, [](double v) { return std::isnan(v); })) continue;
    for (std::size_t d = 0; d < donors; ++d) {
      distance[d] = nan_euclidean(row, rows.data() + d * x.columns, x.columns);
    }
    for (std::size_t c = 0; c < x.columns; ++c) {
      if (!std::isnan(row[c])) continue;
      near.clear();
      double total = 0;
      std::size_t known = 0;
      for (std::size_t d = 0; d < donors; ++d) {
        const double value = rows[d * x.columns + c];
        if (std::isnan(value)) continue;
        total += value;
        ++known;
        if (!std::isnan(distance[d])) near.emplace_back(distance[d], d);
      }
      if (near.empty()) {
        to[c] = known > 0 ? total / static_cast<double>(known) : 0;
      } else {
        const std::size_t taken = std::min(near.size(), static_cast<std::size_t>(count));
        std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(taken), near.end());
        double sum = 0, weights = 0;
        const bool touches = near[0].first == 0;
        for (std::size_t i = 0; i < taken; ++i) {
          const double d = near[i].first;
          const double weight = !by_distance ? 1 : touches ? (d == 0 ? 1 : 0) : 1 / d;
          const double value = rows[near[i].second * x.columns + c];
          sum += weight * (std::isnan(value) ? 0 : value);
          weights += weight;
        }
        to[c] = sum / weights;
      }
      if (x.single) to[c] = static_cast<float>(to[c]);
    }
  }
}

}  // namespace mere::program
