// mere get: one node, arrays as .npy, all else as JSON.

#include <unistd.h>
#include <ostream>

#include "command_line.hpp"
#include "commands.hpp"
#include "json_writer.hpp"
#include "node_json.hpp"
#include "node_text.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

bool is_plain_array(const Node& node) {
  return node.kind() == Kind::array && node.dtype().type_class() != TypeClass::object;
}

// With --json every node is an object that says what it is; "value" is what would have been printed without.
void write_json(const GetCommand& command, const Node& node, Output& to) {
  JsonWriter json(to);
  json.begin_object();
  json.member("path", command.path);
  json.member("kind", to_text(node.kind()));
  if (is_plain_array(node)) {
    const ArrayView array = node.array();
    json.member("dtype", array.dtype().to_text());
    json.key("shape");
    json.begin_array(JsonWriter::Layout::line);
    for (std::int64_t n : array.shape()) json.value(n);
    json.end();
    json.member("nbytes", array.nbytes());
    json.key("value");
    write_array_values(json, array, command.open.limits.memory_bytes);
  } else {
    if (node.kind() == Kind::scalar) json.member("dtype", node.dtype().to_text());
    json.key("value");
    write_node(json, node, command.path);
  }
  json.end();
}

void write_value(const GetCommand& command, const Node& node, Output& to) {
  if (command.manners.json) return write_json(command, node, to);
  if (is_plain_array(node)) {
    const ArrayView array = node.array();
    if (array.nbytes() > command.open.limits.memory_bytes) {
      throw Error(Reason::too_large, command.path + ": " + type_text(node) + " has " + std::to_string(array.nbytes()) +
                                         " bytes; --limit-memory-bytes allows " +
                                         std::to_string(command.open.limits.memory_bytes));
    }
    OutputBuffer buffer(to);
    std::ostream stream(&buffer);
    stream.exceptions(std::ios::badbit);  // so that the output's own error comes through
    write_npy(array, stream);
    return;
  }
  JsonWriter json(to);
  write_node(json, node, command.path);
}

}  // namespace

int run(const GetCommand& command, Output& out) {
  OpenOptions open = command.open;
  open.expand = Expand::lazy;
  const Model model = open_model(command.file, open, command.manners);
  const Node node = model.at(command.path);
  if (command.out.empty() || command.out == "-") {
    if (!command.manners.json && is_plain_array(node) && is_terminal(out.descriptor())) {
      throw UsageError(printable(command.path) + " is an array (" + printable(type_text(node)) +
                       "), and standard output a terminal: give -o OUT or --json, or redirect");
    }
    write_value(command, node, out);
    return kExitOk;
  }
  ReplacementFile file(command.out);
  write_value(command, node, file.output());
  file.commit();
  if (command.manners.verbose) print_message(printable(command.out) + ": " + printable(type_text(node)));
  return kExitOk;
}

}  // namespace mere::command
