#pragma once
// Writing whole pieces, and keeping the signals of a failed write from ending the process.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <signal.h>

namespace mere::os {

// While it lives, SIGXFSZ and SIGPIPE of this thread's own writes are held back and dropped, so that the write fails
// with EFBIG or EPIPE instead. Signals that were pending before stay so. Leaves errno as it is.
class WriteSignals {
 public:
  WriteSignals() noexcept;
  ~WriteSignals();
  WriteSignals(const WriteSignals&) = delete;
  WriteSignals& operator=(const WriteSignals&) = delete;

 private:
  sigset_t before_, ours_;
};

// Writes all pieces, at the descriptor's position. Throws Error: system_call.
void write_all(int fd, std::span<const std::span<const std::byte>> pieces, const std::string& name);

// Reserves blocks for `bytes` beyond the position of a regular file, whose length stays. False where that cannot be
// done. Throws Error: system_call (no room).
bool reserve_room(int fd, std::uint64_t bytes, const std::string& name);

}  // namespace mere::os
