#pragma once
// Check, Arithmetic, Map and Softmax by vectors: to the bit what the plain meaning makes, but exp, expit and tanh,
// which are our own (exp_lanes.inc) and the same on every machine.

#include <memory>

#include "predict/cpu_level.hpp"
#include "predict/kernel.hpp"
#include "program/operators/check.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/rows.hpp"

namespace mere::predict {

// Borrow `op`. Without a level: that of this machine.
std::unique_ptr<Kernel> bind_check(const program::Check& op, CpuLevel level = cpu_level());
std::unique_ptr<Kernel> bind_arithmetic(const program::Arithmetic& op, CpuLevel level = cpu_level());
std::unique_ptr<Kernel> bind_softmax(const program::Softmax& op, CpuLevel level = cpu_level());
// Nothing for functions that have no code of their own.
std::unique_ptr<Kernel> bind_map(const program::Map& op, CpuLevel level = cpu_level());

}  // namespace mere::predict
