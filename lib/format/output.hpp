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
  // Writes all that is pending; of what is pending only what stands before `position`.
  void flush();
  void flush_to(std::uint64_t position);
  // The same in calls that suit who looks for single records of it. The page cache keeps what one call writes in as
  // large pieces as call and offset allow, and a fault maps the whole piece it meets, which costs by the page, but for
  // 2 MiB is a single entry. So: all that fills such pieces by one call, the rest by small ones. (Not for arrays: pages
  // of 2 MiB can be dear to get for whoever writes, and arrays are read whole.)
  void flush_for_lookups();
  static constexpr std::uint64_t kHugePageBytes = 2 << 20;

 private:
  static constexpr std::uint64_t kSmallPieceBytes = 256 << 10;

  void write_first(std::uint64_t bytes);

  os::Sink& sink_;
  std::uint64_t position_ = 0, pending_bytes_ = 0;
  std::vector<std::span<const std::byte>> pending_;
  std::vector<std::span<const std::byte>> call_;  // the pieces of one call
};

}  // namespace mere::format
