#pragma once
// Operators that look numbers up in a table of their column. docs/operators.md, Categorize, LookUp, OneHot, Rank,
// Interpolate, Quantiles.
// Tables are (columns, width); a column that needs fewer entries says how many in `counts`.

#include "program/operator.hpp"

namespace mere::program {

// The index of the category that equals the number (NaN equals NaN), of two the first.
class Categorize final : public Operator {
 public:
  Array<double> values;        // (columns, width)
  Array<std::int64_t> counts;  // (columns)
  bool refuse_unknown = false;
  double unknown = -1;  // the index of all others

  std::string_view name() const override { return "Categorize"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// table[column][x]; for an x that is no index into the column's row, otherwise[column].
class LookUp final : public Operator {
 public:
  Array<double> table;      // (columns, width)
  Array<double> otherwise;  // (columns)

  std::string_view name() const override { return "LookUp"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Each column becomes widths[column] columns, 1 where x is the index of the column, else 0.
class OneHot final : public Operator {
 public:
  Array<std::int64_t> widths;

  std::string_view name() const override { return "OneHot"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// How many of the column's edges, which ascend, are not above x.
class Rank final : public Operator {
 public:
  Array<double> edges;         // (columns, width)
  Array<std::int64_t> counts;  // (columns)

  std::string_view name() const override { return "Rank"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Straight lines between points, whose x ascend: numpy.interp.
class Interpolate final : public Operator {
 public:
  Array<double> x, y;   // (columns, points)
  std::string outside;  // "hold" the first or last y, "nan", "refuse"

  std::string_view name() const override { return "Interpolate"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// The share of training data below x, by the column's quantiles; `normal`: as a normal deviate.
class Quantiles final : public Operator {
 public:
  Array<double> quantiles;   // (columns, points), ascending
  Array<double> references;  // (points)
  bool normal = false;

  std::string_view name() const override { return "Quantiles"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// The normal deviate with the probability p below it.
double normal_deviate(double p);

}  // namespace mere::program
