#pragma once
// What a graph tells of itself: versions, the names in it, the parts that hold code.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mere/graph.hpp>

#include "container/foreign_name.hpp"
#include "graph/node_reader.hpp"

namespace mere::trust {

// Library and version, as estimators state them in their states ("_sklearn_version"): each library once; versions that
// differ in one text, in order: "1.2.1, 1.5.0".
std::vector<std::pair<std::string, std::string>> versions_of(const Graph& graph);
std::vector<std::pair<std::string, std::string>> versions_of(const graph::NodeReader& reader);

// The names that the roots lead to, each once, in the order met; `node` is the first that has it, `uses` counts the
// places that hold it.
struct NameInGraph {
  std::string module, qualname;
  std::uint64_t uses = 0;
  NodeId node = kNoNode;
};
std::vector<NameInGraph> reached_names(const graph::NodeReader& reader);

// Every node that the roots lead to, each once, parents before children.
std::vector<NodeId> reached_nodes(const graph::NodeReader& reader);

// A part by value: docs/importers.md.
struct OpaquePart {
  NodeId node = kNoNode;
  std::string format, module, name, file;
  std::int64_t line = -1;  // not known
  std::uint64_t bytes = 0;
};
std::vector<OpaquePart> opaque_parts(const graph::NodeReader& reader);

}  // namespace mere::trust
