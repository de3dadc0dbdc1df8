// The engine: blocks, strides, threads and errors, against the plain meaning of the program.

#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include <mere/error.hpp>

#include "predict/engine.hpp"
#include "program/operators/check.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/linear.hpp"

namespace {

using namespace mere;
using namespace mere::predict;
using program::Matrix;
using program::Program;

// [x, 2 x] times a matrix: value 3 of four steps, one of them a check.
Program wide_program(std::size_t columns) {
  Program program;
  program.columns = columns;
  program.estimator = "my.Estimator";
  auto check = std::make_unique<program::Check>();
  check->inputs = {0};
  auto twice = std::make_unique<program::Arithmetic>();
  twice->inputs = {1};
  twice->operation = "multiply";
  twice->operand = Array<double>(std::vector<double>{2});
  auto both = std::make_unique<program::Concat>();
  both->inputs = {1, 2};
  auto linear = std::make_unique<program::Linear>();
  linear->inputs = {3};
  std::vector<double> weights(3 * 2 * columns);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(i % 7) - 3;
  linear->weights = Array<double>(std::move(weights), {3, static_cast<std::int64_t>(2 * columns)});
  program.steps.push_back(std::move(check));
  program.steps.push_back(std::move(twice));
  program.steps.push_back(std::move(both));
  program.steps.push_back(std::move(linear));
  program::Method transform, decision;
  transform.name = "transform";
  transform.value = 1;
  decision.name = "decision_function";
  decision.value = 4;
  program.methods = {transform, decision};
  return program;
}

std::vector<double> numbers(std::size_t count) {
  std::vector<double> x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<double>(i % 101) / 8 - 5;
  return x;
}

Input dense(const std::vector<double>& x, std::size_t columns) {
  Input in;
  in.data = reinterpret_cast<const std::byte*>(x.data());
  in.rows = x.size() / columns;
  in.columns = columns;
  in.row_stride = static_cast<std::ptrdiff_t>(columns * 8);
  in.column_stride = 8;
  return in;
}

std::vector<double> run(const Engine& engine, std::string_view method, const Input& x, const RunOptions& options = {}) {
  std::vector<double> out(x.rows * engine.columns(method), -1);
  engine.run(engine.find(method), x, out.data(), options);
  return out;
}

Reason reason_of(auto&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.reason();
  }
  return Reason::interrupted;
}

}  // namespace

TEST_CASE("any number of rows, in blocks and by threads, gives what the plain meaning gives") {
  const Engine engine(wide_program(5));
  const Program plain = wide_program(5);
  for (const std::size_t rows : {0, 1, 2, 63, 2047, 2048, 2049, 5000}) {
    const std::vector<double> x = numbers(rows * 5);
    const std::vector<double> expected = program::evaluate(plain, "decision_function", Matrix{x.data(), rows, 5, 5});
    for (const unsigned threads : {1u, 2u, 3u, 0u}) {
      CAPTURE(rows);
      CAPTURE(threads);
      CHECK(run(engine, "decision_function", dense(x, 5), {.threads = threads}) == expected);
    }
  }
}

TEST_CASE("rows of any stride and type: Fortran order, backwards, float32, at odd addresses") {
  const Engine engine(wide_program(3));
  const std::vector<double> x = numbers(3 * 40);
  const std::vector<double> expected = run(engine, "decision_function", dense(x, 3));
  SUBCASE("Fortran order") {
    std::vector<double> columns(x.size());
    for (std::size_t r = 0; r < 40; ++r) {
      for (std::size_t c = 0; c < 3; ++c) columns[c * 40 + r] = x[r * 3 + c];
    }
    Input in = dense(columns, 3);
    in.row_stride = 8;
    in.column_stride = 8 * 40;
    CHECK(run(engine, "decision_function", in) == expected);
  }
  SUBCASE("backwards") {
    std::vector<double> reversed(x.rbegin(), x.rend());
    Input in = dense(reversed, 3);
    in.data += (x.size() - 1) * 8;
    in.row_stride = -24;
    in.column_stride = -8;
    CHECK(run(engine, "decision_function", in) == expected);
  }
  SUBCASE("float32") {
    // Every number of x is one.
    std::vector<float> single(x.begin(), x.end());
    Input in = dense(x, 3);
    in.data = reinterpret_cast<const std::byte*>(single.data());
    in.single = true;
    in.row_stride = 12;
    in.column_stride = 4;
    CHECK(run(engine, "decision_function", in) == expected);
  }
  SUBCASE("at an odd address") {
    std::vector<std::byte> shifted(x.size() * 8 + 1);
    std::memcpy(shifted.data() + 1, x.data(), x.size() * 8);
    Input in = dense(x, 3);
    in.data = shifted.data() + 1;
    CHECK(run(engine, "decision_function", in) == expected);
  }
  SUBCASE("one row for all, by a stride of zero") {
    Input in = dense(x, 3);
    in.row_stride = 0;
    const std::vector<double> out = run(engine, "decision_function", in);
    for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == expected[i % 3]);
  }
}

TEST_CASE("a method whose value is the input gives the input") {
  const Engine engine(wide_program(3));
  const std::vector<double> x = numbers(3 * 9);
  CHECK(run(engine, "transform", dense(x, 3)) == x);
}

TEST_CASE("a refused number is named by its row in the whole input, by any thread; a caller may leave the check out") {
  const Engine engine(wide_program(4));
  std::vector<double> x = numbers(4 * 6000);
  x[4 * 5000 + 2] = std::numeric_limits<double>::quiet_NaN();
  for (const unsigned threads : {1u, 2u}) {
    try {
      run(engine, "decision_function", dense(x, 4), {.threads = threads});
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.reason() == Reason::not_finite);
      CHECK(error.message() == "the input at row 5000, column 2 is NaN, which the estimator refuses");
    }
  }
  CHECK(run(engine, "decision_function", dense(x, 4), {.check_finite = false}).size() == 6000 * 3);
}

TEST_CASE("another number of columns is wrong_shape") {
  const Engine engine(wide_program(4));
  const std::vector<double> x = numbers(30);
  CHECK(reason_of([&] { run(engine, "transform", dense(x, 3)); }) == Reason::wrong_shape);
}

TEST_CASE("a program whose rows would need gigabytes is refused when it runs, not when it is bound") {
  Program program = wide_program(4);
  // Value after value as wide as the last two together.
  for (program::ValueId value = 4; value < 40; ++value) {
    auto both = std::make_unique<program::Concat>();
    both->inputs = {3, 3};
    if (program.steps.size() > 4) both->inputs = {value, value};
    program.steps.push_back(std::move(both));
    if (program::ValueId(program.steps.size()) > 30) break;
  }
  program.methods[1].value = static_cast<program::ValueId>(program.steps.size());
  const Engine engine(std::move(program));
  const std::vector<double> x = numbers(4);
  std::vector<double> out(1);
  CHECK(reason_of([&] { engine.run(1, dense(x, 4), out.data()); }) == Reason::too_large);
}
