#include "codec/checksum.hpp"

#include "codec/cpu_code.hpp"

namespace mere::codec {

std::uint64_t xxh3_64(std::span<const std::byte> bytes) noexcept {
  return cpu_code().xxh3_64(bytes.data(), bytes.size());
}

struct Xxh3_128::State {
  alignas(kXxh3StateAlignment) std::byte bytes[kXxh3StateBytes];
};

Xxh3_128::Xxh3_128() : state_(std::make_unique<State>()) {
  cpu_code().xxh3_reset(state_->bytes);
}
Xxh3_128::~Xxh3_128() = default;

void Xxh3_128::update(std::span<const std::byte> bytes) noexcept {
  if (!bytes.empty()) cpu_code().xxh3_update(state_->bytes, bytes.data(), bytes.size());
}

Xxh3_128::Sum Xxh3_128::finish() const noexcept {
  Sum sum{};
  cpu_code().xxh3_finish_128(state_->bytes, &sum.low, &sum.high);
  return sum;
}

}  // namespace mere::codec
