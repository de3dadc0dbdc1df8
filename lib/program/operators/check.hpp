#pragma once
// What an estimator refuses to predict for. Meaning: docs/operators.md, Check.

#include "program/operator.hpp"

namespace mere::program {

class Check final : public Operator {
 public:
  bool refuse_nan = true;
  bool refuse_infinity = true;
  bool single_range = false;  // refuses what float32 makes an infinity

  std::string_view name() const override { return "Check"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
  bool passes_through() const override { return true; }
};

}  // namespace mere::program
