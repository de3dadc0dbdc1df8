// Products for CPUs with AVX-512.

#include <immintrin.h>

#include "predict/linear/linear_code.hpp"

namespace mere::predict {
namespace {

// Rows whose sums fit the registers.
constexpr std::size_t kTileRows = 4;
constexpr int kLanes = 8;

#include "predict/functions/lanes.inc"

#include "predict/linear/linear_code.inc"

}  // namespace

const LinearCode kAvx512Linear = multiply;

}  // namespace mere::predict
