#pragma once
// Operators that make each number of the result from one number of the input. docs/operators.md, Arithmetic, Map, Clip.

#include "program/operator.hpp"

namespace mere::program {

// x OP operand, an operand a column or one for all. Rounded to float32 where the input is: NumPy's in-place operators.
class Arithmetic final : public Operator {
 public:
  std::string operation;  // "add", "subtract", "multiply", "divide"
  Array<double> operand;
  bool operand_as_input = false;  // where the input is float32, the operand is rounded to it first

  std::string_view name() const override { return "Arithmetic"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// f(x), by the word of a function: "exp", "log", "log1p", "expm1", "expit", "sqrt", "absolute", "negative",
// "square", "tanh", "relu", "sign", "one_minus", "low_byte_if_negative", "reciprocal", "log2", "log10", "exp2", "sin",
// "cos", "tan", "erf", "cbrt", "floor", "ceil", "rint", "trunc", "one_if_zero", "one_if_tiny", "sublinear".
class Map final : public Operator {
 public:
  std::string function;

  std::string_view name() const override { return "Map"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Nothing below `low` or above `high`, a bound a column or one for all; NaN stays.
class Clip final : public Operator {
 public:
  Array<double> low, high;

  std::string_view name() const override { return "Clip"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
