#pragma once
// The SHA-256 of a file, taken by a thread of its own while the file is read for another purpose.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "os/descriptor.hpp"

namespace mere::model {

class SourceDigest {
 public:
  // `size` bytes of `fd`, from the first; it stays open and unread by its position for as long as this lives.
  SourceDigest(int fd, std::uint64_t size, std::string name);
  // Stops early.
  ~SourceDigest();
  SourceDigest(const SourceDigest&) = delete;
  SourceDigest& operator=(const SourceDigest&) = delete;

  // Waits for the end. As sha256sum prints it. Once. Throws Error: system_call, file_changed (it became shorter).
  std::string finish();

 private:
  void run();

  int fd_;
  std::uint64_t size_;
  std::string name_;
  std::string digest_;
  std::exception_ptr failure_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace mere::model
