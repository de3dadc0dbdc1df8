// Programs as nodes and back, their checks, and the plain meaning of the common operators.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "graph/written.hpp"
#include "program/operators/check.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/linear.hpp"
#include "program/operators/rows.hpp"
#include "program/program.hpp"

namespace {

using namespace mere;
using namespace mere::program;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Matrix matrix(const std::vector<double>& values, std::size_t columns) {
  return {values.data(), values.size() / columns, columns, columns};
}

// What one step makes of `x`.
std::vector<double> apply(const Operator& op, const Matrix& x, bool* single = nullptr) {
  const std::uint64_t in[] = {x.columns};
  const auto columns = static_cast<std::size_t>(op.check(in));
  std::vector<double> out(x.rows * columns);
  MutableMatrix to{out.data(), x.rows, columns, columns};
  op.apply({&x, 1}, to);
  if (single) *single = to.single;
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

// scale and product: two features to three classes.
Program small_program() {
  Program program;
  program.columns = 2;
  program.names = {"width", "height"};
  program.estimator = "my.Estimator";
  program.source_version = "1.2.1";
  auto check = std::make_unique<Check>();
  check->inputs = {0};
  program.steps.push_back(std::move(check));
  auto linear = std::make_unique<Linear>();
  linear->inputs = {1};
  linear->weights = Array<double>({1, 2, 3, 4, 5, 6}, {3, 2});
  linear->bias = Array<double>(std::vector<double>{0.5, 0, -0.5});
  program.steps.push_back(std::move(linear));
  auto arg_max = std::make_unique<ArgMax>();
  arg_max->inputs = {2};
  program.steps.push_back(std::move(arg_max));
  Method decision;
  decision.name = "decision_function";
  decision.value = 2;
  Method predict;
  predict.name = "predict";
  predict.value = 3;
  predict.flat = true;
  Labels labels;
  labels.dtype = Dtype(TypeClass::object, 8);
  labels.texts = {"red", "green", "blue"};
  labels.count = 3;
  predict.labels = {labels};
  program.methods = {decision, predict};
  return program;
}

test::Written written(Program& program) {
  Graph graph;
  graph.model_root = write_program(graph, program);
  return test::write(graph);
}

// Writes a program whose nodes `change` made, and reads it.
Reason reason_of_reading(const std::function<void(Program&)>& change) {
  Program program = small_program();
  change(program);
  const test::Written file = written(program);
  return reason_of([&] { read_program(file.root()); });
}

}  // namespace

TEST_CASE("a program comes back from its nodes with steps, methods and classes") {
  Program program = small_program();
  const test::Written file = written(program);
  const Program read = read_program(file.root());
  CHECK(read.estimator == "my.Estimator");
  CHECK(read.names == std::vector<std::string>{"width", "height"});
  REQUIRE(read.steps.size() == 3);
  CHECK(read.steps[1]->name() == "Linear");
  CHECK(read.method("predict").labels.at(0).texts.at(2) == "blue");
  const std::vector<double> x{1, 2, -3, 0.25};
  CHECK(evaluate(read, "decision_function", matrix(x, 2)) == std::vector<double>{5.5, 11, 16.5, -2, -8, -14});
  CHECK(evaluate(read, "predict", matrix(x, 2)) == std::vector<double>{2, 0});
}

TEST_CASE("a program's bytes are the same each time") {
  Program first = small_program(), second = small_program();
  CHECK(written(first).bytes == written(second).bytes);
}

TEST_CASE("a method that a program lacks is an error that lists those it has") {
  const Program program = small_program();
  try {
    program.method("predict_proba");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::no_method);
    CHECK(error.message() == "my.Estimator has no method predict_proba; it has: decision_function, predict");
  }
}

TEST_CASE("a program that contradicts itself is an error when it is read") {
  CHECK(reason_of_reading([](Program&) {}) == Reason::interrupted);
  SUBCASE("a step takes a value that is made after it") {
    CHECK(reason_of_reading([](Program& p) { p.steps[1]->inputs = {2}; }) == Reason::schema);
  }
  SUBCASE("weights for another number of columns") {
    CHECK(reason_of_reading([](Program& p) {
            static_cast<Linear&>(*p.steps[1]).weights = Array<double>({1, 2, 3}, {3, 1});
          }) == Reason::schema);
  }
  SUBCASE("a method of a value that does not exist") {
    CHECK(reason_of_reading([](Program& p) { p.methods[0].value = 4; }) == Reason::schema);
  }
  SUBCASE("classes for more columns than there are") {
    CHECK(reason_of_reading([](Program& p) { p.methods[1].labels.push_back(p.methods[1].labels[0]); }) ==
          Reason::schema);
  }
  SUBCASE("names for more columns than there are") {
    CHECK(reason_of_reading([](Program& p) { p.names.push_back("depth"); }) == Reason::schema);
  }
  SUBCASE("an input without columns") {
    CHECK(reason_of_reading([](Program& p) { p.columns = 0; }) == Reason::schema);
  }
  SUBCASE("a function that nobody knows") {
    CHECK(reason_of_reading([](Program& p) {
            auto map = std::make_unique<Map>();
            map->function = "gamma";
            map->inputs = {0};
            p.steps.push_back(std::move(map));
          }) == Reason::schema);
  }
}

TEST_CASE("an operator of an unknown name is unknown_kind, a newer program unsupported_version") {
  Graph graph;
  const NodeId step = [&] {
    const std::pair<NodeId, NodeId> fields[] = {{graph.text("inputs"), graph.list()}};
    ObjectParts parts;
    parts.type = graph.name("", "Teleport");
    parts.state = graph.dict(fields);
    return graph.object(ObjectForm::record, parts);
  }();
  const auto root = [&](std::int64_t version, NodeId member) {
    const NodeId steps[] = {member};
    const std::pair<NodeId, NodeId> fields[] = {{graph.text("version"), graph.integer(version)},
                                                {graph.text("estimator"), graph.text("")},
                                                {graph.text("source_version"), graph.text("")},
                                                {graph.text("columns"), graph.integer(1)},
                                                {graph.text("names"), graph.list()},
                                                {graph.text("steps"), graph.list(steps)},
                                                {graph.text("methods"), graph.list()}};
    ObjectParts parts;
    parts.type = graph.name("", "Program");
    parts.state = graph.dict(fields);
    return graph.object(ObjectForm::record, parts);
  };
  const auto reading = [&](NodeId model_root) {
    graph.model_root = model_root;
    const test::Written file = test::write(graph);
    return reason_of([&] { read_program(file.root()); });
  };
  CHECK(reading(root(1, step)) == Reason::unknown_kind);
  CHECK(reading(root(2, step)) == Reason::unsupported_version);
}

TEST_CASE("every operator has a name of its own, and is made by it") {
  for (const std::string_view name : operator_names()) {
    CAPTURE(name);
    const std::unique_ptr<Operator> op = make_operator(name);
    REQUIRE(op);
    CHECK(op->name() == name);
  }
  CHECK_FALSE(make_operator("check"));
}

TEST_CASE("Check names the row and the column of what it refuses, and lets the rest pass") {
  Check check;
  const auto message = [&](std::vector<double> x) -> std::string {
    const Matrix in = matrix(x, 2);
    MutableMatrix out;
    try {
      check.apply({&in, 1}, out);
    } catch (const Error& error) {
      CHECK(error.reason() == Reason::not_finite);
      return std::string(error.message());
    }
    return "passes";
  };
  CHECK(message({1, 2, 3, kNan}) == "the input at row 1, column 1 is NaN, which the estimator refuses");
  CHECK(message({1, -kInfinity, 3, 4}) == "the input at row 0, column 1 is infinite, which the estimator refuses");
  CHECK(message({1e300, 2, -0.0, 5e-324}) == "passes");
  check.refuse_nan = false;
  CHECK(message({kNan, 2}) == "passes");
  check.single_range = true;
  // The largest double that float32 rounds to its own largest number, and the next one.
  const double limit = 0x1.ffffffp127;
  CHECK(message({std::nextafter(limit, 0), -std::nextafter(limit, 0)}) == "passes");
  CHECK(message({0, limit}) == "the input at row 0, column 1 is too large for float32");
  CHECK(std::isinf(static_cast<float>(limit)));
  check.refuse_infinity = false;
  CHECK(message({kInfinity, limit}) == "passes");
}

TEST_CASE("arithmetic rounds to float32 where its input is") {
  Arithmetic divide;
  divide.operation = "divide";
  divide.operand = Array<double>(std::vector<double>{3, 10});
  const std::vector<double> x{1, 1};
  CHECK(apply(divide, matrix(x, 2)) == std::vector<double>{1.0 / 3, 0.1});
  Matrix single = matrix(x, 2);
  single.single = true;
  bool is_single = false;
  CHECK(apply(divide, single, &is_single) == std::vector<double>{double(1.0f / 3), double(0.1f)});
  CHECK(is_single);
}

TEST_CASE("clipping leaves NaN and takes one bound for all columns or one each") {
  Clip clip;
  clip.low = Array<double>(std::vector<double>{0});
  clip.high = Array<double>(std::vector<double>{1, 2});
  const std::vector<double> out = apply(clip, matrix({-1, 3, 0.5, kNan}, 2));
  CHECK(out[0] == 0);
  CHECK(out[1] == 2);
  CHECK(out[2] == 0.5);
  CHECK(std::isnan(out[3]));
}

TEST_CASE("expit and softmax do not overflow") {
  Map expit;
  expit.function = "expit";
  CHECK(apply(expit, matrix({-1000, 0, 1000}, 1)) == std::vector<double>{0, 0.5, 1});
  CHECK(apply(Softmax(), matrix({1000, 1000, -1000}, 3)) == std::vector<double>{0.5, 0.5, 0});
}

TEST_CASE("the largest number: the first of equal ones, the first NaN, group by group") {
  ArgMax one;
  CHECK(apply(one, matrix({1, 3, 3, 0}, 4)) == std::vector<double>{1});
  CHECK(apply(one, matrix({1, kNan, kNan, 9}, 4)) == std::vector<double>{1});
  ArgMax two;
  two.groups = Array<std::int64_t>(std::vector<std::int64_t>{3, 1});
  CHECK(apply(two, matrix({1, 2, 3, 9}, 4)) == std::vector<double>{2, 0});
  SUBCASE("groups that do not fit end with the row") {
    two.groups = Array<std::int64_t>(std::vector<std::int64_t>{100, -5});
    CHECK(apply(two, matrix({1, 2, 3, 9}, 4)) == std::vector<double>{3, 0});
  }
}

TEST_CASE("a row that sums to zero becomes uniform where that is asked for") {
  NormalizeRows normalize;
  normalize.uniform_if_zero = true;
  CHECK(apply(normalize, matrix({0, 0, 1, 3}, 2)) == std::vector<double>{0.5, 0.5, 0.25, 0.75});
}

TEST_CASE("columns that do not exist are taken from within, whatever the file says") {
  Select select;
  select.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{1, 4000000000u, 0});
  CHECK(apply(select, matrix({1, 2}, 2)) == std::vector<double>{2, 2, 1});
}
