// Check, Arithmetic, Map and Softmax by vectors: against the plain meaning, the true values of exp and its relatives,
// and each other, to the bit.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "predict/functions/function_kernels.hpp"

namespace {

using namespace mere;
using namespace mere::predict;
using program::Matrix;
using program::MutableMatrix;
using program::Operator;

constexpr CpuLevel kLevels[] = {CpuLevel::scalar, CpuLevel::avx2, CpuLevel::avx512};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

// What a kernel makes, or without one the plain meaning; rows are `gap` numbers apart.
std::vector<double> run(const Operator& op, const Kernel* kernel, const Matrix& x, std::size_t gap = 0) {
  std::vector<double> made(x.rows * (x.columns + gap), -7);
  MutableMatrix out{made.data(), x.rows, x.columns, x.columns + gap};
  Workspace workspace;
  if (kernel) {
    kernel->run({&x, 1}, out, workspace);
  } else {
    op.apply({&x, 1}, out);
  }
  CHECK(out.single == x.single);
  return made;
}

// Numbers of all sizes, and those that are no numbers.
std::vector<double> odd_numbers(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 1);
  std::vector<double> x(count);
  const double some[] = {0.0,   -0.0,  kInfinity, -kInfinity, kNan, 1e-310, -1e300,
                         1e300, 709.8, -745.2,    -1000,      20,   -708.5};
  for (double& value : x) {
    const auto which = random() % 40;
    value = which < std::size(some) ? some[which] : normal(random) * std::exp2(static_cast<double>(which) - 20);
  }
  return x;
}

std::vector<double> as_singles(std::vector<double> x) {
  for (double& value : x) value = static_cast<float>(value);
  return x;
}

// The same at every level, and what the caller says of plain and kernel.
void compare_all(const Operator& op, const std::function<std::unique_ptr<Kernel>(CpuLevel)>& bind_at,
                 const std::function<void(double plain, double made)>& compare) {
  for (const bool single : {false, true}) {
    for (const std::size_t columns : {1, 2, 3, 7, 8, 9, 10, 16, 41}) {
      for (const std::size_t gap : {std::size_t{0}, std::size_t{3}}) {
        std::vector<double> x = odd_numbers(13 * (columns + gap), columns);
        if (single) x = as_singles(x);
        const Matrix in{x.data(), 13, columns, columns + gap, single, 0};
        const std::vector<double> plain = run(op, nullptr, in, gap);
        const std::vector<double> scalar = run(op, bind_at(CpuLevel::scalar).get(), in, gap);
        for (std::size_t i = 0; i < plain.size(); ++i) compare(plain[i], scalar[i]);
        for (const CpuLevel level : kLevels) {
          if (level <= best_cpu_level()) CHECK(same(run(op, bind_at(level).get(), in, gap), scalar));
        }
      }
    }
  }
}

void same_bits(double plain, double made) {
  const bool both_nan = plain != plain && made != made;
  CHECK((both_nan || std::memcmp(&plain, &made, sizeof plain) == 0));
}

// Units of the last place that `made` is off `truth`, of which it knows more bits.
long double units_off(double made, long double truth) {
  const double nearest = static_cast<double>(truth);
  if (made == nearest || (made != made && nearest != nearest)) return 0;
  const double place = std::max(std::nextafter(std::fabs(nearest), kInfinity) - std::fabs(nearest), 0x1p-1074);
  return std::fabs(static_cast<long double>(made) - truth) / place;
}

long double worst_of(const char* function, const std::vector<double>& x, long double (*truth)(long double)) {
  program::Map op;
  op.function = function;
  const std::vector<double> made = run(op, bind_map(op).get(), {x.data(), 1, x.size(), x.size()});
  long double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, units_off(made[i], truth(x[i])));
  return worst;
}

std::vector<double> between(double low, double high, std::size_t count) {
  std::mt19937_64 random(count);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> x(count);
  for (double& value : x) value = uniform(random);
  return x;
}

}  // namespace

TEST_CASE("exp, expit and tanh are the true ones but for the last place") {
  const auto exp = [](long double x) { return std::exp(x); };
  const auto expit = [](long double x) { return 1 / (1 + std::exp(-x)); };
  const auto tanh = [](long double x) { return std::tanh(x); };
  CHECK(worst_of("exp", between(-708, 709.7, 300'000), exp) < 0.57L);
  CHECK(worst_of("exp", between(-1, 1, 300'000), exp) < 0.57L);
  // Denormal results are rounded twice.
  CHECK(worst_of("exp", between(-760, -708, 100'000), exp) < 1.01L);
  CHECK(worst_of("expit", between(-40, 40, 300'000), expit) < 3);
  CHECK(worst_of("tanh", between(-25, 25, 300'000), tanh) < 4);
  CHECK(worst_of("tanh", between(-0.1, 0.1, 300'000), tanh) < 4);
  CHECK(worst_of("tanh", {0.0, -0.0, 1e-300, -1e-300, 5e-324, kInfinity, -kInfinity, kNan, 22.1, 1e300}, tanh) < 1);
  CHECK(worst_of("exp",
                 {0.0, -0.0, 1e-300, kInfinity, -kInfinity, kNan, 709.782712893384, 709.7827128933841, 800, -745.13,
                  -745.14, -2000, 1e300, -1e300},
                 exp) < 0.53L);
}

TEST_CASE("functions that are no exp give the bits of the plain meaning, exp the same on every CPU") {
  for (const char* function : {"relu", "negative", "absolute", "square", "sqrt", "one_minus", "reciprocal"}) {
    program::Map op;
    op.function = function;
    compare_all(
        op, [&](CpuLevel level) { return bind_map(op, level); }, same_bits);
  }
  for (const char* function : {"exp", "expit", "tanh"}) {
    program::Map op;
    op.function = function;
    compare_all(
        op, [&](CpuLevel level) { return bind_map(op, level); },
        [](double plain, double made) {
          if (plain != plain || std::isinf(plain)) return same_bits(plain, made);
          CHECK(std::fabs(plain - made) <= 1e-15 * std::fabs(plain) + 0x1p-1074);
        });
  }
  program::Map op;
  op.function = "log";
  CHECK(bind_map(op) == nullptr);
}

TEST_CASE("arithmetic gives the bits of the plain meaning") {
  for (const char* operation : {"add", "subtract", "multiply", "divide"}) {
    for (const bool as_input : {false, true}) {
      program::Arithmetic op;
      op.operation = operation;
      op.operand_as_input = as_input;
      op.operand = Array<double>(std::vector<double>{0.1});
      compare_all(
          op, [&](CpuLevel level) { return bind_arithmetic(op, level); }, same_bits);
      const std::vector<double> x = odd_numbers(77, 5), operand = odd_numbers(11, 6);
      op.operand = Array<double>(std::vector<double>(operand));
      for (const bool single : {false, true}) {
        const Matrix in{x.data(), 7, 11, 11, single, 0};
        const std::vector<double> plain = run(op, nullptr, in);
        for (const CpuLevel level : kLevels) {
          if (level > best_cpu_level()) continue;
          const std::vector<double> made = run(op, bind_arithmetic(op, level).get(), in);
          for (std::size_t i = 0; i < plain.size(); ++i) same_bits(plain[i], made[i]);
        }
      }
    }
  }
}

TEST_CASE("shares by softmax are those of the plain meaning, the same on every CPU") {
  program::Softmax op;
  compare_all(
      op, [&](CpuLevel level) { return bind_softmax(op, level); },
      [](double plain, double made) {
        if (plain != plain) return same_bits(plain, made);
        CHECK(std::fabs(plain - made) <= 1e-14 * std::fabs(plain) + 0x1p-1074);
      });
}

TEST_CASE("a check refuses what the plain meaning refuses, in its words") {
  std::vector<double> x(9 * 20, 1.0);
  const auto message = [&](const program::Check& op, const Kernel* kernel) -> std::string {
    const Matrix in{x.data(), 9, 19, 20, false, 100};
    try {
      MutableMatrix out;
      Workspace workspace;
      if (kernel) {
        kernel->run({&in, 1}, out, workspace);
      } else {
        op.apply({&in, 1}, out);
      }
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const double odd[] = {1, kNan, kInfinity, -kInfinity, 1e39, 0x1.fffffep127, 0x1.fffffefp127, 0x1.ffffffp127, -1e39};
  for (int flags = 0; flags < 8; ++flags) {
    program::Check op;
    op.refuse_nan = flags & 1;
    op.refuse_infinity = flags & 2;
    op.single_range = flags & 4;
    for (const double first : odd) {
      for (const double second : odd) {
        // The last column, and one between rows, which belongs to none.
        x[3 * 20 + 18] = first;
        x[5 * 20 + 4] = second;
        x[2 * 20 + 19] = kNan;
        const std::string plain = message(op, nullptr);
        for (const CpuLevel level : kLevels) {
          if (level <= best_cpu_level()) CHECK(message(op, bind_check(op, level).get()) == plain);
        }
      }
    }
  }
}
