// mere audit: what a file names, and who vouches for it.

#include <algorithm>

#include "commands.hpp"
#include "input_file.hpp"
#include "json_writer.hpp"
#include "printable_text.hpp"
#include "trust_file.hpp"

namespace mere::command {

namespace {

constexpr std::size_t kPipeWidth = 120;  // columns where there is no terminal

std::uint64_t count_untrusted(const AuditReport& report) {
  std::uint64_t count = 0;
  for (const AuditedName& name : report.names) count += !name.trusted;
  for (const AuditedOpaque& part : report.opaque) count += !part.trusted;
  for (const AuditedCapability& capability : report.capabilities) count += !capability.trusted;
  return count;
}

void write_texts(JsonWriter& json, const char* key, const std::vector<std::string>& texts) {
  json.key(key);
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end();
}

void print_json(const AuditCommand& command, const AuditReport& report, Output& out) {
  JsonWriter json(out);
  json.begin_object();
  json.member("file", command.file);
  json.member("format", report.format);
  json.member("codec", report.codec);
  json.key("protocol");
  report.protocol ? json.value(*report.protocol) : json.null();
  json.member("file_bytes", report.file_bytes);
  json.member("trusted", report.all_trusted());
  json.member("untrusted", count_untrusted(report));
  json.key("versions");
  json.begin_object();
  for (const auto& [library, version] : report.versions) json.member(library, version);
  json.end();
  json.key("names");
  json.begin_array();
  for (const AuditedName& name : report.names) {
    json.begin_object(JsonWriter::Layout::line);
    json.member("name", name.name);
    json.member("uses", name.uses);
    if (name.offset) json.member("offset", *name.offset);
    if (!name.offset) json.member("path", name.path);
    json.member("trusted", name.trusted);
    json.member("by", name.by);
    json.end();
  }
  json.end();
  json.key("opaque");
  json.begin_array();
  for (const AuditedOpaque& part : report.opaque) {
    json.begin_object(JsonWriter::Layout::line);
    json.member("path", part.path);
    json.member("format", part.format);
    json.member("name", part.name);
    json.member("file", part.file);
    json.key("line");
    part.line ? json.value(*part.line) : json.null();
    json.member("nbytes", part.bytes);
    json.member("trusted", part.trusted);
    json.end();
  }
  json.end();
  json.key("capabilities");
  json.begin_array();
  for (const AuditedCapability& capability : report.capabilities) {
    json.begin_object(JsonWriter::Layout::line);
    json.member("name", capability.name);
    json.member("what", capability.word);
    json.member("detail", capability.detail);
    json.member("path", capability.path);
    json.member("trusted", capability.trusted);
    json.end();
  }
  json.end();
  write_texts(json, "needed", report.needed);
  json.member("damage", report.damage);
  json.end();
}

// Rows of text in columns that fit the terminal: the last one is cut, the others are as wide as they need, up to a
// bound.
class Columns {
 public:
  Columns(std::size_t width, bool colour) : width_(width), colour_(colour) {}

  void add(std::vector<std::string> cells, Style style = Style::plain) {
    if (widths_.size() < cells.size()) widths_.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = printable(cells[i], kCell);
      widths_[i] = std::max(widths_[i], length(cells[i]));
    }
    rows_.push_back({std::move(cells), style});
  }

  void print(Output& out) {
    // What is too wide is taken from the widest column, which is the one with names or paths.
    std::size_t total = 2 * widths_.size();
    for (const std::size_t column : widths_) total += column;
    while (total > width_) {
      const auto widest = std::max_element(widths_.begin(), widths_.end());
      if (*widest <= 12) break;
      const std::size_t take = std::min(total - width_, *widest - 12);
      // No more than down to the next widest at a time, so that columns share the loss.
      *widest -= std::max<std::size_t>(1, std::min(take, *widest / 8));
      total = 2 * widths_.size();
      for (const std::size_t column : widths_) total += column;
    }
    for (const Row& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        std::string cell = printable(row.cells[i], widths_[i]);
        const bool last = i + 1 == row.cells.size();
        const std::size_t pad = last ? 0 : widths_[i] - std::min(widths_[i], length(cell));
        line += (i > 0 ? "  " : "") + cell + std::string(pad, ' ');
      }
      while (!line.empty() && line.back() == ' ') line.pop_back();
      out.write("  " + styled(line, row.style, colour_) + "\n");
    }
  }

 private:
  static constexpr std::size_t kCell = 300;
  struct Row {
    std::vector<std::string> cells;
    Style style;
  };
  static std::size_t length(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  }
  std::size_t width_;
  bool colour_;
  std::vector<std::size_t> widths_;
  std::vector<Row> rows_;
};

// `name` as a word of a shell, if it needs quotes.
std::string quoted(const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
  if (plain) return name;
  std::string text = "'";
  for (const char c : name) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void print_text(const AuditCommand& command, const AuditReport& report, Output& out) {
  const bool colour = takes_colour(out.descriptor());
  const std::size_t width = (is_terminal(out.descriptor()) ? terminal_width(out.descriptor()) : kPipeWidth) - 2;
  std::string head = shown_name(command.file) + ": " + report.format;
  if (report.protocol) head += ", protocol " + std::to_string(*report.protocol);
  if (report.codec != "none") head += ", " + report.codec;
  head += ", " + size_text(report.file_bytes);
  for (const auto& [library, version] : report.versions) head += ", " + printable(library + " " + version, 100);
  out.write(head + "\n");
  const auto title = [&](const std::string& text) { out.write("\n" + styled(text, Style::bold, colour) + "\n"); };
  if (!report.names.empty()) {
    title(count_text(report.names.size(), "name"));
    Columns columns(width, colour);
    columns.add({"uses", "first at", "name", "trusted by"}, Style::dim);
    for (const AuditedName& name : report.names) {
      columns.add({number_text(name.uses), name.offset ? number_text(*name.offset) : name.path, name.name,
                   name.trusted ? name.by : "nobody"},
                  name.trusted ? Style::plain : Style::red);
    }
    columns.print(out);
  }
  if (!report.opaque.empty()) {
    title(count_text(report.opaque.size(), "part") + " of code, carried and never run");
    Columns columns(width, colour);
    for (const AuditedOpaque& part : report.opaque) {
      std::string from = part.file;
      if (part.line) from += ":" + std::to_string(*part.line);
      columns.add({part.path.empty() ? "(the root)" : part.path, part.name.empty() ? "(no name)" : part.name, from,
                   size_text(part.bytes), part.trusted ? "--trust" : "nobody"},
                  part.trusted ? Style::plain : Style::red);
    }
    columns.print(out);
  }
  if (!report.capabilities.empty()) {
    title(report.capabilities.size() == 1 ? "1 capability" : number_text(report.capabilities.size()) + " capabilities");
    Columns columns(width, colour);
    for (const AuditedCapability& capability : report.capabilities) {
      columns.add({capability.word, capability.name, capability.detail,
                   capability.path.empty() ? "(the root)" : capability.path, capability.trusted ? "--trust" : "nobody"},
                  capability.trusted ? Style::plain : Style::red);
    }
    columns.print(out);
  }
  if (!report.damage.empty()) out.write("\nThe rest cannot be read: " + printable(report.damage) + "\n");
  out.write("\n");
  if (report.all_trusted()) {
    out.write(styled(report.damage.empty() ? "Nothing untrusted." : "No untrusted names.", Style::green, colour) +
              "\n");
    return;
  }
  out.write(styled(number_text(count_untrusted(report)) + " untrusted; what would admit them:", Style::red, colour) +
            "\n");
  constexpr std::size_t kShown = 50;
  for (std::size_t i = 0; i < report.needed.size() && i < kShown; ++i) {
    out.write("  --trust " + printable(quoted(report.needed[i]), 300) + "\n");
  }
  if (report.needed.size() > kShown)
    out.write("  ... and " + number_text(report.needed.size() - kShown) + " more (--json has all)\n");
}

}  // namespace

int run(const AuditCommand& command, Output& out) {
  AuditOptions options = command.options;
  for (const std::string& file : command.trust_files) read_trust_file(file, options.trusted);
  const InputFile input(command.file, options.limits.memory_bytes, command.manners);
  const AuditReport report = audit(std::filesystem::path(input.path()), options);
  if (command.manners.json) {
    print_json(command, report, out);
  } else if (!command.manners.quiet) {
    print_text(command, report, out);
  }
  if (!report.all_trusted()) return kExitUntrusted;
  return report.damage.empty() ? kExitOk : kExitCorrupt;
}

}  // namespace mere::command
