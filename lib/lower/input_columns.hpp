#pragma once
// How many columns a fitted estimator takes.

#include "lower/estimator.hpp"

namespace mere::lower {

// The estimator that says how many columns come in, and how many: `estimator` itself, or the first one in it that sees
// what it is given (a pipeline's first step, what a search found best).
struct InputColumns {
  Estimator said_by;
  std::uint64_t count = 0;
};

// Throws Error: not_lowerable (nothing says), schema (the number is not above 0).
InputColumns input_columns(const Estimator& estimator);

}  // namespace mere::lower
