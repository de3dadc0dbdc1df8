#pragma once
// What this process holds, from /proc/self.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace mere::test {

inline std::size_t count_descriptors() {
  // The iterator has one open itself.
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {})) - 1;
}

// Maps of files whose name contains `part`.
inline std::size_t count_maps(const std::string& part) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(part) != std::string::npos;
  return count;
}

}  // namespace mere::test
