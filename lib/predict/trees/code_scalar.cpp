// The loops over trees for every CPU.

#include "predict/trees/tree_code.hpp"

namespace mere::predict {
namespace {

#include "predict/trees/scalar_trees.inc"

#include "predict/trees/small_trees.inc"

void n8(const TreeArrays& trees, const TreeRows<float>& x, const TreeSums& out) {
  if (x.padded) {
    any_rows<StepN8>(trees, x, out);
  } else {
    any_rows<StepN8Wide>(trees, x, out);
  }
}

void shallow(const TreeArrays& trees, const TreeRows<float>& x, const TreeSums& out) {
  (trees.missing ? shallow_plainly<true> : shallow_plainly<false>)(trees, x, out);
}

}  // namespace

const TreeCode kScalarTrees = {n8, any_rows<StepN12, float>, any_rows<StepN16d, double>, bins_plainly, shallow};

}  // namespace mere::predict
