#include "program/operators/tables.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <mere/error.hpp>
#include <mere/size.hpp>

namespace mere::program {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Entries of a column's row.
std::uint64_t require_table(const Operator& op, std::string_view field, const Array<double>& table,
                            std::uint64_t columns) {
  if (table.empty() || table.shape().size() != 2 || static_cast<std::uint64_t>(table.shape()[0]) != columns) {
    fail_check(op, std::string(field) + " has shape " + table.shape().to_text() + " for " + std::to_string(columns) +
                       " columns");
  }
  return static_cast<std::uint64_t>(table.shape()[1]);
}

std::size_t width_of(const Array<double>& table) {
  return static_cast<std::size_t>(table.shape()[1]);
}

// A count from a file, bounded by the width of the table.
std::size_t bounded(std::int64_t count, std::size_t width) {
  return count < 0 ? 0 : std::min(width, static_cast<std::size_t>(count));
}

std::string at(const Matrix& x, std::size_t row, std::size_t column) {
  return "the input at row " + std::to_string(x.first_row + row) + ", column " + std::to_string(column) + " is " +
         std::to_string(x.row(row)[column]);
}

// numpy/core/src/multiarray/compiled_base.c, arr_interp, inside the points.
double interpolate(const double* xs, const double* ys, std::size_t n, double x) {
  if (std::isnan(x)) return x;
  if (x > xs[n - 1]) return ys[n - 1];
  if (x < xs[0]) return ys[0];
  const auto after = static_cast<std::size_t>(std::upper_bound(xs, xs + n, x) - xs);
  const std::size_t j = after == 0 ? 0 : after - 1;
  if (j + 1 >= n || xs[j] == x) return ys[j];
  const double slope = (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]);
  double y = slope * (x - xs[j]) + ys[j];
  if (std::isnan(y)) {
    y = slope * (x - xs[j + 1]) + ys[j + 1];
    if (std::isnan(y) && ys[j] == ys[j + 1]) y = ys[j];
  }
  return y;
}

}  // namespace

void Categorize::fields(Fields& fields) {
  fields.field("values", values);
  fields.field("counts", counts);
  fields.field("refuse_unknown", refuse_unknown);
  fields.field("unknown", unknown);
}

std::uint64_t Categorize::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_table(*this, "values", values, in_columns[0]);
  require_shape(*this, "counts", counts.shape(), in_columns);
  return in_columns[0];
}

void Categorize::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const std::size_t width = width_of(values);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double number = x.row(r)[c];
      const double* first = values.data() + c * width;
      const double* last = first + bounded(counts[c], width);
      const double* found =
          std::find_if(first, last, [=](double v) { return v == number || (std::isnan(v) && std::isnan(number)); });
      if (found == last && refuse_unknown) {
        throw Error(Reason::bad_argument, at(x, r, c) + ", which is no category that was seen in training");
      }
      out.row(r)[c] = found == last ? unknown : static_cast<double>(found - first);
    }
  }
}

void LookUp::fields(Fields& fields) {
  fields.field("table", table);
  fields.field("otherwise", otherwise);
}

std::uint64_t LookUp::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_table(*this, "table", table, in_columns[0]);
  require_shape(*this, "otherwise", otherwise.shape(), in_columns);
  return in_columns[0];
}

void LookUp::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const std::size_t width = width_of(table);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double index = x.row(r)[c];
      const bool inside = index >= 0 && index < static_cast<double>(width);
      out.row(r)[c] = inside ? table[c * width + static_cast<std::size_t>(index)] : otherwise[c];
    }
  }
}

void OneHot::fields(Fields& fields) {
  fields.field("widths", widths);
}

std::uint64_t OneHot::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_shape(*this, "widths", widths.shape(), in_columns);
  Size sum = 0;
  for (const std::int64_t width : widths) sum = sum + Size::from_signed(width);
  return sum.get("OneHot: widths", Reason::schema);
}

void OneHot::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* to = out.row(r);
    std::fill_n(to, out.columns, 0.0);
    std::size_t first = 0;
    for (std::size_t c = 0; c < x.columns; ++c) {
      // The widths may have changed since they were summed.
      const std::size_t width = bounded(widths[c], out.columns - first);
      const double index = x.row(r)[c];
      if (index >= 0 && index < static_cast<double>(width)) to[first + static_cast<std::size_t>(index)] = 1;
      first += width;
    }
  }
}

void Rank::fields(Fields& fields) {
  fields.field("edges", edges);
  fields.field("counts", counts);
}

std::uint64_t Rank::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_table(*this, "edges", edges, in_columns[0]);
  require_shape(*this, "counts", counts.shape(), in_columns);
  return in_columns[0];
}

void Rank::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const std::size_t width = width_of(edges);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double* first = edges.data() + c * width;
      const double* last = first + bounded(counts[c], width);
      out.row(r)[c] = static_cast<double>(std::upper_bound(first, last, x.row(r)[c]) - first);
    }
  }
}

void Interpolate::fields(Fields& fields) {
  fields.field("x", x);
  fields.field("y", y);
  fields.field("outside", outside);
}

std::uint64_t Interpolate::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (outside != "hold" && outside != "nan" && outside != "refuse") fail_check(*this, "outside is " + outside);
  const std::uint64_t shape[] = {in_columns[0], require_table(*this, "x", x, in_columns[0])};
  require_shape(*this, "y", y.shape(), shape);
  return in_columns[0];
}

void Interpolate::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& from = in[0];
  const std::size_t n = width_of(x);
  out.single = from.single;
  for (std::size_t r = 0; r < from.rows; ++r) {
    for (std::size_t c = 0; c < from.columns; ++c) {
      const double number = from.row(r)[c];
      const double* xs = x.data() + c * n;
      double result = interpolate(xs, y.data() + c * n, n, number);
      if (number < xs[0] || number > xs[n - 1]) {
        if (outside == "refuse") {
          throw Error(Reason::bad_argument, at(from, r, c) + ", outside of what was seen in training");
        }
        if (outside == "nan") result = kNan;
      }
      out.row(r)[c] = from.single ? static_cast<float>(result) : result;
    }
  }
}

void Quantiles::fields(Fields& fields) {
  fields.field("quantiles", quantiles);
  fields.field("references", references);
  fields.field("normal", normal);
}

std::uint64_t Quantiles::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  const std::uint64_t shape[] = {require_table(*this, "quantiles", quantiles, in_columns[0])};
  require_shape(*this, "references", references.shape(), shape);
  return in_columns[0];
}

// sklearn/preprocessing/_data.py, QuantileTransformer._transform_col: the mean of two interpolations, from below and
// from above, which differ where quantiles repeat.
void Quantiles::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const std::size_t n = width_of(quantiles);
  constexpr double kBound = 1e-7;
  // One step of doubles at 1: keeps the deviates finite.
  const double step = std::numeric_limits<double>::epsilon();
  const double least = normal_deviate(kBound - step), most = normal_deviate(1 - (kBound - step));
  std::vector<double> back(n), back_references(n);
  for (std::size_t i = 0; i < n; ++i) back_references[i] = -references[n - 1 - i];
  out.single = x.single;
  for (std::size_t c = 0; c < x.columns; ++c) {
    const double* points = quantiles.data() + c * n;
    for (std::size_t i = 0; i < n; ++i) back[i] = -points[n - 1 - i];
    for (std::size_t r = 0; r < x.rows; ++r) {
      const double number = x.row(r)[c];
      double share = 0.5 * (interpolate(points, references.data(), n, number) -
                            interpolate(back.data(), back_references.data(), n, -number));
      // As NumPy rounds when the column is stored.
      if (x.single) share = static_cast<float>(share);
      if (normal ? number + kBound > points[n - 1] : number == points[n - 1]) share = 1;
      if (normal ? number - kBound < points[0] : number == points[0]) share = 0;
      if (normal && !std::isnan(share)) share = std::clamp(normal_deviate(share), least, most);
      out.row(r)[c] = x.single ? static_cast<float>(share) : share;
    }
  }
}

// A first guess good to 1e-3 (Hastings' fraction) and Newton's steps on the tail that p lies in, which are exact to the
// last bits because the tail is never a difference of two numbers near 1.
double normal_deviate(double p) {
  if (std::isnan(p) || p < 0 || p > 1) return kNan;
  if (p == 0) return -std::numeric_limits<double>::infinity();
  if (p == 1) return std::numeric_limits<double>::infinity();
  if (p == 0.5) return 0;
  const bool upper = p > 0.5;
  const double tail = upper ? 1 - p : p;
  const double t = std::sqrt(-2 * std::log(tail));
  double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int i = 0; i < 8; ++i) {
    const double above = 0.5 * std::erfc(z / std::sqrt(2.0));
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979323846);
    if (!(density > 0)) break;
    // Halley's correction of Newton's step.
    const double newton = (above - tail) / density;
    const double move = newton / (1 - newton * z / 2);
    z += move;
    if (std::fabs(move) <= 1e-17 * std::fabs(z)) break;
  }
  return upper ? z : -z;
}

}  // namespace mere::program
