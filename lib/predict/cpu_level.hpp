#pragma once
// Which instruction set the kernels run on.

#include <cstdint>
#include <string_view>

namespace mere::predict {

enum class CpuLevel : std::uint8_t { scalar, avx2, avx512 };

std::string_view to_text(CpuLevel level);

// The best that this CPU has: avx2 has FMA, avx512 has F, BW, DQ and VL.
CpuLevel best_cpu_level() noexcept;

// That, or a lower one that the environment's MERE_KERNEL names (scalar, avx2, avx512). Read once.
CpuLevel cpu_level() noexcept;

}  // namespace mere::predict
