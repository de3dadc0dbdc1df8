#pragma once
// Kernels of TreeEnsemble.

#include <memory>

#include "predict/cpu_level.hpp"
#include "predict/kernel.hpp"
#include "program/operators/tree_ensemble.hpp"

namespace mere::predict {

// Constant time: no pass over the arrays, which are borrowed. `level` is one that the CPU has.
std::unique_ptr<Kernel> bind_trees(const program::TreeEnsemble& op, CpuLevel level = cpu_level());

// By other code, for a benchmark that compares; `name` is what it is called.
struct TreeCode;
std::unique_ptr<Kernel> bind_trees(const program::TreeEnsemble& op, const TreeCode& code, bool vectors,
                                   std::string_view name);

}  // namespace mere::predict
