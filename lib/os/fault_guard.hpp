#pragma once
// Which address ranges are maps of ours, for the SIGBUS handler (mere::os::guard_faults() in mapping.hpp). Lock-free,
// so that the handler can read it at any moment and a fork never finds it locked.

#include <cstddef>
#include <cstdint>

namespace mere::os {

using FaultSlot = std::uint32_t;

// Enters a map; `writable` says what may be done with the zero pages put into it. Throws Error: out_of_memory.
FaultSlot register_map(const void* first, std::size_t size, bool writable);
// The map is about to be unmapped: nobody may read it any more.
void unregister_map(FaultSlot slot) noexcept;
bool has_faulted(FaultSlot slot) noexcept;

}  // namespace mere::os
