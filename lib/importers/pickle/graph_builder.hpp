#pragma once
// Turns the values of a pickle stream into a graph: the same for the same object whatever protocol wrote it.
// docs/importers.md says what is understood; all else stays the object that the stream describes.

#include <memory>

#include <mere/graph.hpp>

#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

// The graph of `root` and all it reaches. Arrays lie where their bytes lie in the stream, held by `owner`.
// Iterative; each value is visited once.
// Throws Error: bad_record, bad_text, out_of_bounds, shape_overflow, unknown_type, ...
Graph build_graph(const Values& values, ValueId root, std::shared_ptr<const void> owner);

}  // namespace mere::importers::pickle
