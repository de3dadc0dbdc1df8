#pragma once
// Small dense algebra while lowering: what an estimator computes once from its attributes.

#include <mere/array.hpp>

namespace mere::lower {

// Of a square matrix, by elimination with pivots. Throws Error: schema (it is singular, or not square).
Array<double> inverse(const Array<double>& matrix);
// a @ b. Throws Error: schema (shapes).
Array<double> product(const Array<double>& a, const Array<double>& b);
// Of a symmetric positive definite matrix.
double log_determinant(const Array<double>& matrix);

// The derivative of log gamma, of x > 0.
double digamma(double x);

}  // namespace mere::lower
