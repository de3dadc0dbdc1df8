#pragma once
// Rows against rows that were seen in training: distances, kernels, and who is near. docs/operators.md, Pairwise,
// Neighbors.

#include "program/operator.hpp"

namespace mere::program {

// A number for each of the vectors, from it and the row. Sums run from the first column to the last.
class Pairwise final : public Operator {
 public:
  // Distances: "squared_euclidean", "euclidean", "manhattan", "chebyshev", "minkowski" (degree: p), "cosine",
  // "canberra", "braycurtis", "hamming", "nan_euclidean". Kernels: "dot", "cosine_similarity", "rbf", "laplacian",
  // "polynomial", "sigmoid", "additive_chi2", "chi2".
  std::string function;
  Array<double> vectors;  // (vectors, columns of x)
  double gamma = 1, coef0 = 0, degree = 0;

  std::string_view name() const override { return "Pairwise"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Of distances: the weight of each column, 0 for those that are no neighbours.
class Neighbors final : public Operator {
 public:
  std::int64_t count = 0;  // the nearest so many, of equal ones those to the left; 0: all within `radius`
  double radius = 0;
  bool by_distance = false;   // weights are 1 / distance; where some are 0, those have 1 and others 0; else all 1
  bool refuse_empty = false;  // a row without neighbours is an error

  std::string_view name() const override { return "Neighbors"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

}  // namespace mere::program
