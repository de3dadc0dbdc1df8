#pragma once
// Linear by vectors. Sums run in an order of their own (linear_code.hpp), the same on every machine; docs/operators.md
// leaves the order open.

#include <memory>

#include "predict/cpu_level.hpp"
#include "predict/kernel.hpp"
#include "program/operators/linear.hpp"

namespace mere::predict {

// Borrows `op`. Without a level: that of this machine.
std::unique_ptr<Kernel> bind_linear(const program::Linear& op, CpuLevel level = cpu_level());

}  // namespace mere::predict
