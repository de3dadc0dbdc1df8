#include "container/expanded_file.hpp"

#include <array>

#include "os/mapping.hpp"
#include "os/sink.hpp"

namespace mere::container {

namespace {
constexpr const char* kName = "expanded bytes";
}

ExpandedFile::ExpandedFile() : descriptor_(os::anonymous_file(kName)) {}

void ExpandedFile::append(std::span<const std::byte> bytes) {
  os::DescriptorSink(descriptor_.get(), kName).write(bytes);
  size_ += bytes.size();
}

void ExpandedFile::align(std::uint64_t unit) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  const std::uint64_t missing = (unit - size_ % unit) % unit;
  append(std::span(kZeros).first(missing));
}

HeldBytes ExpandedFile::map() const {
  auto mapping = std::make_shared<const os::Mapping>(descriptor_.get(), 0, size_, os::MapOptions{}, kName);
  const std::span<const std::byte> bytes = mapping->bytes();
  return {bytes, std::move(mapping)};
}

}  // namespace mere::container
