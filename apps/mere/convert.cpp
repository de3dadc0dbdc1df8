// mere convert: any file an importer knows, or a .mere, to a .mere.

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "commands.hpp"
#include "input_file.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
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
  const bool to_stdout = command.out == "-";
  if (command.manners.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("input", command.in);
    json.member("output", command.out);
    json.member("source_format", result.source_format);
    json.member("content_id", result.dump.content_id.to_text());
    json.member("file_bytes", result.dump.file_bytes);
    json.member("codec", to_text(command.options.dump.codec));
    json.member("seconds", seconds);
    json.end();
    // Standard output carries the model: what is said about it goes the other way.
    if (!to_stdout) return out.write(text);
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
    return;
  }
  if (command.manners.quiet) return;
  const double rate = static_cast<double>(result.dump.file_bytes) / std::max(seconds, 1e-9);
  std::string message = shown_name(command.in) + " (" + result.source_format + ") -> " +
                        (to_stdout ? "standard output" : printable(command.out)) + ": " +
                        size_text(result.dump.file_bytes) + " in " + duration_text(seconds);
  if (command.manners.verbose) {
    message +=
        ", " + size_text(static_cast<std::uint64_t>(rate)) + "/s, content id " + result.dump.content_id.to_text();
  }
  print_message(message);
}

}  // namespace

int run(const ConvertCommand& command, Output& out) {
  const auto begin = std::chrono::steady_clock::now();
  const InputFile input(command.in, command.options.limits.memory_bytes, command.manners);
  // Standard output has no temporary: there an interrupt may end the process at once.
  std::optional<InterruptGate> gate;
  if (command.out != "-") gate.emplace(command.out);
  ConvertResult result;
  ConvertOptions options = command.options;
  for (const std::string& file : command.trust_files) read_trust_file(file, options.trusted);
  if (!command.source_code.empty()) options.source_code = read_source_code(command.source_code);
  {
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
    result = command.out == "-" ? convert_to_descriptor(input.path(), STDOUT_FILENO, options)
                                : convert(input.path(), command.out, options);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  print_result(command, result, seconds, out);
  return kExitOk;
}

}  // namespace mere::command
