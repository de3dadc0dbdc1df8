// Rows against vectors for every CPU.

#include "predict/pairwise/pairwise_code.hpp"

namespace mere::predict {
namespace {

constexpr int kLanes = 2;

#include "predict/functions/lanes.inc"

#include "predict/functions/exp_lanes.inc"

#include "predict/pairwise/turn.inc"

#include "predict/pairwise/pairwise_code.inc"

#include "predict/pairwise/decisions_code.inc"

}  // namespace

const PairwiseCode kScalarPairwise = {pairwise, decide};

}  // namespace mere::predict
