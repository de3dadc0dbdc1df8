#pragma once
// The nodes of a skops schema as a graph: the one that a pickle of the same object gives, as far as the file keeps it
// (docs/importers.md, "What becomes what").

#include <mere/graph.hpp>

#include "importers/skops/member_files.hpp"
#include "importers/skops/schema.hpp"

namespace mere::importers::skops {

// Arrays lie in the bytes of `files`, which the graph keeps alive. Every name of the graph is one of schema.names().
// Throws Error: bad_record (what a node holds is not what its class is made of), too_large, not_supported.
Graph build_graph(const Schema& schema, const MemberFiles& files);

}  // namespace mere::importers::skops
