#pragma once
// Classes decided two by two. docs/operators.md, PairDecisions, PairVotes, PairProbabilities.
// Pairs are (0, 1), (0, 2), ... (1, 2), ...: classes * (classes - 1) / 2 columns.

#include "program/operator.hpp"

namespace mere::program {

// libsvm's decision of each pair from kernel values of all support vectors, which lie class by class.
class PairDecisions final : public Operator {
 public:
  Array<double> coefficients;  // (classes - 1, vectors)
  Array<std::int64_t> counts;  // (classes): support vectors of each
  Array<double> bias;          // (pairs), added

  std::string_view name() const override { return "PairDecisions"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Inputs: 1 for the second class of a pair and 0 for the first; and, if there is a second input, how sure that is, as
// positive numbers for the second class: the sum of them breaks ties.
class PairVotes final : public Operator {
 public:
  std::int64_t classes = 0;

  std::string_view name() const override { return "PairVotes"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Probabilities of classes from those of the first class of each pair: libsvm's multiclass_probability.
class PairProbabilities final : public Operator {
 public:
  std::int64_t classes = 0;

  std::string_view name() const override { return "PairProbabilities"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
