#pragma once
// From a graph in memory to the columns of a file: the canonical form of docs/format.md 4 to 7. The result is a
// function of what the graph is, not of how it was built.

#include <memory>

#include <mere/graph.hpp>
#include "format/columns.hpp"
#include "format/writer.hpp"

namespace mere::graph {

struct Encoded {
  format::Columns columns;
  std::unique_ptr<format::BufferSource> source;  // reads the arrays' memory through the graph, which outlives it
};

// Throws Error: bad_argument (no model root, an object or container never filled), bad_text, duplicate_key, too_large.
Encoded encode(const Graph& graph);

}  // namespace mere::graph
