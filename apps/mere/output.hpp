#pragma once
// Standard output, or a file that appears whole or not at all. Every write is checked.

#include <cstddef>
#include <filesystem>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>

namespace mere::command {

// Buffered bytes on their way to a descriptor, which stays the caller's.
class Output {
 public:
  Output(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Throws Error: system_call, fault (a page of a model that was opened could not be read).
  void write(std::string_view text);
  // Throws Error as write(), also if there is nothing to write. What was not flushed is lost, on purpose: a failed
  // command ends without the half of a line.
  void flush();
  int descriptor() const { return fd_; }

 private:
  void write_through(std::string_view text);

  int fd_;
  std::string name_;
  std::string buffer_;
};

// What functions that want an std::ostream write to; errors of the output pass through them as they are if the stream
// has exceptions(badbit).
class OutputBuffer : public std::streambuf {
 public:
  explicit OutputBuffer(Output& out) : out_(out) {}

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize count) override;
  int sync() override;

 private:
  Output& out_;
};

// A new file beside `target` that takes its name when all is written; removed if it is not, also by an interrupt.
class ReplacementFile {
 public:
  // Throws Error: system_call, not_regular (the target is a directory or a device).
  explicit ReplacementFile(std::filesystem::path target);
  ~ReplacementFile();
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;

  Output& output() { return output_; }
  // Flushes, syncs and renames. Throws Error: system_call.
  void commit();

 private:
  std::filesystem::path target_;
  std::string temporary_;
  int fd_;
  Output output_;
};

}  // namespace mere::command
