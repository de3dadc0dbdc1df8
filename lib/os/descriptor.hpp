#pragma once
// File descriptors, and what the system knows about a file.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <mere/error.hpp>

namespace mere::os {

// Throws Error(system_call) "<what> <path>: <strerror>", or the reason that fits errno better: no_file, too_many_files,
// out_of_memory.
[[noreturn]] void throw_errno(int error, const char* call, const std::string& path);

// Owns one descriptor. Closing does not throw; close() does.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void close(const std::string& path);  // throws Error: system_call

 private:
  int fd_ = -1;
};

// What tells one state of one file from another.
struct FileStamp {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Opens a regular file for reading: close-on-exec, never blocking on a pipe or device, no controlling terminal.
// Throws Error: no_file, not_regular, system_call, too_many_files.
Descriptor open_regular(const std::filesystem::path& path);

// Throws Error: system_call, not_regular if `fd` is no regular file (`name` is for the message).
FileStamp stamp_of(int fd, const std::string& name);
// Nothing if the name leads nowhere or to no regular file.
bool find_stamp(const std::filesystem::path& path, FileStamp& stamp) noexcept;

// An anonymous file in memory or in the temporary directory: gone when closed. Throws Error: system_call.
Descriptor anonymous_file(const char* name);
// A file without a name in the temporary directory (TMPDIR, else /tmp), so that its bytes need not stay in memory: gone
// when closed. Throws Error: system_call, no_file.
Descriptor temporary_file();
// Where temporary_file() lies, for messages.
std::string temporary_directory();

// Opens a regular file below `directory` by a path that came from a file: no link of either kind on the way or at its
// end, never up or out, never blocking. The one function for such names.
// Throws Error: bad_record (an absolute path, an empty part, '.' or '..'), no_file, not_regular (also: a link, or a
// file with a second name), system_call, too_many_files.
Descriptor open_beneath(const std::filesystem::path& directory, const std::string& relative);

// Reads up to `size` bytes at `offset`; retries on EINTR and short reads; returns what there was before the end.
std::size_t read_at(int fd, void* out, std::size_t size, std::uint64_t offset, const std::string& name);
// Reads up to `size` bytes at the descriptor's position (pipes too); waits if it is non-blocking. 0: the end.
std::size_t read_some(int fd, void* out, std::size_t size, const std::string& name);

}  // namespace mere::os
