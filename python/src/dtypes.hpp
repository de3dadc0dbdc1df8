#pragma once
// Element types both ways: mere's and NumPy's. docs/format.md 5.2.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <mere/dtype.hpp>

namespace mere::python {

// The NumPy type of the same elements; small floats (bfloat16, float8) are those of ml_dtypes. Throws Error:
// not_supported (NumPy has none), bad_type. The GIL is held.
pybind11::dtype numpy_dtype(const Dtype& type);

// Throws Error: not_supported (a type that has no form in a file, as StringDType).
Dtype dtype_of(pybind11::handle numpy_dtype);

}  // namespace mere::python
