#pragma once
// From an open file back to a graph in memory, to change it or to write it again.

#include <cstdint>
#include <memory>

#include <mere/graph.hpp>
#include "format/image.hpp"

namespace mere::graph {

// Every node of `image`, with the same ids; encode() of it gives the same columns. Arrays stay where they are mapped,
// held by `owner`; encoded ones are read into memory of the graph, at most `limit_bytes`, one block of memory a buffer,
// so that arrays that share bytes still do. Throws Error: corrupt, unsupported, too_large, out_of_memory.
Graph to_graph(const format::Image& image, std::shared_ptr<const void> owner,
               std::uint64_t limit_bytes = std::uint64_t{1} << 36);

}  // namespace mere::graph
