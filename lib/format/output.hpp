#pragma once
// Bytes on their way to a sink, with the position in the file that they will have.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "os/sink.hpp"

namespace mere::format {

// Gathers pieces, so that small ones and padding cost no calls of their own.
class Output {
 public:
  explicit Output(os::Sink& sink) : sink_(sink) {}

  // Where the next byte will stand.
  std::uint64_t position() const noexcept { return position_; }
  // The bytes stay where they are until flush().
  void add(std::span<const std::byte> bytes);
  // Zeros up to the next multiple of `alignment`, a power of two.
  void pad_to(std::uint64_t alignment);
  std::uint64_t pending_bytes() const noexcept { return pending_bytes_; }
  void flush();

 private:
  os::Sink& sink_;
  std::uint64_t position_ = 0, pending_bytes_ = 0;
  std::vector<std::span<const std::byte>> pending_;
};

}  // namespace mere::format
