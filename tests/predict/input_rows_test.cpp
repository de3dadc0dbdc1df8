// Sparse rows and tables of columns, against the dense matrix that they stand for.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <mere/error.hpp>

#include "predict/engine.hpp"
#include "program/operators/check.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/linear.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/rows.hpp"

namespace {

using namespace mere;
using namespace mere::predict;
using program::Program;

template <class Op>
program::ValueId add(Program& program, std::vector<program::ValueId> inputs, auto&& set) {
  auto step = std::make_unique<Op>();
  step->inputs = std::move(inputs);
  set(*step);
  program.steps.push_back(std::move(step));
  return static_cast<program::ValueId>(program.steps.size());
}

void add_method(Program& program, std::string_view name, program::ValueId value) {
  program::Method method;
  method.name = name;
  method.value = value;
  program.methods.push_back(method);
}

// Each operator that keeps rows sparse, some that do not, and a product at the end.
Program mixed_program(std::size_t columns) {
  Program program;
  program.columns = columns;
  program.estimator = "my.Estimator";
  std::vector<double> scale(columns);
  for (std::size_t c = 0; c < columns; ++c) scale[c] = 0.5 + static_cast<double>(c % 5);
  const auto checked = add<program::Check>(program, {0}, [](auto&) {});
  const auto scaled = add<program::Arithmetic>(program, {checked}, [&](auto& op) {
    op.operation = "multiply";
    op.operand = Array<double>(scale);
  });
  const auto absolute = add<program::Map>(program, {scaled}, [](auto& op) { op.function = "absolute"; });
  const auto norm = add<program::Reduce>(program, {absolute}, [](auto& op) { op.operation = "norm"; });
  const auto length = add<program::Map>(program, {norm}, [](auto& op) { op.function = "one_if_zero"; });
  const auto unit = add<program::Combine>(program, {scaled, length}, [](auto& op) { op.operation = "divide"; });
  const auto above = add<program::Above>(program, {unit}, [](auto& op) { op.threshold = 0.1; });
  const auto chosen = add<program::Select>(program, {unit}, [&](auto& op) {
    op.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{static_cast<std::uint32_t>(columns - 1), 0, 2, 0});
  });
  const auto shifted = add<program::Arithmetic>(program, {chosen}, [](auto& op) {
    op.operation = "add";
    op.operand = Array<double>(std::vector<double>{1});
  });
  const auto wide = add<program::Cast>(program, {above}, [](auto& op) { op.to = "double"; });
  const auto all = add<program::Concat>(program, {unit, wide, shifted}, [](auto&) {});
  const auto result = add<program::Linear>(program, {all}, [&](auto& op) {
    const std::size_t width = 2 * columns + 4;
    std::vector<double> weights(3 * width);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(i % 11) / 4 - 1;
    op.weights = Array<double>(std::move(weights), {3, static_cast<std::int64_t>(width)});
    op.bias = Array<double>(std::vector<double>{1, 2, 3});
  });
  add_method(program, "decision_function", result);
  add_method(program, "transform", all);
  add_method(program, "chosen", chosen);
  add_method(program, "largest", add<program::Reduce>(program, {scaled}, [](auto& op) { op.operation = "maximum"; }));
  return program;
}

template <class Value, class Index>
struct Csr {
  std::vector<Value> values;
  std::vector<Index> indices;
  std::vector<Index> starts{0};
  std::size_t columns = 0;

  CsrView view() const {
    return CsrView(std::span<const Value>(values), std::span<const Index>(indices), std::span<const Index>(starts),
                   columns);
  }
};

template <class Value, class Index>
Csr<Value, Index> random_rows(std::size_t rows, std::size_t columns) {
  Csr<Value, Index> x;
  x.columns = columns;
  std::uint64_t state = 7;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns && r % 6 != 3; ++c) {
      state = state * 6364136223846793005 + 1442695040888963407;
      if (state >> 60 != 0) continue;
      x.values.push_back(static_cast<Value>(static_cast<double>(state >> 40 & 0xff) / 16 - 8));
      x.indices.push_back(static_cast<Index>(c));
    }
    x.starts.push_back(static_cast<Index>(x.values.size()));
  }
  return x;
}

template <class Value, class Index>
std::vector<Value> spread_out(const Csr<Value, Index>& x) {
  const std::size_t rows = x.starts.size() - 1;
  std::vector<Value> out(rows * x.columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (auto i = static_cast<std::size_t>(x.starts[r]); i < static_cast<std::size_t>(x.starts[r + 1]); ++i) {
      out[r * x.columns + static_cast<std::size_t>(x.indices[i])] += x.values[i];
    }
  }
  return out;
}

template <class View>
std::vector<double> run(const Engine& engine, std::string_view method, const View& x, unsigned threads = 1) {
  std::vector<double> out(x.rows * engine.columns(method), -1);
  RunOptions options;
  options.threads = threads;
  engine.run(engine.find(method), x, out.data(), options);
  return out;
}

template <class Value>
Input dense(const std::vector<Value>& x, std::size_t columns) {
  Input in;
  in.data = reinterpret_cast<const std::byte*>(x.data());
  in.single = sizeof(Value) == 4;
  in.rows = x.size() / columns;
  in.columns = columns;
  in.row_stride = static_cast<std::ptrdiff_t>(columns * sizeof(Value));
  in.column_stride = sizeof(Value);
  return in;
}

void require_near(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    REQUIRE(std::fabs(a[i] - b[i]) <= 1e-12 * (1 + std::fabs(b[i])));
  }
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

TEST_CASE_TEMPLATE("sparse rows: the answers of the matrix that they stand for", Index, std::int32_t, std::int64_t) {
  for (const std::size_t columns : {std::size_t{3}, std::size_t{50}, std::size_t{2000}}) {
    const Engine engine(mixed_program(columns));
    const auto x = random_rows<double, Index>(columns > 1000 ? 40 : 300, columns);
    const auto spread = spread_out(x);
    const auto single = random_rows<float, Index>(20, columns);
    const auto single_spread = spread_out(single);
    for (const std::string_view method : {"decision_function", "transform", "chosen", "largest"}) {
      CAPTURE(columns);
      CAPTURE(method);
      require_near(run(engine, method, x.view()), run(engine, method, dense(spread, columns)));
      require_near(run(engine, method, x.view(), 3), run(engine, method, dense(spread, columns)));
      require_near(run(engine, method, single.view()), run(engine, method, dense(single_spread, columns)));
    }
  }
}

TEST_CASE("sparse rows: columns out of order and twice are added up") {
  const Engine engine(mixed_program(4));
  Csr<double, std::int32_t> x;
  x.columns = 4;
  x.values = {1, 2, 4, 8};
  x.indices = {3, 0, 3, 1};
  x.starts = {0, 3, 4};
  require_near(run(engine, "decision_function", x.view()), run(engine, "decision_function", dense(spread_out(x), 4)));
}

TEST_CASE("sparse rows that contradict themselves are refused, whatever they say") {
  const Engine engine(mixed_program(4));
  const auto reason = [&](std::vector<std::int64_t> indices, std::vector<std::int64_t> starts) {
    Csr<double, std::int64_t> x;
    x.columns = 4;
    x.values = {1, 2, 3};
    x.indices = std::move(indices);
    x.starts = std::move(starts);
    return reason_of([&] { run(engine, "decision_function", x.view()); });
  };
  CHECK(reason({0, 1, 2}, {0, 2, 3}) == Reason::interrupted);
  CHECK(reason({0, 1, 4}, {0, 2, 3}) == Reason::bad_argument);
  CHECK(reason({0, 1, -1}, {0, 2, 3}) == Reason::bad_argument);
  CHECK(reason({0, 1, INT64_MAX}, {0, 2, 3}) == Reason::bad_argument);
  CHECK(reason({0, 1, 2}, {0, 2, 4}) == Reason::bad_argument);
  CHECK(reason({0, 1, 2}, {0, 3, 2}) == Reason::bad_argument);
  CHECK(reason({0, 1, 2}, {1, 2, 3}) == Reason::bad_argument);
  CHECK(reason({0, 1, 2}, {0, -1, 3}) == Reason::bad_argument);
  CHECK(reason({0, 1, 2}, {0, INT64_MIN, INT64_MAX}) == Reason::bad_argument);
}

TEST_CASE("sparse rows: another number of columns, a NaN, and an estimator that refuses them") {
  Program program = mixed_program(4);
  program.dense_only = "my.Estimator";
  const Engine refuses(std::move(program)), engine(mixed_program(4));
  auto x = random_rows<double, std::int32_t>(30, 4);
  CHECK(reason_of([&] { run(refuses, "transform", x.view()); }) == Reason::not_supported);
  x.values.back() = std::numeric_limits<double>::quiet_NaN();
  CHECK(reason_of([&] { run(engine, "transform", x.view()); }) == Reason::not_finite);
  x.columns = 5;
  CHECK(reason_of([&] { run(engine, "transform", x.view()); }) == Reason::wrong_shape);
}

TEST_CASE("a table: columns by name in any order, others ignored; or by position") {
  Program program = mixed_program(3);
  program.names = {"a", "b", "c"};
  const Engine engine(std::move(program));
  const std::vector<double> a{1, 2}, matrix{1, 5, 1, 2, -6, 0};
  const std::vector<float> b{5, -6};
  const bool c[] = {true, false};
  const std::vector<std::int64_t> other{7, 8};
  const auto expected = run(engine, "decision_function", dense(matrix, 3));
  const Column named[] = {Column::numbers("c", std::span<const bool>(c)), Column::numbers("other", std::span(other)),
                          Column::numbers("b", std::span(b)), Column::numbers("a", std::span(a))};
  CHECK(run(engine, "decision_function", TableView(named)) == expected);
  const Column unnamed[] = {Column::numbers("", std::span(a)), Column::numbers("", std::span(b)),
                            Column::numbers("", std::span<const bool>(c))};
  CHECK(run(engine, "decision_function", TableView(unnamed)) == expected);
  CHECK(reason_of([&] { run(engine, "transform", TableView(std::span(unnamed).first(2))); }) == Reason::wrong_shape);
  CHECK(reason_of([&] { run(engine, "transform", TableView(std::span(named).first(3))); }) == Reason::no_path);
}

TEST_CASE("a table: texts and numbers each where they belong, of every column as many rows") {
  Program program = mixed_program(2);
  program.names = {"a", "b"};
  const Engine engine(std::move(program));
  const std::vector<double> a{1, 2}, longer{1, 2, 3};
  const std::vector<std::string_view> texts{"x", "y"};
  const Column text[] = {Column::numbers("a", std::span(a)), Column::strings("b", std::span(texts))};
  CHECK(reason_of([&] { run(engine, "transform", TableView(text)); }) == Reason::wrong_type);
  const Column uneven[] = {Column::numbers("a", std::span(a)), Column::numbers("b", std::span(longer))};
  CHECK(reason_of([&] { run(engine, "transform", TableView(uneven)); }) == Reason::wrong_shape);
  const std::uint8_t missing[] = {0, 1};
  Column with_gap[] = {Column::numbers("a", std::span(a)), Column::numbers("b", std::span(a))};
  with_gap[1].missing = missing;
  CHECK(reason_of([&] { run(engine, "transform", TableView(with_gap)); }) == Reason::not_finite);
}
