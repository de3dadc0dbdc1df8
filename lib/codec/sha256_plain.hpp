#pragma once
// SHA-256 in plain C++ (FIPS 180-4): for builds without libcrypto, and the reference for those with it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mere::codec {

class Sha256Plain {
 public:
  void update(std::span<const std::byte> bytes) noexcept;
  std::array<std::byte, 32> finish() noexcept;

 private:
  void add_block(const std::byte* block) noexcept;

  std::array<std::uint32_t, 8> hash_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};  // begun, not yet full
  std::uint64_t size_ = 0;             // bytes so far
};

}  // namespace mere::codec
