#pragma once
// How much of the map a program's methods can reach.

#include <cstdint>

#include "program/program.hpp"

namespace mere::program {

struct ParameterBytes {
  std::uint64_t serving = 0;  // arrays that predict, predict_proba or decision_function can reach
  std::uint64_t cold = 0;     // of all other methods alone
};

// Each array once, wherever it is used. Does not look at elements.
ParameterBytes parameter_bytes(Program& program);

}  // namespace mere::program
