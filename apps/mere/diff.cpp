// mere diff: which arrays and parameters of two models differ, and by how much.

#include <cstdio>

#include <mere/diff.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "json_writer.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

std::string short_number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string index_text(const std::vector<std::int64_t>& index) {
  std::string text = "[";
  for (std::size_t i = 0; i < index.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(index[i]);
  return text + "]";
}

// "3 of 400 differ, by 0.25 at most (relative 0.1), first at [0, 7]"
std::string elements_text(const ElementDifference& elements) {
  std::string text = elements.field.empty() ? "" : printable(elements.field) + ": ";
  text += number_text(elements.differing) + " of " + number_text(elements.values) + " differ";
  if (elements.max_absolute) text += ", by " + short_number(*elements.max_absolute) + " at most";
  if (elements.max_relative) text += " (relative " + short_number(*elements.max_relative) + ")";
  if (!elements.first_index.empty()) text += ", first at " + index_text(elements.first_index);
  return text;
}

void write_elements(JsonWriter& json, const ElementDifference& elements) {
  json.begin_object(JsonWriter::Layout::line);
  json.member("field", elements.field);
  json.member("differing", elements.differing);
  json.member("values", elements.values);
  json.key("max_absolute");
  elements.max_absolute ? json.value(*elements.max_absolute) : json.null();
  json.key("max_relative");
  elements.max_relative ? json.value(*elements.max_relative) : json.null();
  json.key("first_index");
  json.begin_array();
  for (const std::int64_t i : elements.first_index) json.value(i);
  json.end();
  json.end();
}

void print_json(const DiffCommand& command, const DiffResult& result, Output& out) {
  JsonWriter json(out);
  json.begin_object();
  json.member("a", command.a);
  json.member("b", command.b);
  json.member("same", result.same());
  json.member("count", result.count);
  json.key("differences");
  json.begin_array();
  for (const Difference& difference : result.differences) {
    json.begin_object();
    json.member("path", difference.path);
    json.member("change", to_text(difference.change));
    json.member("a", difference.first);
    json.member("b", difference.second);
    json.key("elements");
    json.begin_array();
    for (const ElementDifference& elements : difference.elements) write_elements(json, elements);
    json.end();
    json.end();
  }
  json.end();
  json.end();
}

void print_text(const DiffResult& result, Output& out) {
  const bool colour = takes_colour(out.descriptor());
  for (const Difference& difference : result.differences) {
    const std::string path = difference.path.empty() ? "the root" : printable(difference.path);
    std::string line = styled(path, Style::bold, colour) + "  " + std::string(to_text(difference.change));
    if (!difference.first.empty()) line += "  " + styled(printable(difference.first, 80), Style::red, colour);
    if (!difference.first.empty() && !difference.second.empty()) line += " ->";
    if (!difference.second.empty())
      line += (difference.first.empty() ? "  " : " ") + styled(printable(difference.second, 80), Style::green, colour);
    for (const ElementDifference& elements : difference.elements) {
      line += (difference.elements.size() == 1 ? "  " : "\n    ") + elements_text(elements);
    }
    out.write(line + "\n");
  }
}

}  // namespace

int run(const DiffCommand& command, Output& out) {
  if (command.a == "-" && command.b == "-") throw UsageError("only one of A and B can be standard input");
  OpenOptions open = command.open;
  open.expand = Expand::lazy;
  const Model a = open_model(command.a, open, command.manners);
  const Model b = open_model(command.b, open, command.manners);
  DiffOptions options;
  options.ignore_sharing = command.ignore_sharing;
  options.limit = command.limit;
  const DiffResult result = diff(a.root(), b.root(), options);
  if (command.manners.json) {
    print_json(command, result, out);
  } else if (!command.manners.quiet) {
    print_text(result, out);
    out.flush();
    const std::uint64_t more = result.count - result.differences.size();
    print_message((result.same() ? "no difference" : count_text(result.count, "difference")) +
                  (more > 0 ? ", " + number_text(more) + " of them not shown (--limit)" : ""));
  }
  return result.same() ? kExitOk : kExitDiffers;
}

}  // namespace mere::command
