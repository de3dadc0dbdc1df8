#pragma once
// The part of verification that needs the graph (docs/format.md 10).

#include "format/image.hpp"

namespace mere::graph {

// Checks of every node: its kind, ranges and children; kinds of the parts of objects, ranges and opaque nodes; texts;
// element types; arrays inside their buffers; keys of dicts and members of sets distinct; key indexes; and that a part
// of the graph refers to nothing outside it and those before. Iterative; the work is bounded by the size of the
// columns. Throws Error: corrupt, unsupported, too_large.
void verify_graph(const format::Image& image);

}  // namespace mere::graph
