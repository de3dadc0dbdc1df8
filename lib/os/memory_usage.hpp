#pragma once
// What memory a process holds, as Linux counts it (/proc/PID/smaps_rollup).

#include <cstdint>

namespace mere::os {

struct MemoryUsage {
  std::uint64_t pss_bytes = 0;      // proportional set size
  std::uint64_t private_bytes = 0;  // private clean + private dirty
  std::uint64_t rss_bytes = 0;
};

// pid 0: this process. Throws Error: system_call, no_file (no such process).
MemoryUsage memory_usage(int pid = 0);

}  // namespace mere::os
