#include <mere/process.hpp>

#include "os/memory_usage.hpp"

namespace mere {

MemoryUsage memory_usage(int pid) {
  const os::MemoryUsage usage = os::memory_usage(pid);
  return {usage.pss_bytes, usage.private_bytes, usage.rss_bytes};
}

}  // namespace mere
