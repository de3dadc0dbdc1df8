// mere info: what a file is.

#include <unistd.h>
#include <algorithm>

#include "commands.hpp"
#include "json_writer.hpp"
#include "node_json.hpp"
#include "node_text.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

std::string version_text(const ModelInfo& info) {
  return std::to_string(info.major) + "." + std::to_string(info.minor);
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void write_words(JsonWriter& json, const char* name, const std::vector<std::string>& words) {
  json.key(name);
  json.begin_array(JsonWriter::Layout::line);
  for (const std::string& word : words) json.value(word);
  json.end();
}

void print_json(const InfoCommand& command, const Model& model, Output& out) {
  const ModelInfo info = model.info();
  JsonWriter json(out);
  json.begin_object();
  json.member("file", command.file);
  json.member("format_version", version_text(info));
  json.member("file_bytes", info.file_bytes);
  json.member("content_id", info.content_id.to_text());
  json.key("program_id");
  info.program_id ? json.value(info.program_id->to_text()) : json.null();
  if (command.sha256) json.member("sha256", model.sha256());
  json.member("root", type_text(model.root()));
  json.member("nodes", info.nodes);
  json.member("arrays", info.arrays);
  json.member("array_bytes", info.array_bytes);
  json.member("alignment", info.alignment);
  json.member("buffers", info.buffers);
  json.member("blocks", info.blocks);
  json.member("stored_bytes", info.stored_bytes);
  json.member("raw_bytes", info.raw_bytes);
  json.member("manifest_bytes", info.manifest_bytes);
  write_words(json, "codecs", info.codecs);
  write_words(json, "filters", info.filters);
  json.member("has_program", info.has_program);
  json.key("metadata");
  const std::optional<Node> metadata = model.metadata();
  if (metadata) {
    write_node(json, *metadata, "@metadata");
  } else {
    json.begin_object();
    json.end();
  }
  json.end();
}

// The entries of a dict, a line each; those of a dict in it below it.
void write_entries(const Node& dict, std::size_t depth, Output& out) {
  constexpr std::size_t kMostDepth = 4;
  constexpr std::size_t kMostEntries = 1000;
  const std::string indent(2 * depth, ' ');
  for (std::size_t i = 0; i < std::min(dict.size(), kMostEntries); ++i) {
    const Node value = dict.value(i);
    const std::string head = indent + value_summary(dict.key(i), 40) + ":";
    if (value.kind() == Kind::dict && depth < kMostDepth) {
      out.write(head + "\n");
      write_entries(value, depth + 1, out);
      continue;
    }
    const std::string summary = value_summary(value, 200);
    out.write(head + " " + (summary.empty() ? printable(type_text(value)) : summary) + "\n");
  }
  if (dict.size() > kMostEntries) out.write(indent + "... " + number_text(dict.size() - kMostEntries) + " more\n");
}

void print_text(const InfoCommand& command, const Model& model, Output& out) {
  const ModelInfo info = model.info();
  const bool colour = takes_colour(out.descriptor());
  const auto row = [&](const char* name, const std::string& value) {
    std::string head = name;
    head.resize(16, ' ');
    out.write(styled(head, Style::bold, colour) + value + "\n");
  };
  row("file", shown_name(command.file));
  row("format", version_text(info));
  row("size", size_text(info.file_bytes) + " (" + number_text(info.file_bytes) + ")");
  row("content id", info.content_id.to_text());
  if (info.program_id) row("program id", info.program_id->to_text());
  if (command.sha256) row("sha256", model.sha256());
  row("root", printable(type_text(model.root())));
  row("nodes", number_text(info.nodes));
  row("arrays", number_text(info.arrays) + ", " + size_text(info.array_bytes));
  std::string blocks = number_text(info.blocks) + ", codecs: " + printable(joined_words(info.codecs));
  if (!info.filters.empty()) blocks += ", filters: " + printable(joined_words(info.filters));
  row("blocks", blocks);
  if (info.stored_bytes != info.raw_bytes && info.stored_bytes > 0) {
    row("compressed", size_text(info.raw_bytes) + " to " + size_text(info.stored_bytes) + ", " +
                          ratio_text(static_cast<double>(info.raw_bytes) / static_cast<double>(info.stored_bytes)) +
                          " x");
  }
  row("manifest", size_text(info.manifest_bytes));
  row("alignment", number_text(info.alignment));
  row("program", info.has_program ? "yes" : "no");
  const std::optional<Node> metadata = model.metadata();
  row("metadata", metadata && metadata->size() > 0 ? count_text(metadata->size(), "entry") : "none");
  if (!metadata || metadata->kind() != Kind::dict) return;
  write_entries(*metadata, 1, out);
}

bool is_plain(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+!") ==
             std::string_view::npos &&
         text.front() != '-';
}

// "numpy==1.24.2" and so on, in order of names: of the environment, if it was recorded, else of the libraries. What is
// no name or version would be something else to pip, and is an error.
std::vector<std::string> requirements_of(const Model& model, const std::string& file) {
  const std::optional<Node> metadata = model.metadata();
  std::optional<Node> packages;
  for (const char* key : {"environment", "versions"}) {
    if (!packages && metadata && metadata->kind() == Kind::dict) packages = metadata->find(key);
  }
  if (!packages || packages->kind() != Kind::dict)
    throw Error(Reason::no_path, shown_name(file) + ": the file records no packages");
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < packages->size(); ++i) {
    const Node name = packages->key(i), value = packages->value(i);
    std::string_view version = value.kind() == Kind::text ? value.text() : std::string_view();
    // Parts of a model may be of several releases, told in order: the last can read them all, if any can.
    if (const auto comma = version.rfind(", "); comma != version.npos) version.remove_prefix(comma + 2);
    if (name.kind() != Kind::text || !is_plain(name.text()) || !is_plain(version))
      throw Error(Reason::schema, shown_name(file) + ": entry " + std::to_string(i) + " is no package and version");
    // What the model runs on is no package.
    if (name.text() == "python" || name.text() == "mere") continue;
    lines.push_back(std::string(name.text()) + "==" + std::string(version));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void print_requirements(const InfoCommand& command, const Model& model, Output& out) {
  const std::vector<std::string> lines = requirements_of(model, command.file);
  if (!command.manners.json) {
    for (const std::string& line : lines) out.write(line + "\n");
    return;
  }
  JsonWriter json(out);
  json.begin_array();
  for (const std::string& line : lines) json.value(line);
  json.end();
}

}  // namespace

int run(const InfoCommand& command, Output& out) {
  OpenOptions open = command.open;
  open.expand = Expand::lazy;
  const Model model = open_model(command.file, open, command.manners);
  if (command.requirements) {
    print_requirements(command, model, out);
  } else {
    command.manners.json ? print_json(command, model, out) : print_text(command, model, out);
  }
  return kExitOk;
}

}  // namespace mere::command
