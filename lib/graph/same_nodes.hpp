#pragma once
// Which nodes are one by what they hold: immutable leaves of equal kind and bits, and tuples of only these
// (docs/format.md 4). For graphs in memory and in files alike.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mere/graph.hpp>
#include "graph/id_table.hpp"

namespace mere::graph {

inline bool is_immutable_leaf(Kind kind) {
  return kind <= Kind::bytes || kind == Kind::ellipsis || (kind >= Kind::scalar && kind <= Kind::name);
}

// By node, the first node that equals it; itself for all that is no such leaf or tuple. Iterative; each tuple is looked
// at once. Nodes has
//   std::uint32_t count()                      ids are below it
//   Kind kind(id)
//   std::uint64_t leaf_hash(id)                of an immutable leaf
//   bool leaves_equal(id, id)
//   std::uint64_t member_count(id)             of a tuple
//   std::uint32_t member(id, index)            below count()
template <class Nodes>
std::vector<std::uint32_t> find_same(const Nodes& nodes) {
  const std::uint32_t count = nodes.count();
  std::vector<std::uint32_t> same(count);
  std::size_t tuple_count = 0;
  {
    IdTable leaves(count / 2);
    for (std::uint32_t id = 0; id < count; ++id) {
      const Kind kind = nodes.kind(id);
      same[id] = id;
      if (is_immutable_leaf(kind)) {
        same[id] = leaves.find_or_put(nodes.leaf_hash(id), id,
                                      [&](std::uint32_t other) { return nodes.leaves_equal(other, id); });
      } else if (kind == Kind::tuple) {
        ++tuple_count;
      }
    }
  }
  if (tuple_count == 0) return same;

  enum State : std::uint8_t { unknown, open, constant, changing };
  std::vector<State> states(count, unknown);
  IdTable tuples(tuple_count);
  std::vector<std::uint32_t> stack;
  for (std::uint32_t start = 0; start < count; ++start) {
    if (nodes.kind(start) != Kind::tuple || states[start] != unknown) continue;
    stack.push_back(start);
    while (!stack.empty()) {
      const std::uint32_t id = stack.back();
      const std::uint64_t members = nodes.member_count(id);
      if (states[id] == unknown) {
        states[id] = open;
        for (std::uint64_t i = 0; i < members; ++i) {
          // A member that is open holds this tuple: a cycle, and neither is constant.
          const std::uint32_t member = nodes.member(id, i);
          if (nodes.kind(member) == Kind::tuple && states[member] == unknown) stack.push_back(member);
        }
        if (stack.back() != id) continue;
      }
      stack.pop_back();
      if (states[id] != open) continue;
      std::uint64_t hash = members;
      bool is_constant = true;
      for (std::uint64_t i = 0; i < members && is_constant; ++i) {
        const std::uint32_t member = nodes.member(id, i);
        is_constant = is_immutable_leaf(nodes.kind(member)) || states[member] == constant;
        hash = mix(hash, same[member]);
      }
      states[id] = is_constant ? constant : changing;
      if (!is_constant) continue;
      same[id] = tuples.find_or_put(hash, id, [&](std::uint32_t other) {
        if (nodes.member_count(other) != members) return false;
        for (std::uint64_t i = 0; i < members; ++i) {
          if (same[nodes.member(other, i)] != same[nodes.member(id, i)]) return false;
        }
        return true;
      });
    }
  }
  return same;
}

}  // namespace mere::graph
