#pragma once
// Which estimators take sparse rows, as scikit-learn's own checks have it.

#include <string>

#include "lower/lowering.hpp"

namespace mere::lower {

// Why a sparse matrix is refused: the class and the parameter ("...StandardScaler (with_mean)"); empty: it is taken, or
// an estimator inside decides.
std::string refuses_sparse(const Lowering& to, const Estimator& estimator);

// Whether `transform` makes a sparse matrix of a sparse one.
bool keeps_sparse(const Estimator& estimator);

}  // namespace mere::lower
