// Products for CPUs with AVX-512.

#include "predict/linear/linear_code.hpp"

namespace mere::predict {
namespace {

// As many sums at once as there are registers for.
constexpr int kTileRows = 4, kTileOutputs = 4;

#include "predict/linear/linear_code.inc"

}  // namespace

const LinearCode kAvx512Linear = multiply;

}  // namespace mere::predict
