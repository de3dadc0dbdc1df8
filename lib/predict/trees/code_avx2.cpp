// The loops over trees for CPUs with AVX2 and FMA.

#include <immintrin.h>

#include "predict/trees/tree_code.hpp"

namespace mere::predict {
namespace {

#include "predict/trees/scalar_trees.inc"

#include "predict/trees/lanes_avx2.inc"

#include "predict/trees/vector_trees.inc"

}  // namespace

const TreeCode kAvx2Trees = {n8, any_rows<StepN12, float>, any_rows<StepN16d, double>};

}  // namespace mere::predict
