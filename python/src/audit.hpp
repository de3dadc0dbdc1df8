#pragma once
// What a file names and could do, as dicts.

#include <pybind11/pybind11.h>

namespace mere::python {

void bind_audit(pybind11::module_& module);

}  // namespace mere::python
