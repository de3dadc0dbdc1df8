#pragma once
// The way from Python objects to a graph: what a C pickler is told by its persistent_id, and what becomes of its
// stream.

#include <pybind11/pybind11.h>

namespace mere::python {

void bind_pickler(pybind11::module_& module);

}  // namespace mere::python
