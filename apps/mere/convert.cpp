// mere convert: any file an importer knows, or a .mere, to a .mere.

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "commands.hpp"
#include "interrupt.hpp"
#include "made_file.hpp"
#include "printable_text.hpp"
#include "progress_bar.hpp"
#include "trust_file.hpp"

namespace mere::command {

namespace {

std::string read_source_code(const std::string& path) {
  constexpr std::uintmax_t kMostBytes = 16 << 20;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw Error(Reason::no_file, "--source-code " + path + ": no such file");
  if (!std::filesystem::is_regular_file(path, error)) {
    throw Error(Reason::not_regular, "--source-code " + path + ": no regular file");
  }
  if (std::filesystem::file_size(path, error) > kMostBytes) {
    throw Error(Reason::too_large, "--source-code " + path + ": longer than 16 MiB");
  }
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw Error(Reason::system_call, "read --source-code " + path);
  return text;
}

void print_result(const ConvertCommand& command, const ConvertResult& result, double seconds, Output& out) {
  const auto members = [&](JsonWriter& json) {
    json.member("input", command.in);
    json.member("output", command.out);
    json.member("source_format", result.source_format);
    json.member("content_id", result.dump.content_id.to_text());
    json.member("file_bytes", result.dump.file_bytes);
    json.member("codec", to_text(command.options.dump.codec));
    json.member("seconds", seconds);
  };
  report_file(command.out, command.manners, out, members, [&] {
    std::string message = from_to(command.in, " (" + result.source_format + ")", command.out, "") + ": " +
                          size_text(result.dump.file_bytes) + " in " + duration_text(seconds);
    if (command.manners.verbose) {
      message += ", " + rate_text(result.dump.file_bytes, seconds) + ", content id " + result.dump.content_id.to_text();
    }
    return message;
  });
}

}  // namespace

int run(const ConvertCommand& command, Output& out) {
  ConvertResult result;
  const auto make = [&](const std::string& path) {
    ConvertOptions options = command.options;
    for (const std::string& file : command.trust_files) read_trust_file(file, options.trusted);
    if (!command.source_code.empty()) options.source_code = read_source_code(command.source_code);
    // Of what is compressed; then the bar of writing takes its line.
    ProgressBar reading("reading", command.manners);
    ProgressBar bar("writing", command.manners);
    options.read_progress = [&reading](const Progress& progress) {
      stop_if_interrupted();
      reading.update(progress.done_bytes, progress.total_bytes);
    };
    options.dump.progress = [&bar](const Progress& progress) {
      stop_if_interrupted();
      bar.update(progress.done_bytes, progress.total_bytes);
    };
    result =
        command.out == "-" ? convert_to_descriptor(path, STDOUT_FILENO, options) : convert(path, command.out, options);
  };
  const double seconds = make_file(command.in, command.out, command.options.limits.memory_bytes, command.manners, make);
  print_result(command, result, seconds, out);
  return kExitOk;
}

}  // namespace mere::command
