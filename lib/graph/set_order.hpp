#pragma once
// The order in which a set's members are written, so that equal sets give equal bytes whatever order they were built
// in.

#include <cstdint>
#include <span>
#include <vector>

#include "graph/store.hpp"

namespace mere::graph {

// Leaves come first: by kind, then numbers by value, texts by bytes. Other members follow by a digest of all they hold;
// members whose digests are equal keep the order they had.
class SetOrder {
 public:
  // `same` leads from a node to the first one that equals it (see encode.cpp). Both outlive this.
  SetOrder(const Graph::Store& store, const std::vector<NodeId>& same) : store_(store), same_(same) {}

  // The members in order, each once. Valid until the next call.
  std::span<const NodeId> sort(const Graph::Store::Node& set);

 private:
  struct Digest {
    std::uint64_t low = 0, high = 0;
    friend auto operator<=>(const Digest&, const Digest&) = default;
  };
  bool leaf_less(const Graph::Store::Node& a, const Graph::Store::Node& b) const;
  Digest leaf_digest(const Graph::Store::Node& node) const;
  // Makes the digests of everything reached from `start`.
  void digest_from(NodeId start);
  void digest_component(std::span<const NodeId> component);
  // By the node itself and the digests of its children.
  Digest container_digest(NodeId id) const;

  const Graph::Store& store_;
  const std::vector<NodeId>& same_;
  std::vector<Digest> digests_;      // by node; made where first needed
  std::vector<std::uint32_t> seen_;  // 0: no digest; kDone; else a number while it is being made
  std::vector<NodeId> sorted_;
};

}  // namespace mere::graph
