#include "program/program.hpp"

#include <algorithm>

#include <mere/error.hpp>
#include <mere/size.hpp>

namespace mere::program {

namespace {

const Method* find_in(const std::vector<Method>& methods, std::string_view name) {
  for (const Method& method : methods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

[[noreturn]] void fail(const Method& method, const std::string& what) {
  throw Error(Reason::schema, "program: method " + method.name + " " + what);
}

void check_method(const Method& method, const std::vector<std::uint64_t>& columns) {
  if (method.value >= columns.size()) {
    fail(method, "gives value " + std::to_string(method.value) + ", which does not exist");
  }
  const std::uint64_t width = columns[method.value];
  if (!method.labels.empty() && method.labels.size() != width) {
    fail(method, "has " + std::to_string(method.labels.size()) + " tables of classes for " + std::to_string(width) +
                     " columns");
  }
  if (method.flat && width != 1) fail(method, "is flat, but has " + std::to_string(width) + " columns");
}

// A part's value is made of its input and of nothing that comes before.
void check_part(const Program& program, const Part& part, const std::vector<std::uint64_t>& columns) {
  if (part.input >= columns.size()) {
    throw Error(Reason::schema,
                "program: part " + part.path + " takes value " + std::to_string(part.input) + ", which does not exist");
  }
  for (const Method& method : part.methods) {
    check_method(method, columns);
    bool alone = method.value >= part.input;
    if (alone) {
      for (const std::size_t step : steps_of(program, method.value, part.input)) {
        for (const ValueId id : program.steps[step]->inputs) alone = alone && id >= part.input;
      }
    }
    if (!alone) fail(method, "of part " + part.path + " is not made of value " + std::to_string(part.input) + " alone");
  }
}

}  // namespace

const Method* Program::find_method(std::string_view name) const {
  return find_in(methods, name);
}

const Method* Part::find_method(std::string_view name) const {
  return find_in(methods, name);
}

const Method& Program::method(std::string_view name) const {
  if (const Method* found = find_method(name)) return *found;
  std::string known;
  for (const Method& method : methods) known += (known.empty() ? "" : ", ") + method.name;
  throw Error(Reason::no_method, estimator + " has no method " + std::string(name) + "; it has: " + known);
}

std::vector<std::uint64_t> check_program(const Program& program) {
  std::vector<std::uint64_t> columns{program.columns};
  const auto too_wide = [](std::uint64_t n) { return n == 0 || n > kMaxColumns; };
  if (too_wide(program.columns)) {
    throw Error(Reason::schema, "program: the input has " + std::to_string(program.columns) + " columns");
  }
  if (!program.names.empty() && program.names.size() != program.columns) {
    throw Error(Reason::schema, "program: " + std::to_string(program.names.size()) + " names for " +
                                    std::to_string(program.columns) + " columns");
  }
  if (!program.kinds.empty() && program.kinds.size() != program.columns) {
    throw Error(Reason::schema, "program: " + std::to_string(program.kinds.size()) + " kinds for " +
                                    std::to_string(program.columns) + " columns");
  }
  for (const std::string& kind : program.kinds) {
    if (kind != kNumbers && kind != kTexts) throw Error(Reason::schema, "program: a column is of kind " + kind);
  }
  std::vector<std::uint64_t> in;
  for (const auto& step : program.steps) {
    in.clear();
    for (const ValueId id : step->inputs) {
      if (id >= columns.size()) {
        fail_check(*step, "takes value " + std::to_string(id) + ", but only " + std::to_string(columns.size()) +
                              " exist before it");
      }
      in.push_back(columns[id]);
    }
    if (step->passes_through() && step->inputs.size() != 1) fail_check(*step, "has to have one input");
    const std::uint64_t out = step->check(in);
    if (too_wide(out)) fail_check(*step, "makes " + std::to_string(out) + " columns");
    columns.push_back(out);
  }
  for (const Method& method : program.methods) check_method(method, columns);
  for (const Part& part : program.parts) check_part(program, part, columns);
  return columns;
}

std::vector<std::size_t> steps_of(const Program& program, ValueId value, ValueId input) {
  std::vector<bool> needed(program.steps.size(), false);
  if (value > input) needed[value - 1] = true;
  std::vector<std::size_t> order;
  for (std::size_t i = program.steps.size(); i-- > input;) {
    if (!needed[i]) continue;
    order.push_back(i);
    for (const ValueId id : program.steps[i]->inputs) {
      if (id > input) needed[id - 1] = true;
    }
  }
  std::reverse(order.begin(), order.end());
  return order;
}

Program take_part(Program whole, std::size_t number) {
  const std::vector<std::uint64_t> columns = check_program(whole);
  if (number >= whole.parts.size()) {
    throw Error(Reason::out_of_range, "part " + std::to_string(number) + " was asked for; the program has " +
                                          std::to_string(whole.parts.size()));
  }
  Part& part = whole.parts[number];
  Program program;
  program.columns = columns[part.input];
  program.estimator = part.estimator;
  program.source_version = whole.source_version;
  program.methods = std::move(part.methods);
  std::vector<bool> needed(whole.steps.size(), false);
  for (const Method& method : program.methods) {
    for (const std::size_t step : steps_of(whole, method.value, part.input)) needed[step] = true;
  }
  std::vector<ValueId> renumbered(columns.size(), 0);  // the part's input is value 0
  for (std::size_t i = 0; i < whole.steps.size(); ++i) {
    if (!needed[i]) continue;
    for (ValueId& id : whole.steps[i]->inputs) id = renumbered[id];
    program.steps.push_back(std::move(whole.steps[i]));
    renumbered[i + 1] = static_cast<ValueId>(program.steps.size());
  }
  for (Method& method : program.methods) method.value = renumbered[method.value];
  return program;
}

std::vector<double> evaluate(const Program& program, std::string_view name, const Matrix& x) {
  const Method& method = program.method(name);
  const std::vector<std::uint64_t> columns = check_program(program);
  if (x.columns != program.columns) {
    throw Error(Reason::wrong_shape, "the input has " + std::to_string(x.columns) + " columns, " + program.estimator +
                                         " expects " + std::to_string(program.columns));
  }
  std::vector<std::vector<double>> memory(columns.size());
  std::vector<Matrix> values(columns.size());
  values[0] = x;
  std::vector<Matrix> in;
  for (const std::size_t i : steps_of(program, method.value)) {
    const Operator& step = *program.steps[i];
    in.clear();
    for (const ValueId id : step.inputs) in.push_back(values[id]);
    MutableMatrix out;
    out.rows = x.rows;
    out.columns = static_cast<std::size_t>(columns[i + 1]);
    out.stride = out.columns;
    out.texts = x.texts;
    if (!step.passes_through()) {
      memory[i + 1].resize(static_cast<std::size_t>(
          (Size(out.rows) * Size(out.columns)).get("a value of the program", Reason::too_large)));
    }
    out.data = memory[i + 1].data();
    step.apply(in, out);
    values[i + 1] = step.passes_through() ? in[0] : Matrix(out);
  }
  const Matrix& result = values[method.value];
  std::vector<double> out;
  out.reserve(result.rows * result.columns);
  for (std::size_t r = 0; r < result.rows; ++r) out.insert(out.end(), result.row(r), result.row(r) + result.columns);
  return out;
}

}  // namespace mere::program
