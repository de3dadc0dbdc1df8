#include "graph/key_index.hpp"

#include <algorithm>
#include <bit>

namespace mere::graph {

KeyIndexShape::KeyIndexShape(std::uint64_t keys, std::uint64_t entries) noexcept {
  const std::uint64_t buckets = std::bit_ceil(keys) / 8;
  bucket_bits = buckets <= 1 ? 0 : static_cast<unsigned>(std::countr_zero(buckets));
  entry_bits = static_cast<unsigned>(std::bit_width(entries));
}

std::uint64_t key_index_links(std::uint64_t keys, std::uint64_t entries) noexcept {
  return 1 + KeyIndexShape(keys, entries).buckets() + 1 + keys;
}

void append_key_index(std::vector<IndexedKey>& keys, std::uint64_t entries, std::vector<std::uint32_t>& links) {
  const KeyIndexShape shape(keys.size(), entries);
  const std::uint64_t buckets = shape.buckets();
  // Sorted by bucket in one pass, then by hash inside each: buckets hold about eight.
  std::vector<std::uint32_t> starts(buckets + 1);
  for (const IndexedKey& key : keys) ++starts[shape.bucket_of(key.hash) + 1];
  for (std::uint64_t i = 0; i < buckets; ++i) starts[i + 1] += starts[i];
  std::vector<IndexedKey> sorted(keys.size());
  std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
  for (const IndexedKey& key : keys) sorted[next[shape.bucket_of(key.hash)]++] = key;
  for (std::uint64_t i = 0; i < buckets; ++i) {
    std::sort(sorted.begin() + starts[i], sorted.begin() + starts[i + 1], [](const IndexedKey& a, const IndexedKey& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.text < b.text;
    });
  }
  links.push_back(static_cast<std::uint32_t>(keys.size()));
  links.insert(links.end(), starts.begin(), starts.end());
  for (const IndexedKey& key : sorted) links.push_back(shape.slot(key.hash, key.entry));
  keys.swap(sorted);
}

}  // namespace mere::graph
