#include "program/operators/check.hpp"

#include <cmath>
#include <limits>

#include <mere/error.hpp>

namespace mere::program {

namespace {

// Doubles up to here round to the largest float32; from here on to an infinity.
constexpr double kSingleLimit = 0x1.ffffffp127;

[[noreturn]] void refuse(const Matrix& in, std::size_t row, std::size_t column) {
  const double x = in.row(row)[column];
  const std::string where =
      "the input at row " + std::to_string(in.first_row + row) + ", column " + std::to_string(column);
  if (std::isnan(x)) throw Error(Reason::not_finite, where + " is NaN, which the estimator refuses");
  if (std::isinf(x)) throw Error(Reason::not_finite, where + " is infinite, which the estimator refuses");
  throw Error(Reason::not_finite, where + " is too large for float32");
}

}  // namespace

void Check::fields(Fields& fields) {
  fields.field("refuse_nan", refuse_nan);
  fields.field("refuse_infinity", refuse_infinity);
  fields.field("single_range", single_range);
}

std::uint64_t Check::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  return in_columns[0];
}

void Check::apply(std::span<const Matrix> in, MutableMatrix&) const {
  const Matrix& x = in[0];
  const double limit = single_range ? kSingleLimit : std::numeric_limits<double>::infinity();
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    // One pass without branches; the rows that fail it, which are few, are looked at again.
    bool odd = false;
    for (std::size_t c = 0; c < x.columns; ++c) odd |= !(std::fabs(row[c]) < limit);
    if (!odd) continue;
    for (std::size_t c = 0; c < x.columns; ++c) {
      if (std::isnan(row[c]) ? refuse_nan : refuse_infinity && !(std::fabs(row[c]) < limit)) refuse(x, r, c);
    }
  }
}

}  // namespace mere::program
