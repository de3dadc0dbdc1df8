#pragma once
// Element types of an open file, each read once. docs/format.md 5.

#include <cstdint>
#include <string>
#include <unordered_map>

#include <mere/dtype.hpp>
#include "format/image.hpp"

namespace mere::graph {

// Bounded by kMaxTypeDepth, by the fields of the file and by their names, however many types share them.
class TypeReader {
 public:
  explicit TypeReader(const format::Image& image);
  // Throws Error: bad_type, unknown_type, too_deep, too_large, out_of_bounds.
  Dtype read(std::uint32_t id) { return read(id, 0); }

 private:
  Dtype read(std::uint32_t id, std::uint32_t depth);
  Dtype make(std::uint32_t id, const format::TypeRecord& record, std::uint32_t depth);
  std::string text(std::uint64_t first, std::uint64_t bytes);
  [[noreturn]] void fail(std::uint32_t id, Reason reason, const std::string& what) const;

  const format::Image& image_;
  std::uint64_t name_bytes_left_, fields_left_;
  std::unordered_map<std::uint32_t, Dtype> known_;  // records and subarrays
};

}  // namespace mere::graph
