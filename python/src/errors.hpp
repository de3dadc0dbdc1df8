#pragma once
// mere::Error as the exceptions of mere._errors.

#include <pybind11/pybind11.h>

namespace mere::python {

void bind_errors(pybind11::module_& module);

}  // namespace mere::python
