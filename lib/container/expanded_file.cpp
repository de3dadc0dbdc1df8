#include "container/expanded_file.hpp"

#include <array>
#include <cassert>
#include <utility>

#include "os/sink.hpp"

namespace mere::container {

ExpandedFile::ExpandedFile(std::uint64_t memory_bytes)
    : memory_bytes_(memory_bytes), memory_(std::make_shared<std::vector<std::byte>>()) {}

void ExpandedFile::append(std::span<const std::byte> bytes) {
  assert(memory_ != nullptr);
  if (!file_ && bytes.size() > memory_bytes_ - size_) {
    file_ = os::temporary_file();
    file_name_ = "expanded bytes in " + os::temporary_directory();
    os::DescriptorSink(file_.get(), file_name_).write(*memory_);
    *memory_ = {};
  }
  if (file_) {
    os::DescriptorSink(file_.get(), file_name_).write(bytes);
  } else {
    memory_->insert(memory_->end(), bytes.begin(), bytes.end());
  }
  size_ += bytes.size();
}

void ExpandedFile::align(std::uint64_t unit) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  const std::uint64_t missing = (unit - size_ % unit) % unit;
  append(std::span(kZeros).first(missing));
}

HeldBytes ExpandedFile::map() {
  auto memory = std::exchange(memory_, nullptr);
  if (!file_) return {*memory, memory};
  os::MapOptions options;
  options.sequential = true;
  auto mapping = std::make_shared<const os::Mapping>(file_.get(), 0, size_, options, file_name_);
  const std::span<const std::byte> bytes = mapping->bytes();
  return {bytes, mapping, mapping};
}

}  // namespace mere::container
