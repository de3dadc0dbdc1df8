#pragma once
// What memory a process holds, as Linux counts it: to see that workers share a model.

#include <cstdint>

#include <mere/error.hpp>

namespace mere {

struct MemoryUsage {
  std::uint64_t pss_bytes = 0;      // proportional set size: a page that n processes map counts 1/n in each
  std::uint64_t private_bytes = 0;  // pages that no other process maps, clean and dirty
  std::uint64_t rss_bytes = 0;      // all pages in memory
};

// Of process `pid`, 0: this one. From /proc/PID/smaps_rollup. Throws Error: no_file (no such process), system_call.
MERE_API MemoryUsage memory_usage(int pid = 0);

}  // namespace mere
