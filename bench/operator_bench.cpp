// How fast are the kernels of operators that are no trees, against their plain meaning? Run: operator_bench [WORD...]
// Only cases whose name has one of the words. Every kernel's result is held against the plain meaning before anything
// is timed; rounds of all kernels are interleaved. Times are of this thread's processor, the least and the median of
// rounds.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "predict/functions/function_kernels.hpp"
#include "predict/linear/linear_kernel.hpp"
#include "predict/pairwise/pairwise_kernels.hpp"

namespace {

using namespace mere;
using predict::CpuLevel;
using predict::Kernel;
using program::Matrix;
using program::MutableMatrix;
using program::Operator;

double worked_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

std::vector<double> numbers(std::size_t count, std::uint64_t seed, double scale = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, scale);
  std::vector<double> x(count);
  for (double& value : x) value = normal(random);
  return x;
}

Array<double> matrix(std::size_t rows, std::size_t columns, double scale) {
  return Array<double>(numbers(rows * columns, columns, scale),
                       {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)});
}

using Bind = std::function<std::unique_ptr<Kernel>(CpuLevel)>;

struct Case {
  std::string name;
  std::unique_ptr<Operator> op;
  std::size_t columns;  // of the input
  std::size_t rows;     // of a block
  Bind bind;
};

template <class Op, class Kernels>
Case make_case(std::string name, std::unique_ptr<Op> op, std::size_t columns, std::size_t rows, Kernels bind) {
  const Op& borrowed = *op;
  return {std::move(name), std::move(op), columns, rows,
          [&borrowed, bind](CpuLevel level) { return bind(borrowed, level); }};
}

std::vector<Case> make_cases() {
  std::vector<Case> cases;
  const auto map = [&](const char* function, std::size_t columns, std::size_t rows) {
    auto op = std::make_unique<program::Map>();
    op->function = function;
    cases.push_back(
        make_case(function, std::move(op), columns, rows, [](const auto& o, CpuLevel l) { return bind_map(o, l); }));
  };
  const auto linear = [&](std::size_t outputs, std::size_t columns, std::size_t rows) {
    auto op = std::make_unique<program::Linear>();
    op->weights = matrix(outputs, columns, 0.1);
    cases.push_back(make_case("linear " + std::to_string(columns) + " to " + std::to_string(outputs), std::move(op),
                              columns, rows, [](const auto& o, CpuLevel l) { return bind_linear(o, l); }));
  };
  const auto pairwise = [&](const char* function, std::size_t count, std::size_t columns) {
    auto op = std::make_unique<program::Pairwise>();
    op->function = function;
    op->vectors = matrix(count, columns, 1);
    op->gamma = 0.02;
    op->degree = 3;
    cases.push_back(make_case(std::string(function) + " " + std::to_string(count) + " x " + std::to_string(columns),
                              std::move(op), columns, 48,
                              [](const auto& o, CpuLevel l) { return bind_pairwise(o, l); }));
  };
  cases.push_back(make_case("softmax of 10", std::make_unique<program::Softmax>(), 10, 1000,
                            [](const auto& o, CpuLevel l) { return bind_softmax(o, l); }));
  map("exp", 10, 1000);
  map("tanh", 100, 100);
  map("relu", 512, 100);
  auto scale = std::make_unique<program::Arithmetic>();
  scale->operation = "divide";
  scale->operand = Array<double>(numbers(40, 1));
  cases.push_back(make_case("divide 40 columns", std::move(scale), 40, 250,
                            [](const auto& o, CpuLevel l) { return bind_arithmetic(o, l); }));
  cases.push_back(make_case("check 40 columns", std::make_unique<program::Check>(), 40, 250,
                            [](const auto& o, CpuLevel l) { return bind_check(o, l); }));
  linear(10, 40, 250);
  linear(512, 40, 100);
  linear(512, 512, 100);
  linear(10, 512, 100);
  linear(1, 5400, 48);
  pairwise("rbf", 5400, 40);
  pairwise("euclidean", 5400, 40);
  pairwise("dot", 5400, 40);
  auto decisions = std::make_unique<program::PairDecisions>();
  decisions->coefficients = matrix(9, 5400, 1);
  decisions->counts = Array<std::int64_t>(std::vector<std::int64_t>(10, 540));
  decisions->bias = Array<double>(numbers(45, 2));
  cases.push_back(make_case("decisions of 10 classes, 5400", std::move(decisions), 5400, 48,
                            [](const auto& o, CpuLevel l) { return bind_pair_decisions(o, l); }));
  return cases;
}

void run(const Operator& op, const Kernel* kernel, const Matrix& x, MutableMatrix& out) {
  static predict::Workspace workspace;
  const auto mark = workspace.mark();
  if (kernel) {
    kernel->run({&x, 1}, out, workspace);
  } else {
    op.apply({&x, 1}, out);
  }
  workspace.release_to(mark);
}

// Microseconds a row: the least and the median of rounds.
struct Times {
  std::vector<double> rounds;
  double least() const { return *std::min_element(rounds.begin(), rounds.end()); }
  double median() const {
    std::vector<double> sorted = rounds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

bool bench(const Case& c) {
  const std::uint64_t in_columns[] = {c.columns};
  const auto columns = static_cast<std::size_t>(c.op->check(in_columns));
  const std::vector<double> x = numbers(c.rows * c.columns, 7);
  const Matrix all{x.data(), c.rows, c.columns, c.columns};
  std::vector<double> plain(c.rows * columns), made(c.rows * columns);
  MutableMatrix to_plain{plain.data(), c.rows, columns, columns}, to{made.data(), c.rows, columns, columns};
  run(*c.op, nullptr, all, to_plain);
  std::vector<std::unique_ptr<Kernel>> kernels(1);
  for (int level = 0; level <= static_cast<int>(predict::best_cpu_level()); ++level) {
    kernels.push_back(c.bind(static_cast<CpuLevel>(level)));
    run(*c.op, kernels.back().get(), all, to);
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (std::fabs(made[i] - plain[i]) <= 1e-10 * (1 + std::fabs(plain[i]))) continue;
      std::printf("%s: %s gives %.17g, not %.17g\n", c.name.c_str(), std::string(kernels.back()->name()).c_str(),
                  made[i], plain[i]);
      return false;
    }
  }
  std::vector<Times> one(kernels.size()), block(kernels.size());
  for (int round = 0; round < 15; ++round) {
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      // Rounds of about a millisecond.
      const auto timed = [&](const Matrix& rows, Times& times) {
        MutableMatrix out = to;
        out.rows = rows.rows;
        std::size_t repetitions = 0;
        const double start = worked_us();
        double taken = 0;
        for (std::size_t more = 1; taken < 1000; more = repetitions) {
          for (std::size_t i = 0; i < more; ++i) run(*c.op, kernels[k].get(), rows, out);
          repetitions += more;
          taken = worked_us() - start;
        }
        times.rounds.push_back(taken / static_cast<double>(repetitions * rows.rows));
      };
      Matrix first = all;
      first.rows = 1;
      timed(first, one[k]);
      timed(all, block[k]);
    }
  }
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    std::printf("%-30s %-18s 1 row %9.3f us (least %9.3f)   row of %4zu %9.4f us (least %9.4f)\n", c.name.c_str(),
                kernels[k] ? std::string(kernels[k]->name()).c_str() : "plain", one[k].median(), one[k].least(), c.rows,
                block[k].median(), block[k].least());
  }
  return true;
}

}  // namespace

int main(int count, char** words) {
  bool right = true;
  for (const Case& c : make_cases()) {
    bool wanted = count == 1;
    for (int i = 1; i < count; ++i) wanted |= c.name.find(words[i]) != std::string::npos;
    if (wanted) right &= bench(c);
  }
  return right ? 0 : 1;
}
