#pragma once
// The version of scikit-learn that a file says its model is of, beside the estimators themselves.

#include <string>

#include <mere/graph.hpp>
#include <mere/model.hpp>

namespace mere::model {

// From the metadata's "versions"; empty: it says nothing.
std::string source_version(const Model& model);

}  // namespace mere::model
