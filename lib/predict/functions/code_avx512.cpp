// Functions of numbers for CPUs with AVX-512.

#include <immintrin.h>

#include "predict/functions/function_code.hpp"

namespace mere::predict {
namespace {

constexpr int kLanes = 8;

#include "predict/functions/lanes.inc"

#include "predict/functions/exp_lanes.inc"

#include "predict/functions/function_code.inc"

}  // namespace

const FunctionCode kAvx512Functions = kCode;

}  // namespace mere::predict
