#pragma once
// The stored index of a dict's text keys (docs/format.md 7).

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mere::graph {

// What follows the entries: m, then 2^k + 1 starts, then m slots.
struct KeyIndexShape {
  unsigned bucket_bits = 0;  // k
  unsigned entry_bits = 0;   // w
  explicit KeyIndexShape(std::uint64_t keys, std::uint64_t entries) noexcept;
  std::uint64_t buckets() const noexcept { return std::uint64_t{1} << bucket_bits; }
  std::uint64_t bucket_of(std::uint64_t hash) const noexcept {
    return bucket_bits == 0 ? 0 : hash >> (64 - bucket_bits);
  }
  // A slot: the entry's number below, the low bits of the hash above it.
  std::uint32_t slot(std::uint64_t hash, std::uint32_t entry) const noexcept {
    return entry_bits >= 32 ? entry : static_cast<std::uint32_t>(hash << entry_bits) | entry;
  }
  std::uint32_t entry_of(std::uint32_t slot) const noexcept {
    return entry_bits >= 32 ? slot : slot & ((std::uint32_t{1} << entry_bits) - 1);
  }
  // True if a slot may be that of a key with this hash.
  bool matches(std::uint32_t slot, std::uint64_t hash) const noexcept {
    return entry_bits >= 32 || slot >> entry_bits == static_cast<std::uint32_t>(hash << entry_bits) >> entry_bits;
  }
};

struct IndexedKey {
  std::uint64_t hash;
  std::string_view text;
  std::uint32_t entry;
};

// Appends the index of `keys` to `links`; leaves `keys` in the order of the slots.
void append_key_index(std::vector<IndexedKey>& keys, std::uint64_t entries, std::vector<std::uint32_t>& links);

// The number of links that append_key_index() adds.
std::uint64_t key_index_links(std::uint64_t keys, std::uint64_t entries) noexcept;

}  // namespace mere::graph
