// Functions of numbers for CPUs with AVX2.

#include <immintrin.h>

#include "predict/functions/function_code.hpp"

namespace mere::predict {
namespace {

constexpr int kLanes = 4;

#include "predict/functions/lanes.inc"

#include "predict/functions/exp_lanes.inc"

#include "predict/functions/function_code.inc"

}  // namespace

const FunctionCode kAvx2Functions = kCode;

}  // namespace mere::predict
