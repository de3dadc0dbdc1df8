// mere convert: any file an importer knows, or a .mere, to a .mere.

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "commands.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "printable_text.hpp"
#include "progress_bar.hpp"
#include "trust_file.hpp"

namespace mere::command {

namespace {

[[noreturn]] void throw_system(const char* call, const char* name) {
  throw Error(Reason::system_call, std::string(call) + " " + name + ": " + std::strerror(errno));
}

// Standard input as a file that can be mapped: itself if it is one, else an unnamed copy in the temporary directory,
// or in memory where there is none. Gone when the descriptor is closed.
class InputFile {
 public:
  InputFile(const std::string& in, std::uint64_t limit_bytes, const Manners& manners) : path_(in) {
    if (in != "-") return;
    struct stat status {};
    if (::fstat(STDIN_FILENO, &status) != 0) throw_system("look at", "standard input");
    if (S_ISREG(status.st_mode)) {
      path_ = "/proc/self/fd/0";
      return;
    }
    spool(limit_bytes, manners);
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  ~InputFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  void spool(std::uint64_t limit_bytes, const Manners& manners) {
    std::error_code no_directory;
    const std::filesystem::path directory = std::filesystem::temp_directory_path(no_directory);
    if (!no_directory) fd_ = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ < 0) fd_ = ::memfd_create("mere-input", MFD_CLOEXEC);
    if (fd_ < 0) throw_system("create", "a temporary file for standard input");
    Output copy(fd_, "the copy of standard input");
    ProgressBar bar("reading", manners);
    std::array<char, 1 << 16> buffer;
    for (std::uint64_t done = 0;;) {
      const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) throw_system("read", "standard input");
        pollfd wait{STDIN_FILENO, POLLIN, 0};
        ::poll(&wait, 1, -1);
        continue;
      }
      done += static_cast<std::uint64_t>(got);
      if (done > limit_bytes) {
        throw Error(Reason::too_large,
                    "standard input is longer than --limit-memory-bytes " + std::to_string(limit_bytes));
      }
      copy.write({buffer.data(), static_cast<std::size_t>(got)});
      bar.update(done, 0);
    }
    copy.flush();
  }

  std::string path_;
  int fd_ = -1;
};

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
