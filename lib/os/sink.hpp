#pragma once
// Where bytes are written, front to back: a file, a pipe, a stream, memory.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mere/error.hpp>

namespace mere::os {

class Sink {
 public:
  virtual ~Sink() = default;
  // Writes all of it: short writes and EINTR are retried, EAGAIN waited for. Throws Error: system_call.
  virtual void write(std::span<const std::byte> bytes) = 0;
  // The pieces in order, in as few calls as the system allows.
  virtual void write_pieces(std::span<const std::span<const std::byte>> pieces);
  // That so many bytes will follow: a file may be given its room. May be wrong, or never called.
  virtual void expect(std::uint64_t bytes);
};

// To a descriptor that stays the caller's: file, pipe or socket, at its position. A closed pipe or a size limit is an
// Error (EPIPE, EFBIG): SIGPIPE and SIGXFSZ of its writes do not reach the program.
class DescriptorSink : public Sink {
 public:
  DescriptorSink(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  void write(std::span<const std::byte> bytes) override;
  void write_pieces(std::span<const std::span<const std::byte>> pieces) override;
  void expect(std::uint64_t bytes) override;  // fallocate on regular files; refusal for lack of room is an error

 private:
  int fd_;
  std::string name_;
};

class StreamSink : public Sink {
 public:
  explicit StreamSink(std::ostream& out) : out_(out) {}
  void write(std::span<const std::byte> bytes) override;

 private:
  std::ostream& out_;
};

class MemorySink : public Sink {
 public:
  void write(std::span<const std::byte> bytes) override;
  void expect(std::uint64_t bytes) override;
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// A file that appears whole or not at all: written under a temporary name in the same directory and renamed.
// The old file stays untouched until commit(); the destructor removes what was not committed. The temporary is called
// .NAME.mere-RANDOM and locked (flock) while its writer lives; what a killed one left is removed by the next AtomicFile
// for the same target. A link at the target is replaced, not followed (one to a device or directory, /dev/stdout say,
// is refused). The new file has the old one's rights if that is the user's own, never more than it had, else 0666 &
// ~umask.
class AtomicFile : public Sink {
 public:
  // Throws Error: system_call, not_regular (the target is a directory, device ...), no_file (no such directory).
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile() override;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::span<const std::byte> bytes) override;
  void write_pieces(std::span<const std::span<const std::byte>> pieces) override;
  void expect(std::uint64_t bytes) override;
  // fsync (if durable), close, rename, fsync of the directory (if durable). A failed fsync is an error and is never
  // tried again.
  void commit(bool durable);
  int descriptor() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mere::os
