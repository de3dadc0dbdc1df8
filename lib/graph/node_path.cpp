#include "graph/node_reader.hpp"

#include <deque>

#include <mere/error.hpp>

#include "graph/path.hpp"

namespace mere::graph {

std::string NodeReader::full_name(NodeId id) const {
  NodeId named = id;
  if (kind(id) == Kind::object) named = parts(id).type;
  if (named == kNoNode || kind(named) != Kind::name) return {};
  const auto [module, qualname] = name(named);
  std::string full = module.empty() ? std::string(qualname) : std::string(module) + "." + std::string(qualname);
  const auto alias = aliases_.find(full);
  return alias == aliases_.end() ? full : alias->second;
}

void NodeReader::search_paths() const {
  // Not the root of anything: marks roots.
  constexpr std::uint64_t kRoot = UINT64_MAX;
  const std::uint64_t count = node_count();
  steps_.resize(static_cast<std::size_t>(count));
  std::deque<NodeId> queue;
  for (const Root& root : roots()) {
    if (root.node >= count || steps_[root.node].from != kNoNode) continue;
    steps_[root.node] = {root.node, kRoot};
    queue.push_back(root.node);
    while (!queue.empty()) {
      const NodeId from = queue.front();
      queue.pop_front();
      const std::uint64_t children = child_count(from);
      for (std::uint64_t i = 0; i < children; ++i) {
        const NodeId to = child(from, i);
        if (to >= count || steps_[to].from != kNoNode) continue;
        steps_[to] = {from, i};
        queue.push_back(to);
      }
    }
  }
}

std::string NodeReader::path(NodeId id) const {
  if (steps_.empty()) search_paths();
  if (id >= steps_.size() || steps_[id].from == kNoNode) return "(node " + std::to_string(id) + ")";
  std::vector<Step> chain;
  NodeId at = id;
  for (; steps_[at].from != at; at = steps_[at].from) chain.push_back(steps_[at]);
  std::string path;
  for (const Root& root : roots()) {
    if (root.node == at) {
      path = root.path;
      break;
    }
  }
  // A name, index or entry right after an object's state, items or entries needs no "@state": it is what an object's
  // own name, index or entry means.
  std::string pending;
  for (std::size_t i = chain.size(); i-- > 0;) {
    const auto [from, index] = chain[i];
    const std::string number = std::to_string(index);
    switch (kind(from)) {
      case Kind::dict: {
        const NodeId key = child(from, index & ~std::uint64_t{1});
        const std::string entry = "{" + std::to_string(index / 2) + "}";
        const bool named = (index & 1) != 0 && kind(key) == Kind::text && graph::has_name(text(key));
        if (named ? pending == "@entries" || pending == "@kwargs" : pending != "@entries") path += pending;
        pending.clear();
        if (named) {
          graph::append_name(text(key), path);
        } else {
          path += (index & 1) != 0 ? entry : entry + "@key";
        }
        break;
      }
      case Kind::object: {
        path += pending;
        pending.clear();
        const ObjectParts p = parts(from);
        const std::pair<NodeId, const char*> words[] = {
            {p.type, "@type"},   {p.args, "@args"},       {p.kwargs, "@kwargs"}, {p.state, "@state"},
            {p.items, "@items"}, {p.entries, "@entries"}, {p.setter, "@setter"}};
        std::uint64_t part = 0;
        for (const auto& [node, word] : words) {
          if (node == kNoNode || part++ != index) continue;
          pending = word;
          break;
        }
        break;
      }
      case Kind::opaque:
        path += pending + (index == 0 ? "@info" : "@bytes");
        pending.clear();
        break;
      case Kind::set:
      case Kind::frozenset:
        path += pending + "{" + number + "}";
        pending.clear();
        break;
      case Kind::list:
        if (pending != "@items") path += pending;
        path += "[" + number + "]";
        pending.clear();
        break;
      default: path += pending + "[" + number + "]"; pending.clear();
    }
  }
  return path + pending;
}

}  // namespace mere::graph
