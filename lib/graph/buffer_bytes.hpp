#pragma once
// The bytes of a file's buffers, from the arrays of a graph.

#include <memory>

#include "format/writer.hpp"
#include "graph/array_plan.hpp"

namespace mere::graph {

// The store and the memory of its arrays outlive the source.
std::unique_ptr<format::BufferSource> make_buffer_source(const Graph::Store& store, BufferRuns runs);

}  // namespace mere::graph
