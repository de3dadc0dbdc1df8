// mere._core: the C++ library for the Python package. Converts types and errors, decides nothing.

#include <pybind11/pybind11.h>

#include "audit.hpp"
#include "errors.hpp"
#include "model.hpp"
#include "pickler.hpp"
#include "rebuild.hpp"
#include "trees.hpp"

PYBIND11_MODULE(_core, module) {
  mere::python::bind_errors(module);
  mere::python::bind_nodes(module);
  mere::python::bind_models(module);
  mere::python::bind_predictors(module);
  mere::python::bind_audit(module);
  mere::python::bind_pickler(module);
  mere::python::bind_rebuild(module);
  mere::python::bind_trees(module);
}
