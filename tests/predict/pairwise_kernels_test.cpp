// Pairwise and PairDecisions by blocks against the plain meaning: to the bit where there is no exp, and the instruction
// sets against each other.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "predict/pairwise/pairwise_kernels.hpp"

namespace {

using namespace mere;
using namespace mere::predict;
using program::Matrix;
using program::MutableMatrix;
using program::Operator;

constexpr CpuLevel kLevels[] = {CpuLevel::scalar, CpuLevel::avx2, CpuLevel::avx512};

std::vector<double> numbers(std::size_t count, std::uint64_t seed, double scale = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, scale);
  std::vector<double> x(count);
  for (double& value : x) value = normal(random);
  return x;
}

std::vector<double> run(const Operator& op, const Kernel* kernel, const Matrix& x, std::size_t columns) {
  std::vector<double> made(x.rows * (columns + 2), -7);
  MutableMatrix out{made.data(), x.rows, columns, columns + 2};
  Workspace workspace;
  if (kernel) {
    kernel->run({&x, 1}, out, workspace);
  } else {
    op.apply({&x, 1}, out);
  }
  return made;
}

// NaNs are one, whatever their bits.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return false;
    if (!std::isnan(a[i]) && std::memcmp(&a[i], &b[i], sizeof(double)) != 0) return false;
  }
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("numbers of rows and vectors are those of the plain meaning, the same on every CPU") {
  for (const char* function : {"squared_euclidean", "euclidean", "manhattan", "chebyshev", "dot", "rbf", "laplacian",
                               "polynomial", "sigmoid"}) {
    CAPTURE(function);
    program::Pairwise op;
    op.function = function;
    op.gamma = 0.07;
    op.coef0 = 0.3;
    op.degree = 3;
    const bool exact = op.function != "rbf" && op.function != "laplacian" && op.function != "sigmoid";
    for (const std::size_t columns : {1, 2, 5, 40, 127, 128, 131, 300}) {
      for (const std::size_t count : {1, 3, 15, 16, 17, 32, 45}) {
        op.vectors = Array<double>(numbers(count * columns, count),
                                   {static_cast<std::int64_t>(count), static_cast<std::int64_t>(columns)});
        std::vector<double> x = numbers(9 * (columns + 1), columns);
        x[0] = NAN;
        x[columns + 1] = INFINITY;
        for (const std::size_t rows : {1, 2, 3, 4, 9}) {
          const Matrix in{x.data() + (rows == 1 ? columns + 1 : 0), rows, columns, columns + 1};
          const std::vector<double> plain = run(op, nullptr, in, count);
          const std::vector<double> scalar = run(op, bind_pairwise(op, CpuLevel::scalar).get(), in, count);
          if (exact) {
            CHECK(same(scalar, plain));
          } else {
            for (std::size_t i = 0; i < plain.size(); ++i) {
              const bool near = std::fabs(plain[i] - scalar[i]) <= 1e-15 * std::fabs(plain[i]);
              CHECK((near || (std::isnan(plain[i]) && std::isnan(scalar[i]))));
            }
          }
          for (const CpuLevel level : kLevels) {
            if (level <= best_cpu_level()) CHECK(same(run(op, bind_pairwise(op, level).get(), in, count), scalar));
          }
        }
      }
    }
  }
}

TEST_CASE("functions and degrees without code of their own stay plain") {
  program::Pairwise op;
  op.function = "canberra";
  op.vectors = Array<double>(std::vector<double>(2, 1.0), {1, 2});
  CHECK(bind_pairwise(op) == nullptr);
  op.function = "polynomial";
  op.degree = 2.5;
  CHECK(bind_pairwise(op) == nullptr);
  op.degree = NAN;
  CHECK(bind_pairwise(op) == nullptr);
}

TEST_CASE("decisions of pairs are those of the plain meaning to the bit") {
  for (const std::size_t classes : {2, 3, 5, 6, 10, 14}) {
    std::mt19937_64 random(classes);
    std::vector<std::int64_t> counts(classes);
    std::size_t vectors = 0;
    for (std::int64_t& count : counts)
      vectors += static_cast<std::size_t>(count = static_cast<std::int64_t>(random() % 200));
    const std::size_t pairs = classes * (classes - 1) / 2;
    program::PairDecisions op;
    const auto dims = [](std::size_t a, std::size_t b) {
      return Dims{static_cast<std::int64_t>(a), static_cast<std::int64_t>(b)};
    };
    op.coefficients = Array<double>(numbers((classes - 1) * vectors, 1), dims(classes - 1, vectors));
    op.bias = Array<double>(numbers(pairs, 2));
    const std::vector<double> values = numbers(40 * vectors, 3);
    // As they are, and such that lie: below 0, and past the last vector.
    for (const std::int64_t lie : {0, -1, 1000}) {
      if (lie != 0) counts[classes / 2] = lie;
      op.counts = Array<std::int64_t>(std::vector<std::int64_t>(counts));
      for (const std::size_t rows : {1, 2, 3, 5, 8, 16, 17, 33, 40}) {
        const Matrix in{values.data(), rows, vectors, vectors};
        const std::vector<double> plain = run(op, nullptr, in, pairs);
        for (const CpuLevel level : kLevels) {
          if (level <= best_cpu_level()) CHECK(same(run(op, bind_pair_decisions(op, level).get(), in, pairs), plain));
        }
      }
    }
  }
}
