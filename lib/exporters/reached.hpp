#pragma once
// What a root of a graph reaches: which nodes, how often each is referred to, and by what path.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "graph/store.hpp"

namespace mere::exporters {

struct Reached {
  std::vector<std::uint8_t> references;  // by node: 0 not reached, 1 once, 2 more often; the root's own is counted
  std::uint64_t nodes = 0, links = 0;
  std::uint64_t arrays = 0, array_bytes = 0;  // not of objects
};
Reached find_reached(const Graph::Store& store, NodeId root);

// The shortest path from `root` to `node` (docs/format.md 8), for messages; "the root" for none. Cut at 200 bytes.
std::string path_of(const Graph::Store& store, NodeId root, NodeId node);

// Throws Error(not_supported) "PATH: what".
[[noreturn]] void throw_unsupported(const Graph::Store& store, NodeId root, NodeId node, const std::string& what);

}  // namespace mere::exporters
