#pragma once
// mere::Error as the exceptions of mere._errors.

#include <pybind11/pybind11.h>

#include <mere/error.hpp>

namespace mere::python {

// Sets Python's error, for functions that the binding does not call. The GIL is held.
void set_python_error(const Error& error);

void bind_errors(pybind11::module_& module);

}  // namespace mere::python
