#include "exporters/reached.hpp"

#include <algorithm>
#include <string_view>

#include "graph/path.hpp"

namespace mere::exporters {

namespace {

constexpr std::string_view kParts[] = {"@type", "@args", "@kwargs", "@state", "@items", "@entries", "@setter"};

// The number of the part (a bit of the flags) that child `child` of an object is.
std::size_t part_of(const Graph::Store::Node& object, std::uint64_t child) {
  for (std::size_t part = 0; part < std::size(kParts); ++part) {
    if ((object.flags & 1u << part) != 0 && child-- == 0) return part;
  }
  return 0;
}

bool is_state_of_object(const Graph::Store::Node& parent, std::uint64_t child) {
  return parent.kind == Kind::object && part_of(parent, child) == 3;
}

// Appends the step from `parent` to its child number `child`; `bare` if the parent is the state of an object, whose
// names need no "@state".
void append_step(const Graph::Store& store, const Graph::Store::Node& parent, std::uint64_t child, std::string& path) {
  switch (parent.kind) {
    case Kind::dict: {
      const Graph::Store::Node& key = store.at(store.links[parent.b + (child & ~std::uint64_t{1})]);
      if (child % 2 == 1 && key.kind == Kind::text && graph::has_name(store.text_of(key))) {
        graph::append_name(store.text_of(key), path);
      } else {
        path += '{' + std::to_string(child / 2) + '}' + (child % 2 == 0 ? "@key" : "");
      }
      return;
    }
    case Kind::set:
    case Kind::frozenset: path += '{' + std::to_string(child) + '}'; return;
    case Kind::object: path += kParts[part_of(parent, child)]; return;
    case Kind::opaque: path += child == 0 ? "@info" : "@bytes"; return;
    default: path += '[' + std::to_string(child) + ']';
  }
}

}  // namespace

Reached find_reached(const Graph::Store& store, NodeId root) {
  Reached reached;
  store.at(root);
  reached.references.assign(store.nodes.size(), 0);
  std::vector<NodeId> waiting{root};
  reached.references[root] = 1;
  while (!waiting.empty()) {
    const NodeId id = waiting.back();
    waiting.pop_back();
    const Graph::Store::Node& node = store.nodes[id];
    ++reached.nodes;
    if (node.kind == Kind::array && (node.flags & Graph::Store::kObjects) == 0) {
      const Graph::Store::Array& array = store.arrays[node.a];
      ++reached.arrays;
      reached.array_bytes += array.elements * store.types[array.type].itemsize();
      continue;
    }
    const bool has_links = (node.kind >= Kind::list && node.kind <= Kind::range) || node.kind == Kind::array ||
                           node.kind == Kind::object || node.kind == Kind::opaque;
    if (!has_links) continue;
    reached.links += store.link_count(node);
    for (const NodeId child : store.links_of(node)) {
      std::uint8_t& references = reached.references[child];
      if (references == 0) waiting.push_back(child);
      if (references < 2) ++references;
    }
  }
  return reached;
}

std::string path_of(const Graph::Store& store, NodeId root, NodeId node) {
  if (node == root) return "the root";
  struct Way {
    NodeId parent = kNoNode;
    std::uint64_t child = 0;
  };
  std::vector<Way> ways(store.nodes.size());
  std::vector<NodeId> queue{root};
  ways[root].parent = root;
  for (std::size_t next = 0; next < queue.size() && ways[node].parent == kNoNode; ++next) {
    const NodeId id = queue[next];
    const Graph::Store::Node& record = store.nodes[id];
    const bool has_links = (record.kind >= Kind::list && record.kind <= Kind::range) || record.kind == Kind::object ||
                           record.kind == Kind::opaque ||
                           (record.kind == Kind::array && (record.flags & Graph::Store::kObjects) != 0);
    if (!has_links) continue;
    const auto links = store.links_of(record);
    for (std::uint64_t i = 0; i < links.size(); ++i) {
      if (ways[links[i]].parent != kNoNode) continue;
      ways[links[i]] = {id, i};
      queue.push_back(links[i]);
    }
  }
  if (ways[node].parent == kNoNode) return "node " + std::to_string(node);
  std::vector<NodeId> chain;
  for (NodeId at = node; at != root; at = ways[at].parent) chain.push_back(at);
  std::reverse(chain.begin(), chain.end());
  std::string path;
  for (std::size_t i = 0; i < chain.size() && path.size() < 200; ++i) {
    const Way way = ways[chain[i]];
    const Graph::Store::Node& parent = store.nodes[way.parent];
    // Names on an object are looked up in its state.
    const bool through_state = is_state_of_object(parent, way.child) && i + 1 < chain.size() &&
                               store.nodes[chain[i]].kind == Kind::dict && ways[chain[i + 1]].child % 2 == 1;
    const bool through_items = parent.kind == Kind::object && i + 1 < chain.size() &&
                               (part_of(parent, way.child) == 4 || part_of(parent, way.child) == 5);
    if (!through_state && !through_items) append_step(store, parent, way.child, path);
  }
  return path.size() < 200 ? path : path + "...";
}

void throw_unsupported(const Graph::Store& store, NodeId root, NodeId node, const std::string& what) {
  throw Error(Reason::not_supported, path_of(store, root, node) + ": " + what);
}

}  // namespace mere::exporters
