#pragma once
// Bytes that were compressed: in memory while they are few, else in a file without a name in the temporary directory,
// which is then mapped.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "os/descriptor.hpp"
#include "os/mapping.hpp"

namespace mere::container {

// Bytes and what keeps them alive.
struct HeldBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
  std::shared_ptr<const os::Mapping> mapping{};  // if they are mapped: then it is the owner

  bool faulted() const { return mapping != nullptr && mapping->faulted(); }
  // If `part` lies in these bytes and they are mapped: its pages need not stay in memory.
  void release(std::span<const std::byte> part) const noexcept {
    if (mapping) mapping->release(part);
  }
};

class ExpandedFile {
 public:
  // More than `memory_bytes` go to the file.
  explicit ExpandedFile(std::uint64_t memory_bytes = std::uint64_t{16} << 20);
  std::uint64_t size() const { return size_; }
  // Throws Error: system_call, no_file (no temporary directory).
  void append(std::span<const std::byte> bytes);
  // Zero bytes up to the next multiple of `unit`, a power of two up to 4096.
  void align(std::uint64_t unit);
  // All of it, which outlives this object. Nothing can be appended afterwards. Throws Error: system_call.
  HeldBytes map();

 private:
  std::uint64_t memory_bytes_;
  std::shared_ptr<std::vector<std::byte>> memory_;
  os::Descriptor file_;
  std::string file_name_;  // for messages
  std::uint64_t size_ = 0;
};

}  // namespace mere::container
