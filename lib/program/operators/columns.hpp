#pragma once
// Operators that move columns. docs/operators.md, Select, Concat, Constant.

#include "program/operator.hpp"

namespace mere::program {

// The columns named, in that order; a column may come twice.
class Select final : public Operator {
 public:
  Array<std::uint32_t> columns;

  std::string_view name() const override { return "Select"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// All inputs side by side.
class Concat final : public Operator {
 public:
  std::string_view name() const override { return "Concat"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// The same numbers in every row, whatever the input.
class Constant final : public Operator {
 public:
  Array<double> row;

  std::string_view name() const override { return "Constant"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
