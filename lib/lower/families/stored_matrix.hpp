#pragma once
// A matrix that an estimator keeps, dense or sparse.

#include <string_view>

#include "lower/estimator.hpp"

namespace mere::lower {

// An attribute that is an array of one or two dimensions, or a matrix of scipy by compressed rows, which is made dense.
// Throws Error: not_lowerable (another form, more than 2^24 numbers), schema.
Array<double> stored_matrix(const Estimator& from, std::string_view attribute);

// The same, of so many columns.
Array<double> stored_matrix(const Estimator& from, std::string_view attribute, std::uint64_t columns);

// Whether it is such a sparse matrix, and whether its numbers are float32.
bool is_sparse_matrix(const Estimator& from, std::string_view attribute);
bool is_stored_single(const Estimator& from, std::string_view attribute);

}  // namespace mere::lower
