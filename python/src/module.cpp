// mere._core: the C++ library for the Python package. Converts types and errors, decides nothing.

#include <pybind11/pybind11.h>

#include <string>

#include "audit.hpp"
#include "errors.hpp"
#include "model.hpp"
#include "pickler.hpp"
#include "rebuild.hpp"
#include "trees.hpp"

namespace {

// pybind11 before 2.12 takes NumPy 2's element types for those of NumPy 1, and makes wrong arrays of them.
void require_numpy() {
  namespace py = pybind11;
  constexpr bool kKnowsNumpy2 = PYBIND11_VERSION_HEX >= 0x020C0000;
  const auto version = py::module_::import("numpy").attr("__version__").cast<std::string>();
  if (!kKnowsNumpy2 && version.compare(0, 2, "1.") != 0) {
    throw py::import_error("mere was built by a pybind11 that knows NumPy 1 alone, and NumPy " + version +
                           " is installed: build it with pybind11 2.12 or later");
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  require_numpy();
  mere::python::bind_errors(module);
  mere::python::bind_nodes(module);
  mere::python::bind_models(module);
  mere::python::bind_predictors(module);
  mere::python::bind_audit(module);
  mere::python::bind_pickler(module);
  mere::python::bind_rebuild(module);
  mere::python::bind_trees(module);
}
