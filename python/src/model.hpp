#pragma once
// An open model and its nodes as Python sees them.

#include <pybind11/pybind11.h>

#include <mere/model.hpp>

#include "arrays.hpp"

namespace mere::python {

// A model, and what its arrays are views of.
struct OpenModel {
  Model model;
  ArrayBases bases;
};

// A node, with what keeps it alive.
struct ModelNode {
  Model model;
  Node node;
  ArrayBases bases;
};

// The value of a leaf or an array, or a node for all else.
pybind11::object value_of(const ModelNode& at);

// A dict of what Model::info() gives.
pybind11::dict info_of(const Model& model);

void bind_models(pybind11::module_& module);
void bind_nodes(pybind11::module_& module);
void bind_predictors(pybind11::module_& module);

}  // namespace mere::python
