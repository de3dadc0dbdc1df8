#pragma once
// Products with a matrix. docs/operators.md, Linear.

#include "program/operator.hpp"

namespace mere::program {

// x @ weights.T + bias.
class Linear final : public Operator {
 public:
  Array<double> weights;  // (outputs, columns of x)
  Array<double> bias;     // (outputs), (1), or none
  bool single = false;    // the weights were float32: the result is, where x is

  std::string_view name() const override { return "Linear"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
