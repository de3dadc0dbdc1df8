// The loops over trees for CPUs with AVX2 and FMA.

#include <immintrin.h>

#include "predict/trees/tree_code.hpp"

namespace mere::predict {
namespace {

#include "predict/trees/scalar_trees.inc"

#include "predict/trees/small_trees.inc"

#include "predict/trees/lanes_avx2.inc"

#include "predict/trees/vector_trees.inc"

void shallow(const TreeArrays& trees, const TreeRows<float>& x, const TreeSums& out) {
  (trees.missing ? shallow_plainly<true> : shallow_plainly<false>)(trees, x, out);
}

}  // namespace

const TreeCode kAvx2Trees = {n8, any_rows<StepN12, float>, any_rows<StepN16d, double>, bins_plainly, shallow};

}  // namespace mere::predict
