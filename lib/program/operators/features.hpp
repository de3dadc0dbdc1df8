#pragma once
// Operators that make features of features. docs/operators.md, Products, Convolve, Splines, PowerTransform, SolveLower.

#include "program/operator.hpp"

namespace mere::program {

// Term t is x[columns[t]], or that times term parents[t] where that is below t.
class Products final : public Operator {
 public:
  Array<std::uint32_t> parents;  // (terms); 0xffffffff: none
  Array<std::uint32_t> columns;  // (terms)

  std::string_view name() const override { return "Products"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// The columns are `factors` rows of equally many numbers; the result is their circular convolution.
class Convolve final : public Operator {
 public:
  std::int64_t factors = 0;

  std::string_view name() const override { return "Convolve"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Every column becomes the values of its B-splines: (knots - degree - 1) of them, of which the last `degree` are added
// to the first if periodic.
class Splines final : public Operator {
 public:
  Array<double> knots;  // (columns, knots), ascending
  std::int64_t degree = 3;
  std::string outside;  // "refuse", "constant", "linear", "continue", "periodic"

  std::string_view name() const override { return "Splines"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;

 private:
  std::size_t splines() const;
  std::size_t nonzero(const double* t, double x, std::size_t k, double* b) const;
  void values_of(const double* t, double x, double* values) const;
  void slopes_of(const double* t, double x, double* slopes) const;
};

// Yeo and Johnson's or Box and Cox's power, an exponent a column. NaN stays.
class PowerTransform final : public Operator {
 public:
  bool box_cox = false;   // refuses what is not above 0
  Array<double> lambdas;  // (columns)

  std::string_view name() const override { return "PowerTransform"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// z with lower z = x, by going down; what is above the diagonal is not looked at.
class SolveLower final : public Operator {
 public:
  Array<double> lower;  // (columns, columns)

  std::string_view name() const override { return "SolveLower"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Refuses numbers below `low`: what a model of counts cannot mean.
class NotBelow final : public Operator {
 public:
  double low = 0;

  std::string_view name() const override { return "NotBelow"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
  bool passes_through() const override { return true; }
};

}  // namespace mere::program
