#include "program/operators/votes.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace mere::program {

void Votes::fields(Fields& fields) {
  fields.field("table", table);
}

std::uint64_t Votes::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  const Dims& shape = table.shape();
  if (shape.size() != 3 || table.empty() || static_cast<std::uint64_t>(shape[0]) != in_columns[0]) {
    fail_check(*this, "table has shape " + shape.to_text() + " for " + std::to_string(in_columns[0]) + " columns");
  }
  return static_cast<std::uint64_t>(shape[2]);
}

void Votes::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const auto indices = static_cast<std::size_t>(table.shape()[1]);
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* to = out.row(r);
    std::fill_n(to, out.columns, 0.0);
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double index = x.row(r)[c];
      if (!(index >= 0 && index < static_cast<double>(indices))) continue;
      const double* row = table.data() + (c * indices + static_cast<std::size_t>(index)) * out.columns;
      for (std::size_t k = 0; k < out.columns; ++k) to[k] += row[k];
    }
  }
}

void WeightedMedian::fields(Fields& fields) {
  fields.field("weights", weights);
  fields.field("running", running);
}

std::uint64_t WeightedMedian::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_shape(*this, "weights", weights.shape(), std::array{in_columns[0]});
  return running ? in_columns[0] : 1;
}

void WeightedMedian::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  std::vector<std::size_t> order(x.columns);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    // NumPy sorts NaN to the end.
    const auto before = [&](std::size_t a, std::size_t b) {
      return row[a] < row[b] || (row[b] != row[b] && row[a] == row[a]);
    };
    for (std::size_t c = 0; c < out.columns; ++c) {
      order.resize(running ? c + 1 : x.columns);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), before);
      double all = 0, sum = 0;
      for (const std::size_t i : order) all += weights[i];
      std::size_t chosen = order[0];
      for (const std::size_t i : order) {
        sum += weights[i];
        if (sum >= 0.5 * all) {
          chosen = i;
          break;
        }
      }
      out.row(r)[c] = row[chosen];
    }
  }
}

void RunningSum::fields(Fields& fields) {
  fields.field("group", group);
  fields.field("base", base);
}

std::uint64_t RunningSum::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (group < 1 || in_columns[0] % static_cast<std::uint64_t>(group) != 0) {
    fail_check(*this, std::to_string(in_columns[0]) + " columns make no groups of " + std::to_string(group));
  }
  if (!base.empty()) require_shape(*this, "base", base.shape(), std::array{static_cast<std::uint64_t>(group)});
  return in_columns[0];
}

void RunningSum::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const auto width = static_cast<std::size_t>(group);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    double* to = out.row(r);
    for (std::size_t c = 0; c < x.columns; ++c) {
      if (c < width) {
        to[c] = base.empty() ? row[c] : base[c] + row[c];
      } else {
        to[c] = to[c - width] + row[c];
      }
    }
  }
}

}  // namespace mere::program
