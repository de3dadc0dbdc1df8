// Products for CPUs with AVX2.

#include "predict/linear/linear_code.hpp"

namespace mere::predict {
namespace {

// As many sums at once as there are registers for.
constexpr int kTileRows = 2, kTileOutputs = 2;

#include "predict/linear/linear_code.inc"

}  // namespace

const LinearCode kAvx2Linear = multiply;

}  // namespace mere::predict
