#include "model/metadata.hpp"

#include <vector>

namespace mere::model {

void add_metadata(Graph& graph, const std::map<std::string, std::string>& entries) {
  std::vector<std::pair<std::string, NodeId>> nodes;
  for (const auto& [key, value] : entries) nodes.emplace_back(key, graph.text(value));
  add_metadata(graph, nodes);
}

void add_metadata(Graph& graph, std::span<const std::pair<std::string, NodeId>> entries) {
  std::vector<NodeId> members;
  if (graph.metadata_root != kNoNode) {
    if (graph.kind(graph.metadata_root) != Kind::dict) {
      throw Error(Reason::wrong_kind, "the metadata of this graph is " +
                                          std::string(to_text(graph.kind(graph.metadata_root))) +
                                          ", a dict is expected");
    }
    const auto old = graph.members(graph.metadata_root);
    members.assign(old.begin(), old.end());
  }
  for (const auto& [key, value] : entries) {
    bool replaced = false;
    for (std::size_t i = 0; i + 1 < members.size() && !replaced; i += 2) {
      if (graph.kind(members[i]) != Kind::text || graph.text_value(members[i]) != key) continue;
      members[i + 1] = value;
      replaced = true;
    }
    if (!replaced) members.insert(members.end(), {graph.text(key), value});
  }
  // A dict of its own: the old one may be part of the model too, which does not change.
  const NodeId root = graph.dict();
  graph.fill(root, members);
  graph.metadata_root = root;
}

}  // namespace mere::model
