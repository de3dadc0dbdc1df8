#pragma once
// The second level of checking (docs/format.md 10): everything.

#include <cstdint>
#include <functional>

#include "format/image.hpp"

namespace mere::format {

struct VerifyOptions {
  bool data = true;  // false: manifest only
  unsigned threads = 1;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // raw bytes
};

// All sums, padding, order, and every record by itself. What needs the graph (duplicate keys, key indexes, kinds of
// children) is graph::verify_graph. Throws Error: corrupt.
void verify(const Image& image, const VerifyOptions& options);

}  // namespace mere::format
