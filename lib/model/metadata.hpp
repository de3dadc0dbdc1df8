#pragma once
// Metadata given as options beside that of the graph itself.

#include <map>
#include <span>
#include <string>
#include <utility>

#include <mere/graph.hpp>

namespace mere::model {

// Sets text entries of the graph's metadata dict, which is made if there is none; others keep their value and place.
// Throws Error: wrong_kind (the metadata root is no dict).
void add_metadata(Graph& graph, const std::map<std::string, std::string>& entries);
// The same with any nodes of the graph as values.
void add_metadata(Graph& graph, std::span<const std::pair<std::string, NodeId>> entries);

}  // namespace mere::model
