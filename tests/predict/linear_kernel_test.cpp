// The kernel of Linear against the operator's plain meaning, and its instruction sets against each other, to the bit.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "predict/linear/linear_kernel.hpp"

namespace {

using namespace mere;
using namespace mere::predict;
using program::Linear;
using program::Matrix;
using program::MutableMatrix;

std::vector<double> numbers(std::size_t count, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0, 10);
  std::vector<double> out(count);
  for (double& value : out) value = normal(random);
  return out;
}

// Rows at a stride of their own; what lies between them stays as it is.
std::vector<double> run(const Linear& op, const Kernel* kernel, const Matrix& x) {
  const auto outputs = static_cast<std::size_t>(op.weights.shape()[0]);
  std::vector<double> made(x.rows * (outputs + 1), -7);
  MutableMatrix out{made.data(), x.rows, outputs, outputs + 1};
  Workspace workspace;
  if (kernel) {
    kernel->run({&x, 1}, out, workspace);
  } else {
    op.apply({&x, 1}, out);
  }
  return made;
}

}  // namespace

TEST_CASE("products are those of the plain meaning within the rounding of their terms, the same on every CPU") {
  std::mt19937_64 random(1);
  for (const std::size_t columns : {1, 3, 7, 8, 9, 40, 64, 129}) {
    for (const std::size_t outputs : {1, 2, 3, 4, 5, 10}) {
      for (const std::size_t rows : {0, 1, 2, 3, 4, 5, 9}) {
        CAPTURE(columns);
        CAPTURE(outputs);
        CAPTURE(rows);
        Linear op;
        op.weights = Array<double>(numbers(columns * outputs, random),
                                   {static_cast<std::int64_t>(outputs), static_cast<std::int64_t>(columns)});
        const std::size_t biases = random() % 3 == 0 ? 0 : random() % 2 == 0 ? 1 : outputs;
        if (biases > 0) op.bias = Array<double>(numbers(biases, random));
        const std::vector<double> x = numbers(rows * (columns + 2) + 1, random);
        const Matrix in{x.data(), rows, columns, columns + 2};
        const std::vector<double> plain = run(op, nullptr, in);
        const std::vector<double> scalar = run(op, bind_linear(op, CpuLevel::scalar).get(), in);
        for (std::size_t i = 0; i < plain.size(); ++i) {
          double terms = 1;
          if (i % (outputs + 1) < outputs) {
            const double* row = in.row(i / (outputs + 1));
            for (std::size_t c = 0; c < columns; ++c) {
              terms += std::fabs(row[c] * op.weights[i % (outputs + 1) * columns + c]);
            }
          }
          CHECK(std::fabs(plain[i] - scalar[i]) <= 1e-12 * terms);
        }
        for (const CpuLevel level : {CpuLevel::avx2, CpuLevel::avx512}) {
          if (level > best_cpu_level()) continue;
          const std::vector<double> other = run(op, bind_linear(op, level).get(), in);
          CHECK((scalar.empty() || std::memcmp(other.data(), scalar.data(), scalar.size() * 8) == 0));
        }
      }
    }
  }
}

TEST_CASE("float32 rows and weights round as the plain meaning does") {
  std::mt19937_64 random(2);
  Linear op;
  op.single = true;
  op.weights = Array<double>(numbers(40, random), {2, 20});
  const std::vector<double> x = numbers(60, random);
  Matrix in{x.data(), 3, 20, 20};
  in.single = true;
  CHECK(run(op, bind_linear(op).get(), in) == run(op, nullptr, in));
}

TEST_CASE("NaN and infinities come through") {
  Linear op;
  op.weights = Array<double>(std::vector<double>(9, 1.0), {1, 9});
  std::vector<double> x(18, 1.0);
  x[8] = INFINITY;
  x[10] = NAN;
  const std::vector<double> out = run(op, bind_linear(op).get(), {x.data(), 2, 9, 9});
  CHECK(std::isinf(out[0]));
  CHECK(std::isnan(out[2]));
}
