// Rows against vectors for CPUs with AVX-512.

#include <immintrin.h>

#include "predict/pairwise/pairwise_code.hpp"

namespace mere::predict {
namespace {

constexpr int kLanes = 8;

#include "predict/functions/lanes.inc"

#include "predict/functions/exp_lanes.inc"

#include "predict/pairwise/turn.inc"

#include "predict/pairwise/pairwise_code.inc"

#include "predict/pairwise/decisions_code.inc"

}  // namespace

const PairwiseCode kAvx512Pairwise = {pairwise, decide};

}  // namespace mere::predict
