// The loops over trees for CPUs with AVX-512 F, BW, DQ and VL.

#include <immintrin.h>

#include "predict/trees/tree_code.hpp"

namespace mere::predict {
namespace {

#include "predict/trees/scalar_trees.inc"

#include "predict/trees/small_trees.inc"

#include "predict/trees/lanes_avx512.inc"

#include "predict/trees/vector_trees.inc"

#include "predict/trees/small_trees_avx512.inc"

}  // namespace

const TreeCode kAvx512Trees = {n8, any_rows<StepN12, float>, any_rows<StepN16d, double>, bins, shallow};

}  // namespace mere::predict
