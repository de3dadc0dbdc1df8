// mere ls: the graph as a tree, or its arrays as a table. The map of the file is in ls_map.cpp.

#include <algorithm>
#include <vector>

#include "commands.hpp"
#include "json_writer.hpp"
#include "ls_map.hpp"
#include "node_json.hpp"
#include "node_text.hpp"
#include "printable_text.hpp"
#include "tree_walk.hpp"

namespace mere::command {

namespace {

constexpr std::size_t kPipeWidth = 120;  // columns where there is no terminal

// What stands left of a node's name: a bar for each level that goes on below, and a branch.
class Branches {
 public:
  Branches() : unicode_(draws_lines()) {}

  std::string before(std::size_t depth, bool last) {
    if (depth == 0) return "";
    goes_on_.resize(depth);
    goes_on_[depth - 1] = !last;
    std::string line;
    for (std::size_t i = 0; i + 1 < depth; ++i) line += goes_on_[i] ? (unicode_ ? "\u2502  " : "|  ") : "   ";
    return line + (unicode_ ? (last ? "\u2514\u2500 " : "\u251c\u2500 ") : (last ? "`- " : "|- "));
  }

 private:
  bool unicode_;
  std::vector<bool> goes_on_;
};

void print_tree(const ListCommand& command, const Node& start, Output& out) {
  const bool colour = takes_colour(out.descriptor());
  const std::size_t width = is_terminal(out.descriptor()) ? terminal_width(out.descriptor()) : kPipeWidth;
  Branches branches;
  TreeWalk walk(start, command.path, {command.depth, !command.all, false});
  for (TreeWalk::Visit visit; walk.next(visit);) {
    std::string line = branches.before(visit.depth, visit.last);
    if (visit.left_out > 0) {
      out.write(line + styled("... " + number_text(visit.left_out) + " more", Style::dim, colour) + "\n");
      continue;
    }
    const std::string name = visit.depth > 0        ? printable(joined("", visit.step), 80)
                             : command.path.empty() ? shown_name(command.file)
                                                    : printable(command.path);
    const std::string type = printable(type_text(visit.node), 200);
    line += styled(name, Style::bold, colour) + "  " + styled(type, Style::cyan, colour);
    const std::size_t used = 3 * visit.depth + name.size() + type.size() + 4;
    if (visit.repeated) {
      const std::string first = visit.first_path.empty() ? "the root" : printable(visit.first_path, 120);
      line += "  " + styled("= " + first, Style::dim, colour);
    } else {
      const std::string value = value_summary(visit.node, used + 20 < width ? width - used : 20);
      if (!value.empty()) line += "  " + value;
    }
    out.write(line + "\n");
  }
}

void write_shape(JsonWriter& json, std::span<const std::int64_t> shape) {
  json.key("shape");
  json.begin_array();
  for (std::int64_t n : shape) json.value(n);
  json.end();
}

// What there is to say about one node beside its place: members of a JSON object that is open.
void write_facts(JsonWriter& json, const Node& node) {
  const Kind kind = node.kind();
  json.member("kind", to_text(kind));
  if (is_leaf(kind)) {
    if (kind == Kind::scalar) json.member("dtype", node.dtype().to_text());
    json.key("value");
    return write_leaf(json, node);
  }
  switch (kind) {
    case Kind::object: return json.member("type", node.type_name());
    case Kind::bytearray:
    case Kind::opaque: return json.member("nbytes", static_cast<std::uint64_t>(node.bytes().size()));
    case Kind::array: {
      const Dtype dtype = node.dtype();
      json.member("dtype", dtype.to_text());
      if (dtype.type_class() == TypeClass::object) return write_shape(json, node.object_array_shape());
      const ArrayView array = node.array();
      write_shape(json, array.shape());
      json.member("nbytes", array.nbytes());
      return json.member("mapped", array.is_mapped());
    }
    default: return json.member("size", node.size());
  }
}

void print_tree_json(const ListCommand& command, const Node& start, Output& out) {
  JsonWriter json(out);
  json.begin_object();
  json.member("file", command.file);
  json.member("path", command.path);
  json.key("nodes");
  json.begin_array();
  TreeWalk walk(start, command.path, {command.depth, false, true});
  std::vector<std::string> paths;  // of the node and those above it, by depth
  for (TreeWalk::Visit visit; walk.next(visit);) {
    paths.resize(visit.depth + 1);
    paths[visit.depth] = visit.depth == 0 ? command.path : joined(paths[visit.depth - 1], visit.step);
    json.begin_object(JsonWriter::Layout::line);
    json.member("path", paths[visit.depth]);
    json.member("depth", static_cast<std::uint64_t>(visit.depth));
    write_facts(json, visit.node);
    if (visit.repeated) json.member("same_as", visit.first_path);
    json.end();
  }
  json.end();
  json.end();
}

// Calls `use(path, array)` for each array below `start`.
template <class Use>
void for_each_array(const ListCommand& command, const Node& start, Use use) {
  for (Walk walk(start); walk.next();) {
    const Node node = walk.node();
    if (walk.depth() >= command.depth) walk.skip_children();
    if (node.kind() != Kind::array || node.dtype().type_class() == TypeClass::object) continue;
    std::string below = walk.path();
    if (!below.empty() && below[0] != '[' && below[0] != '{' && below[0] != '@' && below[0] != '.')
      below.insert(0, ".");
    use(joined(command.path, below), node.array());
  }
}

void print_arrays(const ListCommand& command, const Node& start, Output& out) {
  if (command.manners.json) {
    JsonWriter json(out);
    json.begin_object();
    json.member("file", command.file);
    json.member("path", command.path);
    json.key("arrays");
    json.begin_array();
    for_each_array(command, start, [&json](const std::string& path, const ArrayView& array) {
      json.begin_object(JsonWriter::Layout::line);
      json.member("path", path);
      json.member("dtype", array.dtype().to_text());
      write_shape(json, array.shape());
      json.member("nbytes", array.nbytes());
      json.member("mapped", array.is_mapped());
      json.end();
    });
    json.end();
    json.end();
    return;
  }
  const bool colour = takes_colour(out.descriptor());
  const auto row = [&out](const std::string& bytes, std::string shape, std::string dtype, const std::string& path) {
    shape.resize(std::max<std::size_t>(shape.size(), 14), ' ');
    dtype.resize(std::max<std::size_t>(dtype.size(), 10), ' ');
    out.write(std::string(bytes.size() < 12 ? 12 - bytes.size() : 0, ' ') + bytes + "  " + shape + "  " + dtype + "  " +
              path);
  };
  row("bytes", "shape", "type", "path\n");
  std::uint64_t count = 0, bytes = 0;
  for_each_array(command, start, [&](const std::string& path, const ArrayView& array) {
    ++count;
    bytes += std::min(array.nbytes(), ~std::uint64_t{0} - bytes);
    const std::string shown = path.empty() ? "(the root)" : printable(path);
    row(number_text(array.nbytes()), array.shape().to_text(), printable(array.dtype().to_text(), 60),
        styled(shown, Style::bold, colour) + (array.is_mapped() ? "" : "  (compressed)") + "\n");
  });
  if (!command.manners.quiet) print_message(count_text(count, "array") + ", " + size_text(bytes));
}

}  // namespace

int run(const ListCommand& command, Output& out) {
  OpenOptions open = command.open;
  open.expand = Expand::lazy;
  const Model model = open_model(command.file, open, command.manners);
  if (command.map) {
    print_map(command, model, out);
    return kExitOk;
  }
  const Node start = model.at(command.path);
  if (command.arrays) {
    print_arrays(command, start, out);
  } else {
    command.manners.json ? print_tree_json(command, start, out) : print_tree(command, start, out);
  }
  return kExitOk;
}

}  // namespace mere::command
