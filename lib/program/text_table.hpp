#pragma once
// A set of texts, each with an index, found where they lie. docs/operators.md, "Tables of texts".

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "program/operator.hpp"

namespace mere::program {

// MurmurHash3, x86, 32 bits (Austin Appleby, public domain): scikit-learn hashes features with it.
std::int32_t murmur3_32(std::string_view bytes, std::uint32_t seed) noexcept;

class TextTable {
 public:
  Array<std::uint8_t> bytes;   // of all texts, one after another
  Array<std::int64_t> ends;    // of each text, in bytes
  Array<std::uint32_t> slots;  // a power of two: index + 1 of a text, or 0

  // Fields PREFIX + "bytes", "ends", "slots".
  void fields(Fields& fields, std::string_view prefix);
  // Throws Error: schema.
  void check(const Operator& op, std::string_view prefix) const;
  std::size_t size() const { return ends.size(); }

  // The index below `last` and not below `first` of an equal text that was put in with `seed`. Whatever lies in the
  // arrays, nothing beyond them is read, and the search ends.
  std::optional<std::size_t> find(std::string_view text, std::uint32_t seed, std::size_t first,
                                  std::size_t last) const noexcept;
  std::optional<std::size_t> find(std::string_view text) const noexcept { return find(text, 0, 0, size()); }

  // Text i is put in with seed seeds[i], or 0 if there are no seeds.
  static TextTable of(std::span<const std::string> texts, std::span<const std::uint32_t> seeds = {});

 private:
  bool equal_at(std::size_t index, std::string_view text) const noexcept;
};

}  // namespace mere::program
