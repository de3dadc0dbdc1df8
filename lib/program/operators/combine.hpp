#pragma once
// Operators that bring values together, or the columns of one. docs/operators.md, Combine, Reduce, Cast.

#include "program/operator.hpp"

namespace mere::program {

// The inputs number by number, from the first to the last; an input of one column goes with every column.
class Combine final : public Operator {
 public:
  std::string operation;  // "add", "subtract", "multiply", "divide", "maximum", "minimum"

  std::string_view name() const override { return "Combine"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// One number of each group of neighbouring columns.
class Reduce final : public Operator {
 public:
  // "sum", "sum_of_squares", "sum_of_absolutes", "norm", "maximum", "minimum", "log_sum_exp"
  std::string operation;
  std::int64_t group = 0;  // columns of a group; 0: all

  std::string_view name() const override { return "Reduce"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// The same numbers as another type: "double", "single" (rounded), "integer" (cut towards zero).
class Cast final : public Operator {
 public:
  std::string to;

  std::string_view name() const override { return "Cast"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
