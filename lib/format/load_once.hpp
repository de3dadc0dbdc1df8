#pragma once
// Loads of records from a map. The bytes may change while we look and may stand at any address, so a record is loaded
// once, by words, into a copy that nobody else can change; checks and uses see that copy alone.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace mere::format {

// Words at any address, of any bytes: packed, so that no alignment is assumed. Read through volatile, so that the
// compiler neither loads twice nor relies on what it saw before.
struct __attribute__((packed, may_alias)) MappedWord {
  std::uint64_t value;
};
struct __attribute__((packed, may_alias)) MappedHalf {
  std::uint32_t value;
};

template <class T>
T load_once(const std::byte* at) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);
  if constexpr (sizeof(T) % 8 == 0) {
    std::array<std::uint64_t, sizeof(T) / 8> words;
    const auto* from = reinterpret_cast<const volatile MappedWord*>(at);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = from[i].value;
    return std::bit_cast<T>(words);
  } else {
    std::array<std::uint32_t, sizeof(T) / 4> halves;
    const auto* from = reinterpret_cast<const volatile MappedHalf*>(at);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = from[i].value;
    return std::bit_cast<T>(halves);
  }
}

}  // namespace mere::format
