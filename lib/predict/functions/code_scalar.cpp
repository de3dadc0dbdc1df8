// Functions of numbers for every CPU.

#include "predict/functions/function_code.hpp"

namespace mere::predict {
namespace {

constexpr int kLanes = 2;

#include "predict/functions/lanes.inc"

#include "predict/functions/exp_lanes.inc"

#include "predict/functions/function_code.inc"

}  // namespace

const FunctionCode kScalarFunctions = kCode;

}  // namespace mere::predict
