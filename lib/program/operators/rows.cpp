#include "program/operators/rows.hpp"

#include <algorithm>
#include <cmath>

namespace mere::program {

void Softmax::fields(Fields&) {}

std::uint64_t Softmax::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  return in_columns[0];
}

void Softmax::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    double* to = out.row(r);
    double most = row[0];
    for (std::size_t c = 1; c < x.columns; ++c) most = row[c] > most || std::isnan(row[c]) ? row[c] : most;
    double sum = 0;
    for (std::size_t c = 0; c < x.columns; ++c) sum += to[c] = std::exp(row[c] - most);
    for (std::size_t c = 0; c < x.columns; ++c) {
      to[c] /= sum;
      if (x.single) to[c] = static_cast<float>(to[c]);
    }
  }
}

void NormalizeRows::fields(Fields& fields) {
  fields.field("uniform_if_zero", uniform_if_zero);
}

std::uint64_t NormalizeRows::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  return in_columns[0];
}

void NormalizeRows::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    double* to = out.row(r);
    double sum = 0;
    for (std::size_t c = 0; c < x.columns; ++c) sum += row[c];
    const bool uniform = uniform_if_zero && sum == 0;
    for (std::size_t c = 0; c < x.columns; ++c) {
      to[c] = uniform ? 1.0 / static_cast<double>(x.columns) : row[c] / sum;
      if (x.single) to[c] = static_cast<float>(to[c]);
    }
  }
}

void ArgMax::fields(Fields& fields) {
  fields.field("groups", groups);
}

std::uint64_t ArgMax::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (groups.empty()) return 1;
  if (groups.shape().size() != 1) fail_check(*this, "groups have shape " + groups.shape().to_text());
  return groups.size();
}

void ArgMax::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    std::size_t left = x.columns;
    for (std::size_t g = 0; g < out.columns; ++g) {
      // Groups that pass the end of the row, in a file that lies, end with it.
      std::size_t width = left;
      if (!groups.empty()) width = groups[g] < 0 ? 0 : std::min(left, static_cast<std::size_t>(groups[g]));
      std::size_t best = 0;
      for (std::size_t c = 1; c < width; ++c) {
        if (std::isnan(row[best])) break;
        if (row[c] > row[best] || std::isnan(row[c])) best = c;
      }
      out.row(r)[g] = static_cast<double>(best);
      row += width;
      left -= width;
    }
  }
}

void Above::fields(Fields& fields) {
  fields.field("threshold", threshold);
  fields.field("or_equal", or_equal);
}

std::uint64_t Above::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  return in_columns[0];
}

void Above::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double value = x.row(r)[c];
      out.row(r)[c] = value > threshold || (or_equal && value == threshold) ? 1 : 0;
    }
  }
}

}  // namespace mere::program
