#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "codec/size_estimate.hpp"

namespace {

using namespace mere::codec;
using Bytes = std::vector<std::byte>;

// 256 log2(n), rounded down, by squaring.
std::uint64_t log2_256(std::uint64_t n) {
  std::uint64_t whole = 0;
  while (n >> whole > 1) ++whole;
  std::uint64_t fraction = n << (31 - whole), bits = 0;
  for (int i = 0; i < 8; ++i) {
    fraction = fraction * fraction >> 31;
    bits = bits * 2 + (fraction >> 32);
    fraction >>= fraction >> 32;
  }
  return whole * 256 + bits;
}

std::uint64_t plain_literal_cost(const Bytes& bytes) {
  std::map<std::byte, std::uint64_t> counts;
  for (const std::byte b : bytes) ++counts[b];
  std::uint64_t cost = bytes.empty() ? 0 : bytes.size() * log2_256(bytes.size());
  for (const auto& [byte, count] : counts) cost -= count * log2_256(count);
  return cost;
}

// Matches with the last four bytes of the same hash, as they are written down: a byte at a time.
std::uint64_t plain_slice_cost(std::span<const std::byte> slice) {
  std::map<std::uint32_t, std::size_t> last;
  Bytes literals;
  std::uint64_t cost = 0;
  for (std::size_t i = 0; i < slice.size();) {
    if (i + 4 <= slice.size()) {
      std::uint32_t here;
      std::memcpy(&here, slice.data() + i, 4);
      const auto [slot, is_new] = last.try_emplace((here * 2654435761U) >> 22, i);
      const std::size_t seen = std::exchange(slot->second, i);
      std::size_t length = 0;
      while (!is_new && i + length < slice.size() && slice[seen + length] == slice[i + length]) ++length;
      if (length >= 4) {
        cost += 20 * 256;
        i += length;
        continue;
      }
    }
    literals.push_back(slice[i++]);
  }
  return cost + plain_literal_cost(literals);
}

std::uint64_t plain_estimate(std::span<const std::byte> bytes, std::size_t slices, std::size_t slice_bytes) {
  std::uint64_t cost = 0;
  if (bytes.size() <= slices * slice_bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += slice_bytes) {
      cost += plain_slice_cost(bytes.subspan(at, std::min(slice_bytes, bytes.size() - at)));
    }
    return cost / 2048;
  }
  for (std::size_t s = 0; s < slices; ++s) {
    cost += plain_slice_cost(bytes.subspan(s * (bytes.size() - slice_bytes) / (slices - 1), slice_bytes));
  }
  return cost / 256 * bytes.size() / (8 * slices * slice_bytes);
}

// Few values, many, runs, copies from before, or all of one kind.
Bytes make_bytes(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Bytes bytes(count);
  const std::uint64_t values = 1 + random() % (seed % 3 == 0 ? 4 : 256), kinds = 1 + random() % 4;
  for (std::size_t i = 0; i < count; ++i) {
    const bool copied = i > 0 && kinds > 1 && random() % kinds != 0;
    bytes[i] = copied ? bytes[i - 1 - random() % std::min<std::size_t>(i, seed % 5 + 1)]
                      : static_cast<std::byte>(random() % values);
  }
  return bytes;
}

// What is written depends on these numbers, to the last bit.
TEST_CASE("size estimate: equals its plain meaning, byte for byte") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    const std::size_t counts[] = {0, 1, 3, 4, 5, 7, 8, 9, 100, 512, 1000, 4095, 4096, 4097, 9000, 20000};
    const Bytes bytes = make_bytes(seed, counts[seed % std::size(counts)]);
    REQUIRE(literal_cost(bytes) == plain_literal_cost(bytes));
    for (const std::size_t slice_bytes : {std::size_t{64}, std::size_t{512}, std::size_t{4096}}) {
      REQUIRE(estimate_size(bytes, 4, slice_bytes) == plain_estimate(bytes, 4, slice_bytes));
    }
  }
  // All 65,536 of 64 KiB alike: no count may wrap.
  for (const std::uint64_t values : {1U, 2U, 256U}) {
    Bytes bytes(65536);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 2654435761U % values);
    CHECK(literal_cost(bytes) == plain_literal_cost(bytes));
  }
}

TEST_CASE("size estimate: what is enough ends the count without changing the answer, and nothing passes the most") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const Bytes bytes = make_bytes(seed, 1 + seed * 7919 % 20000);
    const std::uint64_t whole = estimate_size(bytes, 4, 1024);
    CHECK(whole <= most_estimated(bytes.size()));
    for (const std::uint64_t enough : {std::uint64_t{0}, whole / 3, whole, whole + 1}) {
      const std::uint64_t found = estimate_size(bytes, 4, 1024, enough);
      CHECK(found <= whole);
      CHECK((found >= enough) == (whole >= enough));
      if (whole < enough) CHECK(found == whole);
    }
  }
  Bytes noise(4096);
  std::mt19937_64 random(1);
  for (auto& b : noise) b = static_cast<std::byte>(random());
  CHECK(estimate_size(noise, 1, 4096) <= most_estimated(noise.size()));
}

}  // namespace
