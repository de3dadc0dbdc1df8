#pragma once
// What loaded ensembles ask of their file: programs of parts, members by node, and trees where they lie.

#include <pybind11/pybind11.h>

namespace mere::python {

void bind_trees(pybind11::module_& module);

}  // namespace mere::python
