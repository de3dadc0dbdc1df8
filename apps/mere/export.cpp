// mere export: a .mere, or any file an importer knows, to a file of another library.

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <optional>

#include "commands.hpp"
#include "input_file.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "printable_text.hpp"
#include "progress_bar.hpp"

namespace mere::command {

namespace {

void print_result(const ExportCommand& command, const ExportResult& result, double seconds, Output& out) {
  const bool to_stdout = command.out == "-";
  if (command.manners.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("input", command.in);
    json.member("output", command.out);
    json.member("path", command.options.path);
    json.member("format", to_text(result.format));
    json.member("compression", to_text(command.options.compression));
    json.member("arrays", result.arrays);
    json.member("array_bytes", result.array_bytes);
    json.member("file_bytes", result.file_bytes);
    json.member("seconds", seconds);
    json.end();
    // Standard output carries the file: what is said about it goes the other way.
    if (!to_stdout) return out.write(text);
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
    return;
  }
  if (command.manners.quiet) return;
  std::string message = shown_name(command.in) + " -> " + (to_stdout ? "standard output" : printable(command.out)) +
                        " (" + std::string(to_text(result.format)) + "): " + size_text(result.file_bytes) + " in " +
                        duration_text(seconds);
  if (command.manners.verbose) {
    const double rate = static_cast<double>(result.file_bytes) / std::max(seconds, 1e-9);
    message += ", " + size_text(static_cast<std::uint64_t>(rate)) + "/s, " + std::to_string(result.arrays) + " arrays";
  }
  print_message(message);
}

}  // namespace

int run(const ExportCommand& command, Output& out) {
  const auto begin = std::chrono::steady_clock::now();
  const InputFile input(command.in, command.options.limits.memory_bytes, command.manners);
  // Standard output has no temporary: there an interrupt may end the process at once.
  std::optional<InterruptGate> gate;
  if (command.out != "-") gate.emplace(command.out);
  ExportResult result;
  {
    ProgressBar bar("writing", command.manners);
    ExportOptions options = command.options;
    options.progress = [&bar](const Progress& progress) {
      stop_if_interrupted();
      bar.update(progress.done_bytes, progress.total_bytes);
    };
    result = command.out == "-" ? export_file_to_descriptor(input.path(), STDOUT_FILENO, options)
                                : export_file(input.path(), command.out, options);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  print_result(command, result, seconds, out);
  return kExitOk;
}

}  // namespace mere::command
