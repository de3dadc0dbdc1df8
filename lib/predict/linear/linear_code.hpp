#pragma once
// Products of rows with a matrix, compiled once for each instruction set. Nothing here may emit code that is shared
// between them: no templates or inline functions of the C++ library.

#include <cstddef>

namespace mere::predict {

// A sum runs in kSumLanes lanes, lane k over the columns k, k + kSumLanes, ...; then lanes k and k + 4
// are added, of these 0 and 2, 1 and 3, and of these the two. So every instruction set gives the same bits.
inline constexpr std::size_t kSumLanes = 8;

struct LinearArrays {
  const double* weights = nullptr;  // outputs x columns
  const double* bias = nullptr;     // null: none
  std::size_t bias_step = 0;        // 0: one for all outputs
  std::size_t columns = 0, outputs = 0;
};

// rows x columns at `stride` to rows x outputs at `out_stride`.
using LinearCode = void (*)(const LinearArrays& linear, const double* x, std::size_t rows, std::size_t stride,
                            double* out, std::size_t out_stride);

extern const LinearCode kScalarLinear;
#if defined(__x86_64__)
extern const LinearCode kAvx2Linear;
extern const LinearCode kAvx512Linear;
#endif

}  // namespace mere::predict
