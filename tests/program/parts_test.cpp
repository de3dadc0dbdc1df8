// Parts: estimators inside a program that are asked by themselves.

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include <mere/error.hpp>

#include "graph/written.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/elementwise.hpp"
#include "program/program.hpp"

using namespace mere;
using namespace mere::program;

namespace {

ValueId add(Program& program, std::unique_ptr<Operator> step, std::vector<ValueId> inputs) {
  step->inputs = std::move(inputs);
  program.steps.push_back(std::move(step));
  return static_cast<ValueId>(program.steps.size());
}

ValueId plus(Program& program, ValueId in, double operand) {
  auto step = std::make_unique<Arithmetic>();
  step->operation = "add";
  step->operand = Array<double>(std::vector<double>{operand});
  return add(program, std::move(step), {in});
}

Method method(std::string name, ValueId value) {
  Method made;
  made.name = std::move(name);
  made.value = value;
  return made;
}

// x + 1, of which column 1 goes into a part that adds 10 and 100.
Program example() {
  Program program;
  program.columns = 2;
  program.estimator = "outer";
  const ValueId one = plus(program, 0, 1);
  auto select = std::make_unique<Select>();
  select->columns = Array<std::uint32_t>(std::vector<std::uint32_t>{1});
  const ValueId input = add(program, std::move(select), {one});
  const ValueId ten = plus(program, input, 10), hundred = plus(program, input, 100);
  const ValueId all = add(program, std::make_unique<Concat>(), {one, ten, hundred});
  program.methods.push_back(method("predict", all));
  Part part;
  part.path = "steps[1][1]";
  part.estimator = "inner";
  part.input = input;
  part.methods.push_back(method("ten", ten));
  part.methods.push_back(method("hundred", hundred));
  program.parts.push_back(std::move(part));
  return program;
}

std::vector<double> answer(const Program& program, std::string_view name, const std::vector<double>& x) {
  return evaluate(program, name, Matrix{x.data(), 1, x.size(), x.size()});
}

Reason reason_of(const Program& program) {
  try {
    check_program(program);
  } catch (const Error& error) {
    return error.reason();
  }
  return Reason::bad_argument;
}

}  // namespace

TEST_CASE("parts: a part is asked with the input of its own, and knows the steps it needs alone") {
  const Program part = take_part(example(), 0);
  CHECK(part.columns == 1);
  CHECK(part.estimator == "inner");
  CHECK(part.steps.size() == 2);
  CHECK(answer(part, "ten", {5}) == std::vector<double>{15});
  CHECK(answer(part, "hundred", {5}) == std::vector<double>{105});
  CHECK(answer(example(), "predict", {1, 2}) == std::vector<double>{2, 3, 13, 103});
}

TEST_CASE("parts: a file has them, and programs without any are written as before") {
  Graph graph;
  Program program = example();
  graph.model_root = write_program(graph, program);
  const test::Written model = test::write(graph);
  CHECK(program_count(model.root()) == 1);
  const std::vector<Part> parts = read_parts(model.root(), 0);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].path == "steps[1][1]");
  const Program part = take_part(read_one(model.root(), 0), 0);
  CHECK(answer(part, "ten", {5}) == std::vector<double>{15});

  Graph without;
  Program bare = example();
  bare.parts.clear();
  without.model_root = write_program(without, bare);
  const test::Written old = test::write(without);
  CHECK(!old.root().state()->find("parts"));
  CHECK(read_one(old.root(), 0).parts.empty());
}

TEST_CASE("parts: programs of ensembles inside a model without a program stand side by side") {
  Graph graph;
  std::vector<Program> programs;
  programs.push_back(example());
  programs.push_back(example());
  programs[1].parts[0].path = "other";
  graph.model_root = write_programs(graph, programs);
  const test::Written model = test::write(graph);
  CHECK(!is_program(model.root()));
  CHECK(program_count(model.root()) == 2);
  CHECK(read_parts(model.root(), 1)[0].path == "other");
  CHECK(answer(take_part(read_one(model.root(), 1), 0), "hundred", {1}) == std::vector<double>{101});
  CHECK_THROWS_AS(read_one(model.root(), 2), Error);
}

TEST_CASE("parts: a value that is not made of the part's input alone is refused") {
  Program program = example();
  program.parts[0].methods[0].value = 5;  // the Concat, which takes value 1 too
  CHECK(reason_of(program) == Reason::schema);
  program = example();
  program.parts[0].methods[0].value = 1;  // before the input
  CHECK(reason_of(program) == Reason::schema);
  program = example();
  program.parts[0].input = 6;
  CHECK(reason_of(program) == Reason::schema);
  program = example();
  program.parts[0].methods[0].value = 99;
  CHECK(reason_of(program) == Reason::schema);
  program = example();
  program.parts[0].methods[0].value = program.parts[0].input;  // what comes in, as it is
  CHECK(answer(take_part(std::move(program), 0), "ten", {5}) == std::vector<double>{5});
}
