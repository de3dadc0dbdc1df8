#pragma once
// Bytes that were compressed, kept in an anonymous file and then mapped: no private memory, whatever their size.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "os/descriptor.hpp"

namespace mere::container {

// Bytes and what keeps them alive.
struct HeldBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

class ExpandedFile {
 public:
  // Throws Error: system_call.
  ExpandedFile();
  std::uint64_t size() const { return size_; }
  void append(std::span<const std::byte> bytes);
  // Zero bytes up to the next multiple of `unit`, a power of two.
  void align(std::uint64_t unit);
  // A map of all of it, which outlives this object. Throws Error: system_call.
  HeldBytes map() const;

 private:
  os::Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace mere::container
