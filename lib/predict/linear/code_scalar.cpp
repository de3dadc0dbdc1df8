// Products for every CPU.

#include "predict/linear/linear_code.hpp"

namespace mere::predict {
namespace {

// As many sums at once as there are registers for.
constexpr int kTileRows = 1, kTileOutputs = 2;

#include "predict/linear/linear_code.inc"

}  // namespace

const LinearCode kScalarLinear = multiply;

}  // namespace mere::predict
