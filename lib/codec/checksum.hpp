#pragma once
// XXH3 (xxhash.com, version 0.8): the sums of the format. Same numbers on every CPU; the fastest code is chosen at run
// time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace mere::codec {

// XXH3-64, seed 0.
std::uint64_t xxh3_64(std::span<const std::byte> bytes) noexcept;

// XXH3-128, seed 0, over pieces.
class Xxh3_128 {
 public:
  Xxh3_128();
  ~Xxh3_128();
  Xxh3_128(const Xxh3_128&) = delete;
  Xxh3_128& operator=(const Xxh3_128&) = delete;
  void update(std::span<const std::byte> bytes) noexcept;
  struct Sum {
    std::uint64_t low, high;
  };
  Sum finish() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mere::codec
