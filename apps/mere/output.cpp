#include "output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <mere/error.hpp>

#include "interrupt.hpp"
#include "opened_models.hpp"

namespace mere::command {

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

[[noreturn]] void throw_system(const char* call, const std::string& name) {
  const int error = errno;
  throw Error(error == ENOENT ? Reason::no_file : Reason::system_call,
              std::string(call) + " " + name + ": " + std::strerror(error));
}

// A hidden name in the directory of `target`; mkstemp() fills in its last six letters.
std::string temporary_name(const std::filesystem::path& target) {
  return (target.parent_path() / ("." + target.filename().string() + ".XXXXXX")).string();
}

int open_temporary(const std::filesystem::path& target, std::string& name) {
  struct stat status {};
  if (lstat(target.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    throw Error(Reason::not_regular, "write " + target.string() + ": there is something that is not a file");
  }
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw_system("create a file beside", target.string());
  remove_when_interrupted(name.c_str());
  return fd;
}

}  // namespace

void Output::write(std::string_view text) {
  if (buffer_.size() + text.size() < kBufferBytes) {
    buffer_.append(text);
    return;
  }
  flush();
  if (text.size() < kBufferBytes) {
    buffer_.append(text);
  } else {
    write_through(text);
  }
}

void Output::flush() {
  const std::string pending = std::move(buffer_);
  buffer_.clear();
  write_through(pending);
}

void Output::write_through(std::string_view text) {
  check_opened_models();
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd wait{fd_, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      throw_system("write", name_);
    }
    stop_if_interrupted();
  }
}

OutputBuffer::int_type OutputBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  out_.write({&byte, 1});
  return c;
}

std::streamsize OutputBuffer::xsputn(const char* text, std::streamsize count) {
  out_.write({text, static_cast<std::size_t>(count)});
  return count;
}

int OutputBuffer::sync() {
  out_.flush();
  return 0;
}

ReplacementFile::ReplacementFile(std::filesystem::path target)
    : target_(std::move(target)),
      temporary_(temporary_name(target_)),
      fd_(open_temporary(target_, temporary_)),
      output_(fd_, target_.string()) {}

ReplacementFile::~ReplacementFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
  remove_when_interrupted(nullptr);
}

void ReplacementFile::commit() {
  output_.flush();
  // mkostemp() makes files that only their owner may read; a new file has the usual rights.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd_, 0666 & ~mask) != 0) throw_system("set the rights of", target_.string());
  if (::fsync(fd_) != 0) throw_system("sync", target_.string());
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw_system("rename to", target_.string());
  ::close(fd_);
  fd_ = -1;
  remove_when_interrupted(nullptr);
}

}  // namespace mere::command
