#pragma once
// Kernels of TreeEnsemble.

#include <memory>

#include "predict/cpu_level.hpp"
#include "predict/kernel.hpp"
#include "program/operators/tree_ensemble.hpp"

namespace mere::predict {

// Constant time: no pass over the arrays, which are borrowed. `level` is one that the CPU has.
std::unique_ptr<Kernel> bind_trees(const program::TreeEnsemble& op, CpuLevel level = cpu_level());

}  // namespace mere::predict
