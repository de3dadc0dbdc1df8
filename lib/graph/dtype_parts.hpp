#pragma once
// What lib/graph asks of an element type beside the public questions.

#include <cstdint>
#include <string>
#include <vector>

#include <mere/dtype.hpp>

namespace mere::graph {

// Types nest at most this deep, and expand to at most so many parts: all walks over a type are bounded by these.
inline constexpr std::uint32_t kMaxTypeDepth = 32;
inline constexpr std::uint64_t kMaxTypeParts = std::uint64_t{1} << 20;

struct ByteRange {
  std::uint64_t offset = 0, bytes = 0;
};

// The bytes of one element that hold values, in order, merged where they touch. Throws Error: too_large (more than
// kMaxTypeParts).
std::vector<ByteRange> covered_bytes(const Dtype& type);

// NumPy's array-protocol text of a plain type: "<f8", "|S5", ">M8[2s]"; of a record its bytes: "|V56". Empty for
// subarrays and for types that NumPy lacks.
std::string protocol_text(const Dtype& type);

// Equal types have equal hashes.
std::uint64_t hash_of(const Dtype& type);

// The alignment that a compiler would ask for: 1 to 16.
std::uint64_t natural_alignment(const Dtype& type);

}  // namespace mere::graph
