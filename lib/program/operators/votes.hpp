#pragma once
// Operators that weigh what many members say, and that keep what they said on the way. docs/operators.md, Votes,
// WeightedMedian, RunningSum.

#include "program/operator.hpp"

namespace mere::program {

// The sum over columns c, in order, of the row that table[c] has for the index in that column; an x that is no index
// adds nothing.
class Votes final : public Operator {
 public:
  Array<double> table;  // (columns, indices, outputs)

  std::string_view name() const override { return "Votes"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Of the numbers of a row in ascending order, the first at which the sum of weights so far reaches half of all.
// `running`: a column for each count of first columns that are looked at, 1 to all.
class WeightedMedian final : public Operator {
 public:
  Array<double> weights;  // (columns)
  bool running = false;

  std::string_view name() const override { return "WeightedMedian"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Groups of neighbouring columns, each with all groups before it added: in their order, from the first's number or from
// `base`.
class RunningSum final : public Operator {
 public:
  std::int64_t group = 1;  // columns of a group
  Array<double> base;      // (group), or none

  std::string_view name() const override { return "RunningSum"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
