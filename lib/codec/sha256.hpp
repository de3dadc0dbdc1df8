#pragma once
// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto, or by code of ours in a build without it.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace mere::codec {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::span<const std::byte> bytes);
  std::array<std::byte, 32> finish();
  static std::string to_hex(const std::array<std::byte, 32>& digest);  // as sha256sum prints it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mere::codec
