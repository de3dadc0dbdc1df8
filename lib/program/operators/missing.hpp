#pragma once
// Operators about missing numbers. docs/operators.md, Impute, IsMissing, ImputeNearest.

#include "program/operator.hpp"

namespace mere::program {

// The column's number in place of what equals `missing` (NaN equals NaN).
class Impute final : public Operator {
 public:
  double missing = 0;
  Array<double> replacement;  // (columns)

  std::string_view name() const override { return "Impute"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// 1 where x equals `missing` (NaN equals NaN), else 0.
class IsMissing final : public Operator {
 public:
  double missing = 0;

  std::string_view name() const override { return "IsMissing"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// In place of NaN the mean of the column over the nearest `count` training rows that know it.
class ImputeNearest final : public Operator {
 public:
  Array<double> rows;  // (training rows, columns), NaN where they miss a number
  std::int64_t count = 1;
  bool by_distance = false;

  std::string_view name() const override { return "ImputeNearest"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
