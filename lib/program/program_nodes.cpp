// Programs from and to nodes.

#include "program/program.hpp"

#include <algorithm>

#include <mere/error.hpp>

#include "program/node_fields.hpp"

namespace mere::program {

namespace {

// Bounds the work on a hostile program; no estimator comes near.
constexpr std::uint64_t kMaxSteps = 1 << 20;

NodeId write_labels(Graph& graph, const Labels& labels) {
  if (labels.dtype.type_class() == TypeClass::object) {
    std::vector<NodeId> items;
    for (const std::string& text : labels.texts) items.push_back(graph.text(text));
    return graph.list(items);
  }
  const std::int64_t shape[] = {static_cast<std::int64_t>(labels.count)};
  return graph.array(labels.dtype, shape, Graph::Order::c, {labels.bytes.data(), labels.owner});
}

Labels read_labels(const Node& node) {
  Labels labels;
  if (node.kind() == Kind::list) {
    labels.dtype = Dtype(TypeClass::object, 8);
    labels.count = node.size();
    for (std::uint64_t i = 0; i < labels.count; ++i) {
      labels.texts.emplace_back(node[static_cast<std::size_t>(i)].text());
    }
    return labels;
  }
  const ArrayView array = node.array();
  if (array.ndim() != 1) {
    throw Error(Reason::schema, "program: " + node.path() + ": classes have shape " + array.shape().to_text());
  }
  labels.dtype = array.dtype();
  labels.count = array.size();
  labels.bytes = array.bytes();
  return labels;
}

Node list_in(const Node& state, std::string_view name) {
  const std::optional<Node> found = state.find(name);
  if (!found || found->kind() != Kind::list) {
    throw Error(Reason::schema, "program: " + state.path() + " has no list " + std::string(name));
  }
  if (found->size() > kMaxSteps) {
    throw Error(Reason::too_large, "program: " + std::string(name) + " has " + std::to_string(found->size()) +
                                       " members, at most " + std::to_string(kMaxSteps));
  }
  return *found;
}

// The plain fields of the records around the operators; lists are read beside them.
void program_fields(Fields& fields, Program& program, std::int64_t& version, std::int64_t& columns) {
  fields.field("version", version);
  fields.field("estimator", program.estimator);
  fields.field("source_version", program.source_version);
  fields.field("columns", columns);
  fields.field("names", program.names);
}

void method_fields(Fields& fields, Method& method, std::int64_t& value) {
  fields.field("name", method.name);
  fields.field("value", value);
  fields.field("flat", method.flat);
  fields.field("integer", method.integer);
}

NodeId write_step(Graph& graph, Operator& step) {
  FieldWriter fields(graph);
  std::vector<NodeId> inputs;
  for (const ValueId id : step.inputs) inputs.push_back(graph.integer(id));
  fields.add("inputs", graph.list(inputs));
  step.fields(fields);
  return fields.finish(step.name());
}

std::unique_ptr<Operator> read_step(const Node& node) {
  FieldReader fields(node);
  std::unique_ptr<Operator> step = make_operator(node.type_name());
  if (!step) {
    throw Error(Reason::unknown_kind,
                "program: " + node.path() + ": no operator is called " + std::string(node.type_name()));
  }
  const Node inputs = list_in(*node.state(), "inputs");
  for (std::uint64_t i = 0; i < inputs.size(); ++i) {
    const std::int64_t id = inputs[static_cast<std::size_t>(i)].integer();
    if (id < 0 || id > static_cast<std::int64_t>(kMaxSteps)) {
      throw Error(Reason::schema, "program: " + inputs.path() + ": there is no value " + std::to_string(id));
    }
    step->inputs.push_back(static_cast<ValueId>(id));
  }
  step->fields(fields);
  fields.finish(1);
  return step;
}

Method read_method(const Node& node) {
  Method method;
  FieldReader fields(node);
  std::int64_t value = 0;
  method_fields(fields, method, value);
  if (value < 0 || value > static_cast<std::int64_t>(kMaxSteps)) {
    throw Error(Reason::schema, "program: " + node.path() + ": there is no value " + std::to_string(value));
  }
  method.value = static_cast<ValueId>(value);
  const Node labels = list_in(*node.state(), "labels");
  for (std::uint64_t i = 0; i < labels.size(); ++i) {
    method.labels.push_back(read_labels(labels[static_cast<std::size_t>(i)]));
  }
  fields.finish(1);
  return method;
}

}  // namespace

NodeId write_program(Graph& graph, Program& program) {
  FieldWriter fields(graph);
  std::int64_t version = kProgramVersion, columns = static_cast<std::int64_t>(program.columns);
  program_fields(fields, program, version, columns);
  if (!program.kinds.empty()) fields.field("kinds", program.kinds);
  if (!program.texts.empty()) fields.field("texts", program.texts);
  if (!program.dense_only.empty()) fields.field("dense_only", program.dense_only);
  std::vector<NodeId> steps, methods, parts;
  for (const auto& step : program.steps) steps.push_back(write_step(graph, *step));
  fields.add("steps", graph.list(steps));
  for (Method& method : program.methods) {
    FieldWriter of_method(graph);
    std::int64_t value = method.value;
    method_fields(of_method, method, value);
    std::vector<NodeId> labels;
    for (const Labels& table : method.labels) labels.push_back(write_labels(graph, table));
    of_method.add("labels", graph.list(labels));
    methods.push_back(of_method.finish("Method"));
  }
  fields.add("methods", graph.list(methods));
  return fields.finish("Program");
}

bool is_part_of_programs(std::string_view type_name) {
  const std::span<const std::string_view> operators = operator_names();
  return type_name == "Program" || type_name == "Method" ||
         std::find(operators.begin(), operators.end(), type_name) != operators.end();
}

Program read_program(const Node& root) {
  Program program;
  FieldReader fields(root);
  if (root.type_name() != "Program") {
    throw Error(Reason::schema, "program: the root is of type " + std::string(root.type_name()));
  }
  std::int64_t version = 0, columns = 0;
  program_fields(fields, program, version, columns);
  fields.optional("kinds", program.kinds);
  fields.optional("texts", program.texts);
  fields.optional("dense_only", program.dense_only);
  require_version(version);
  if (columns < 1) throw Error(Reason::schema, "program: the input has " + std::to_string(columns) + " columns");
  program.columns = static_cast<std::uint64_t>(columns);
  const Node steps = list_in(*root.state(), "steps");
  for (std::uint64_t i = 0; i < steps.size(); ++i) {
    program.steps.push_back(read_step(steps[static_cast<std::size_t>(i)]));
  }
  const Node methods = list_in(*root.state(), "methods");
  for (std::uint64_t i = 0; i < methods.size(); ++i) {
    program.methods.push_back(read_method(methods[static_cast<std::size_t>(i)]));
  }
  fields.finish(2);
  check_program(program);
  return program;
}

}  // namespace mere::program
