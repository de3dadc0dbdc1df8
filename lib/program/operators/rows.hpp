#pragma once
// Operators that look at the numbers of a row together. docs/operators.md, Softmax, NormalizeRows, ArgMax, Above.

#include "program/operator.hpp"

namespace mere::program {

// exp(x - max of the row), divided by their sum.
class Softmax final : public Operator {
 public:
  std::string_view name() const override { return "Softmax"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Each row divided by the sum of its numbers; `uniform_if_zero`: rows whose sum is 0 become 1 / columns.
class NormalizeRows final : public Operator {
 public:
  bool uniform_if_zero = false;

  std::string_view name() const override { return "NormalizeRows"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// The index of the largest number of each group of neighbouring columns: the first of equal ones, or the first NaN.
class ArgMax final : public Operator {
 public:
  Array<std::int64_t> groups;  // columns of each group; none: one group of all

  std::string_view name() const override { return "ArgMax"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// 1 where x > threshold (x >= threshold if `or_equal`), else 0.
class Above final : public Operator {
 public:
  double threshold = 0;
  bool or_equal = false;

  std::string_view name() const override { return "Above"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
