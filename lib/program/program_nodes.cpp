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

NodeId write_method(Graph& graph, Method& method) {
  FieldWriter fields(graph);
  std::int64_t value = method.value;
  method_fields(fields, method, value);
  std::vector<NodeId> labels;
  for (const Labels& table : method.labels) labels.push_back(write_labels(graph, table));
  fields.add("labels", graph.list(labels));
  return fields.finish("Method");
}

ValueId value_id(const Node& node, std::int64_t value) {
  if (value < 0 || value > static_cast<std::int64_t>(kMaxSteps)) {
    throw Error(Reason::schema, "program: " + node.path() + ": there is no value " + std::to_string(value));
  }
  return static_cast<ValueId>(value);
}

Method read_method(const Node& node) {
  Method method;
  FieldReader fields(node);
  std::int64_t value = 0;
  method_fields(fields, method, value);
  method.value = value_id(node, value);
  const Node labels = list_in(*node.state(), "labels");
  for (std::uint64_t i = 0; i < labels.size(); ++i) {
    method.labels.push_back(read_labels(labels[static_cast<std::size_t>(i)]));
  }
  fields.finish(1);
  return method;
}

void part_fields(Fields& fields, Part& part, std::int64_t& input) {
  fields.field("path", part.path);
  fields.field("estimator", part.estimator);
  fields.field("input", input);
}

NodeId write_part(Graph& graph, Part& part) {
  FieldWriter fields(graph);
  std::int64_t input = part.input;
  part_fields(fields, part, input);
  std::vector<NodeId> methods;
  for (Method& method : part.methods) methods.push_back(write_method(graph, method));
  fields.add("methods", graph.list(methods));
  return fields.finish("Part");
}

std::vector<Method> read_methods(const Node& state) {
  std::vector<Method> made;
  const Node methods = list_in(state, "methods");
  for (std::uint64_t i = 0; i < methods.size(); ++i) {
    made.push_back(read_method(methods[static_cast<std::size_t>(i)]));
  }
  return made;
}

Part read_part(const Node& node) {
  Part part;
  FieldReader fields(node);
  std::int64_t input = 0;
  part_fields(fields, part, input);
  part.input = value_id(node, input);
  part.methods = read_methods(*node.state());
  fields.finish(1);
  return part;
}

// Files of earlier releases have none.
std::vector<Part> read_parts_in(const Node& state) {
  std::vector<Part> made;
  if (!state.find("parts")) return made;
  const Node parts = list_in(state, "parts");
  if (parts.size() == 0) throw Error(Reason::schema, "program: " + parts.path() + " is empty");
  for (std::uint64_t i = 0; i < parts.size(); ++i) {
    made.push_back(read_part(parts[static_cast<std::size_t>(i)]));
  }
  return made;
}

void require_version(std::int64_t version) {
  if (version != kProgramVersion) {
    throw Error(Reason::unsupported_version, "program: version " + std::to_string(version) + ", this reader knows " +
                                                 std::to_string(kProgramVersion));
  }
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
  for (Method& method : program.methods) methods.push_back(write_method(graph, method));
  fields.add("methods", graph.list(methods));
  for (Part& part : program.parts) parts.push_back(write_part(graph, part));
  if (!parts.empty()) fields.add("parts", graph.list(parts));
  return fields.finish("Program");
}

NodeId write_programs(Graph& graph, std::span<Program> programs) {
  FieldWriter fields(graph);
  std::int64_t version = kProgramVersion;
  fields.field("version", version);
  std::vector<NodeId> members;
  for (Program& program : programs) members.push_back(write_program(graph, program));
  fields.add("programs", graph.list(members));
  return fields.finish("Programs");
}

bool is_part_of_programs(std::string_view type_name) {
  const std::span<const std::string_view> operators = operator_names();
  return type_name == "Program" || type_name == "Method" || type_name == "Part" || type_name == "Programs" ||
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
  program.methods = read_methods(*root.state());
  program.parts = read_parts_in(*root.state());
  fields.finish(program.parts.empty() ? 2 : 3);
  check_program(program);
  return program;
}

bool is_program(const Node& root) {
  return root.kind() != Kind::object || root.type_name() != "Programs";
}

namespace {

// The list of a record `Programs`.
Node programs_in(const Node& root) {
  FieldReader fields(root);
  std::int64_t version = 0;
  fields.field("version", version);
  require_version(version);
  const Node members = list_in(*root.state(), "programs");
  fields.finish(1);
  return members;
}

Node program_node(const Node& root, std::uint32_t number) {
  const bool single = is_program(root);
  if (number >= program_count(root)) {
    throw Error(Reason::out_of_range, "program: there is no program " + std::to_string(number));
  }
  return single ? root : programs_in(root)[static_cast<std::size_t>(number)];
}

}  // namespace

std::uint32_t program_count(const Node& root) {
  return is_program(root) ? 1 : static_cast<std::uint32_t>(programs_in(root).size());
}

Program read_one(const Node& root, std::uint32_t number) {
  return read_program(program_node(root, number));
}

std::vector<Part> read_parts(const Node& root, std::uint32_t number) {
  const Node program = program_node(root, number);
  const FieldReader checked(program);
  return read_parts_in(*program.state());
}

}  // namespace mere::program
