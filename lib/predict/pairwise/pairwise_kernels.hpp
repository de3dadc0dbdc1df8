#pragma once
// Pairwise and PairDecisions by blocks of rows and vectors, sums in the order that docs/operators.md gives: to the bit
// what the plain meaning makes, but after exp and tanh (exp_lanes.inc).

#include <memory>

#include "predict/cpu_level.hpp"
#include "predict/kernel.hpp"
#include "program/operators/pairs.hpp"
#include "program/operators/pairwise.hpp"

namespace mere::predict {

// Borrow `op`. Without a level: that of this machine.
// Nothing for functions that have no code of their own.
std::unique_ptr<Kernel> bind_pairwise(const program::Pairwise& op, CpuLevel level = cpu_level());
std::unique_ptr<Kernel> bind_pair_decisions(const program::PairDecisions& op, CpuLevel level = cpu_level());

}  // namespace mere::predict
