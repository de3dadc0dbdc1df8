#pragma once
// Working memory whose content is not kept and not cleared: pages that nothing was written to are never taken.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace mere::format {

class Room {
 public:
  // So many bytes, of any content; what was taken before is gone.
  std::span<std::byte> take(std::uint64_t bytes) {
    if (bytes > size_) {
      release();  // first, so that there are never two
      memory_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(bytes));
      size_ = static_cast<std::size_t>(bytes);
    }
    return {memory_.get(), static_cast<std::size_t>(bytes)};
  }
  std::byte* data() const noexcept { return memory_.get(); }
  std::size_t size() const noexcept { return size_; }
  void release() noexcept {
    memory_.reset();
    size_ = 0;
  }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace mere::format
