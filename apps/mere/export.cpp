// mere export: a .mere, or any file an importer knows, to a file of another library.

#include <unistd.h>

#include "commands.hpp"
#include "interrupt.hpp"
#include "made_file.hpp"
#include "printable_text.hpp"
#include "progress_bar.hpp"
#include "trust_file.hpp"

namespace mere::command {

namespace {

void print_result(const ExportCommand& command, const ExportResult& result, double seconds, Output& out) {
  const auto members = [&](JsonWriter& json) {
    json.member("input", command.in);
    json.member("output", command.out);
    json.member("path", command.options.path);
    json.member("format", to_text(result.format));
    json.member("compression", to_text(command.options.compression));
    json.member("arrays", result.arrays);
    json.member("array_bytes", result.array_bytes);
    json.member("file_bytes", result.file_bytes);
    json.member("seconds", seconds);
  };
  report_file(command.out, command.manners, out, members, [&] {
    std::string message = from_to(command.in, "", command.out, " (" + std::string(to_text(result.format)) + ")") +
                          ": " + size_text(result.file_bytes) + " in " + duration_text(seconds);
    if (command.manners.verbose) {
      message += ", " + rate_text(result.file_bytes, seconds) + ", " + std::to_string(result.arrays) + " arrays";
    }
    return message;
  });
}

}  // namespace

int run(const ExportCommand& command, Output& out) {
  ExportResult result;
  const auto make = [&](const std::string& path) {
    ProgressBar bar("writing", command.manners);
    ExportOptions options = command.options;
    for (const std::string& file : command.trust_files) read_trust_file(file, options.trusted);
    options.progress = [&bar](const Progress& progress) {
      stop_if_interrupted();
      bar.update(progress.done_bytes, progress.total_bytes);
    };
    result = command.out == "-" ? export_file_to_descriptor(path, STDOUT_FILENO, options)
                                : export_file(path, command.out, options);
  };
  const double seconds = make_file(command.in, command.out, command.options.limits.memory_bytes, command.manners, make);
  print_result(command, result, seconds, out);
  return kExitOk;
}

}  // namespace mere::command
