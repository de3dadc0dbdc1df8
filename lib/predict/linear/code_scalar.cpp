// Products for every CPU.

#include "predict/linear/linear_code.hpp"

namespace mere::predict {
namespace {

// Rows whose sums fit the registers.
constexpr std::size_t kTileRows = 2;
constexpr int kLanes = 2;

#include "predict/functions/lanes.inc"

#include "predict/linear/linear_code.inc"

}  // namespace

const LinearCode kScalarLinear = multiply;

}  // namespace mere::predict
