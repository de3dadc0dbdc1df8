#pragma once
// The bytes of a file's buffers, from the arrays of a graph.

#include <memory>

#include "format/writer.hpp"
#include "graph/array_plan.hpp"

namespace mere::graph {

// The store and the memory of its arrays outlive the source.
std::unique_ptr<format::BufferSource> make_buffer_source(const Graph::Store& store, BufferRuns runs);

// The columns of one row for filters: an element, or the last dimensions of a matrix up to about 512 bytes.
codec::RowLayout row_layout_of(const Dtype& type, std::span<const std::int64_t> shape, bool fortran);

}  // namespace mere::graph
