#pragma once
// An open-addressing table from hashes to ids; what an id stands for is compared by the caller.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mere::graph {

class IdTable {
 public:
  explicit IdTable(std::size_t expected = 0) : slots_(std::bit_ceil(expected * 2 < 16 ? 16 : expected * 2)) {}

  // The id of an entry with that hash for which equal(id) holds; or `id`, now entered.
  template <class Equal>
  std::uint32_t find_or_put(std::uint64_t hash, std::uint32_t id, Equal equal) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    const std::uint32_t fragment = fragment_of(hash);
    std::size_t at = fragment & (slots_.size() - 1);
    for (; slots_[at].used(); at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].fragment == fragment && equal(slots_[at].id)) return slots_[at].id;
    }
    slots_[at] = {fragment, id};
    ++count_;
    return id;
  }

  // The id of such an entry, or `none`.
  template <class Equal>
  std::uint32_t find(std::uint64_t hash, std::uint32_t none, Equal equal) const {
    const std::uint32_t fragment = fragment_of(hash);
    for (std::size_t at = fragment & (slots_.size() - 1); slots_[at].used(); at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].fragment == fragment && equal(slots_[at].id)) return slots_[at].id;
    }
    return none;
  }

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;  // no node, type or array has that id
  struct Slot {
    std::uint32_t fragment = 0, id = kFree;
    bool used() const { return id != kFree; }
  };
  static std::uint32_t fragment_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash ^ hash >> 32); }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (!slot.used()) continue;
      std::size_t at = slot.fragment & (slots_.size() - 1);
      while (slots_[at].used()) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

// A quick hash of one number on top of another.
inline std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  const std::uint64_t h = (seed ^ value) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 32;
}

}  // namespace mere::graph
