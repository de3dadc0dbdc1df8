#include "codec/cpu_code.hpp"

namespace mere::codec {
namespace {

std::size_t count_usable() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) return 1;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? 3 : 2;
#else
  return 1;
#endif
}

}  // namespace

std::size_t cpu_code_count() noexcept {
  static const std::size_t count = count_usable();
  return count;
}

const CpuCode& cpu_code_at(std::size_t index) noexcept {
#if defined(__x86_64__)
  if (index == 2) return kAvx512Code;
  if (index == 1) return kAvx2Code;
#endif
  static_cast<void>(index);
  return kBaselineCode;
}

const CpuCode& cpu_code() noexcept {
  static const CpuCode& best = cpu_code_at(cpu_code_count() - 1);
  return best;
}

}  // namespace mere::codec
