#include <doctest/doctest.h>
#include <xxhash.h>

#include <random>
#include <string_view>
#include <vector>

#include "codec/checksum.hpp"
#include "codec/cpu_code.hpp"

namespace {

using namespace mere::codec;

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

TEST_CASE("xxh3: the sums of nothing, and of a text, are those published") {
  CHECK(xxh3_64({}) == 0x2d06800538d394c2);
  const Xxh3_128 nothing;
  CHECK(nothing.finish().low == 0x6001c324468d497f);
  CHECK(nothing.finish().high == 0x99aa06d3014798d8);
  CHECK(xxh3_64(std::as_bytes(std::span(std::string_view("a")))) == 0xe6c632b61e964e1f);
}

TEST_CASE("xxh3: every code gives the sums of libxxhash, at every length and alignment") {
  const auto bytes = random_bytes(70000);
  std::vector<std::size_t> sizes;
  for (std::size_t n = 0; n < 1100; ++n) sizes.push_back(n);
  for (std::size_t n : {2000, 4096, 10000, 65536, 69990}) sizes.push_back(n);
  for (std::size_t i = 0; i < cpu_code_count(); ++i) {
    const CpuCode& code = cpu_code_at(i);
    CAPTURE(code.name);
    for (const std::size_t size : sizes) {
      const std::byte* first = bytes.data() + size % 10;
      REQUIRE(code.xxh3_64(first, size) == XXH3_64bits(first, size));
    }
  }
  CHECK(xxh3_64(bytes) == XXH3_64bits(bytes.data(), bytes.size()));
}

TEST_CASE("xxh3-128: pieces of any length give the sum of the whole") {
  const auto bytes = random_bytes(30000);
  const XXH128_hash_t whole = XXH3_128bits(bytes.data(), bytes.size());
  for (std::size_t i = 0; i < cpu_code_count(); ++i) {
    const CpuCode& code = cpu_code_at(i);
    CAPTURE(code.name);
    alignas(kXxh3StateAlignment) std::byte state[kXxh3StateBytes];
    code.xxh3_reset(state);
    for (std::size_t at = 0, piece = 0; at < bytes.size(); piece = (piece * 7 + 3) % 700) {
      const std::size_t size = std::min(piece, bytes.size() - at);
      code.xxh3_update(state, bytes.data() + at, size);
      at += size;
    }
    std::uint64_t low = 0, high = 0;
    code.xxh3_finish_128(state, &low, &high);
    CHECK(low == whole.low64);
    CHECK(high == whole.high64);
  }
  Xxh3_128 sum;
  sum.update(std::span(bytes).first(17));
  sum.update({});
  sum.update(std::span(bytes).subspan(17));
  CHECK(sum.finish().low == whole.low64);
  CHECK(sum.finish().high == whole.high64);
  CHECK(sum.finish().high == whole.high64);
}

}  // namespace
