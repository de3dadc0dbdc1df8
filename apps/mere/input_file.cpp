#include "input_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <mere/error.hpp>

#include "output.hpp"
#include "progress_bar.hpp"

namespace mere::command {

namespace {

[[noreturn]] void throw_system(const char* call, const char* name) {
  throw Error(Reason::system_call, std::string(call) + " " + name + ": " + std::strerror(errno));
}

}  // namespace

InputFile::InputFile(const std::string& in, std::uint64_t limit_bytes, const Manners& manners) : path_(in) {
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

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::spool(std::uint64_t limit_bytes, const Manners& manners) {
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

}  // namespace mere::command
