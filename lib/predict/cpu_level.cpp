#include "predict/cpu_level.hpp"

#include <algorithm>
#include <cstdlib>

namespace mere::predict {

namespace {

constexpr CpuLevel kLevels[] = {CpuLevel::scalar, CpuLevel::avx2, CpuLevel::avx512};

CpuLevel chosen_level() noexcept {
  const CpuLevel best = best_cpu_level();
  const char* word = std::getenv("MERE_KERNEL");
  if (word == nullptr) return best;
  for (const CpuLevel level : kLevels) {
    if (to_text(level) == word) return std::min(level, best);
  }
  return best;
}

}  // namespace

std::string_view to_text(CpuLevel level) {
  switch (level) {
    case CpuLevel::avx2: return "avx2";
    case CpuLevel::avx512: return "avx512";
    case CpuLevel::scalar: break;
  }
  return "scalar";
}

CpuLevel best_cpu_level() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return CpuLevel::scalar;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? CpuLevel::avx512 : CpuLevel::avx2;
#else
  return CpuLevel::scalar;
#endif
}

CpuLevel cpu_level() noexcept {
  static const CpuLevel level = chosen_level();
  return level;
}

}  // namespace mere::predict
