// Products for CPUs with AVX2.

#include <immintrin.h>

#include "predict/linear/linear_code.hpp"

namespace mere::predict {
namespace {

// Rows whose sums fit the registers.
constexpr std::size_t kTileRows = 2;
constexpr int kLanes = 4;

#include "predict/functions/lanes.inc"

#include "predict/linear/linear_code.inc"

}  // namespace

const LinearCode kAvx2Linear = multiply;

}  // namespace mere::predict
