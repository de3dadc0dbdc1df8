#include "program/operators/columns.hpp"

#include <algorithm>

namespace mere::program {

void Select::fields(Fields& fields) {
  fields.field("columns", columns);
}

std::uint64_t Select::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (columns.shape().size() != 1) fail_check(*this, "columns have shape " + columns.shape().to_text());
  return columns.size();
}

void Select::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < out.columns; ++c) {
      out.row(r)[c] = x.row(r)[std::min<std::size_t>(columns[c], x.columns - 1)];
    }
  }
}

void Concat::fields(Fields&) {}

std::uint64_t Concat::check(std::span<const std::uint64_t> in_columns) const {
  // At most 2^20 steps of at most 2^31 columns: no sum of them wraps.
  std::uint64_t columns = 0;
  for (const std::uint64_t n : in_columns) columns += n;
  return columns;
}

void Concat::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  out.single = std::all_of(in.begin(), in.end(), [](const Matrix& part) { return part.single; });
  for (std::size_t r = 0; r < out.rows; ++r) {
    double* to = out.row(r);
    for (const Matrix& part : in) to = std::copy_n(part.row(r), part.columns, to);
  }
}

void Constant::fields(Fields& fields) {
  fields.field("row", row);
}

std::uint64_t Constant::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (row.shape().size() != 1) fail_check(*this, "row has shape " + row.shape().to_text());
  return row.size();
}

void Constant::apply(std::span<const Matrix>, MutableMatrix& out) const {
  for (std::size_t r = 0; r < out.rows; ++r) std::copy_n(row.data(), out.columns, out.row(r));
}

}  // namespace mere::program
