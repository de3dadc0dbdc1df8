#include "importers/pickle/opaque_parts.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "importers/pickle/value_writer.hpp"

namespace mere::importers::pickle {

namespace {

// What is known of an opaque value; empty where the stream does not say.
struct Description {
  std::string_view kind, name, qualname, module, file;
  std::optional<std::int64_t> line;
};

// The value of a text key of a dict; kNoValue if there is none.
ValueId find_entry(const Values& values, ValueId dict, std::string_view key) {
  if (dict == kNoValue || values.kind(dict) != ValueKind::dict) return kNoValue;
  const auto entries = values.members(dict);
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    if (values.kind(entries[i]) == ValueKind::text && values.text_of(entries[i]) == key) return entries[i + 1];
  }
  return kNoValue;
}

void take_text(const Values& values, ValueId from, std::string_view& to) {
  if (to.empty() && from != kNoValue && values.kind(from) == ValueKind::text) to = values.text_of(from);
}

// From attributes: `__name__` as newer releases write them, `name` as older ones do.
void take_attributes(const Values& values, ValueId dict, Description& description) {
  take_text(values, find_entry(values, dict, "__name__"), description.name);
  take_text(values, find_entry(values, dict, "__qualname__"), description.qualname);
  take_text(values, find_entry(values, dict, "__module__"), description.module);
  if (description.kind != "function") return;
  take_text(values, find_entry(values, dict, "name"), description.name);
  take_text(values, find_entry(values, dict, "qualname"), description.qualname);
  take_text(values, find_entry(values, dict, "module"), description.module);
}

// types.CodeType(...): whatever the Python, the file's name is the first text after the tuples of constants and names;
// the function's name follows, from Python 3.11 on its qualified name, and the first line.
void take_code(const Values& values, const Call& code, Description& description) {
  const auto args = values.members(code.args);
  for (std::size_t i = 1; i + 2 < args.size(); ++i) {
    if (values.kind(args[i]) != ValueKind::text || values.kind(args[i - 1]) != ValueKind::tuple) continue;
    take_text(values, args[i], description.file);
    take_text(values, args[i + 1], description.name);
    std::size_t line = i + 2;
    if (values.kind(args[line]) == ValueKind::text) take_text(values, args[line++], description.qualname);
    if (line < args.size() && values.kind(args[line]) == ValueKind::integer)
      description.line = values.integer_of(args[line]);
    return;
  }
}

std::string_view kind_of(const Values& values, const Call& call) {
  const Known setter = call.setter == kNoValue ? Known::nothing : values.known(call.setter);
  if (setter == Known::cloud_class_setter) return "class";
  if (setter == Known::cloud_function_setter) return "function";
  switch (call.known) {
    case Known::cloud_code: return "code";
    case Known::cloud_cell: return "cell";
    case Known::cloud_function: return "function";
    default: return "class";
  }
}

Description describe(const Values& values, const Call& call) {
  Description description;
  description.kind = kind_of(values, call);
  const auto args = values.members(call.args);
  if (description.kind == "cell") return description;
  if (description.kind == "code") {
    take_code(values, call, description);
    return description;
  }
  // The state: a dict, or a tuple of dicts.
  std::vector<ValueId> states;
  if (call.state != kNoValue) {
    states.push_back(call.state);
    if (values.kind(call.state) == ValueKind::tuple) {
      const auto parts = values.members(call.state);
      states.insert(states.end(), parts.begin(), parts.end());
    }
  }
  for (const ValueId state : states) take_attributes(values, state, description);
  if (description.kind == "function") {
    if (!args.empty() && values.is_call(args[0])) take_code(values, values.call_of(args[0]), description);
    return description;
  }
  for (const ValueId arg : args) {
    take_text(values, arg, description.name);  // the first text is the class's name
    take_attributes(values, arg, description);
  }
  return description;
}

// Everything that `value` is made of.
template <class Visit>
void for_each_member(const Values& values, ValueId value, const Visit& visit) {
  switch (values.kind(value)) {
    case ValueKind::list:
    case ValueKind::tuple:
    case ValueKind::set:
    case ValueKind::frozenset:
    case ValueKind::dict:
      for (const ValueId member : values.members(value)) visit(member);
      return;
    case ValueKind::call: {
      const Call& call = values.call_of(value);
      for (const ValueId part :
           {call.callable, call.args, call.kwargs, call.state, call.items, call.entries, call.setter}) {
        if (part != kNoValue) visit(part);
      }
      return;
    }
    default: return;
  }
}

}  // namespace

NodeId make_opaque(const Values& values, ValueId value, Graph& graph, std::uint64_t& bytes_left) {
  const Call& call = values.call_of(value);
  ValueWriter writer(values, bytes_left);
  std::string bytes;
  try {
    bytes = writer.write(value);
  } catch (const Error& error) {
    throw error.with_context("byte " + std::to_string(call.offset) + " of the pickle");
  }
  bytes_left -= bytes.size();

  std::vector<std::string> names;
  for (const ValueId name : writer.names()) names.push_back(values.global_of(name).name.full_name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<NodeId> name_nodes;
  for (const std::string& name : names) name_nodes.push_back(graph.text(name));

  const Description description = describe(values, call);
  std::vector<std::pair<NodeId, NodeId>> info;
  const auto add = [&](std::string_view key, NodeId node) { info.emplace_back(graph.text(key), node); };
  const auto add_text = [&](std::string_view key, std::string_view text) {
    if (!text.empty()) add(key, graph.text(text));
  };
  add("format", graph.text("cloudpickle"));
  add_text("kind", description.kind);
  add_text("name", description.name);
  add_text("qualname", description.qualname);
  add_text("module", description.module);
  add_text("file", description.file);
  if (description.line) add("line", graph.integer(*description.line));
  add("names", graph.list(name_nodes));
  return graph.opaque(graph.dict(info), std::as_bytes(std::span(bytes)));
}

std::vector<bool> names_inside(const Values& values, std::span<const ValueId> opaque) {
  std::vector<bool> seen(values.size()), names(values.size());
  std::vector<ValueId> waiting(opaque.begin(), opaque.end());
  for (const ValueId value : waiting) seen[value] = true;
  while (!waiting.empty()) {
    const ValueId value = waiting.back();
    waiting.pop_back();
    if (values.kind(value) == ValueKind::global) names[value] = true;
    for_each_member(values, value, [&](ValueId member) {
      if (seen[member]) return;
      seen[member] = true;
      waiting.push_back(member);
    });
  }
  return names;
}

}  // namespace mere::importers::pickle
