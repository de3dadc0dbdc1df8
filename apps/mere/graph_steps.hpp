#pragma once
// The members of a node as the command shows them, each with the step of a path that leads to it (docs/format.md 8).

#include <cstdint>
#include <string>
#include <unordered_map>

#include <mere/node.hpp>

namespace mere::command {

// How a member hangs on its parent.
enum class Role : std::uint8_t {
  item,     // [i] of a list, tuple, slice, range or array of objects
  element,  // {i} of a set
  value,    // of entry i of a dict: .name, ["text"] or {i}
  key,      // {i}@key; shown only if it is no leaf
  args,
  kwargs,
  state,
  items,
  entries,
  setter,
  info,         // @args ...
  state_value,  // of entry i of an object's state, a dict: as if it were the object's own
  state_key,    // @state{i}@key
};

struct Step {
  Role role = Role::item;
  std::uint64_t index = 0;
};

// True for nodes that stand once for equal values and have no members: null, bool, int, ..., name.
bool is_leaf(Kind kind);

// The members of one node in stored order. An object's state that is a dict is shown as the object's own members if
// `flat_state` is set. Bounded work for each call.
class Members {
 public:
  Members(Node parent, bool flat_state);
  // The next member that is to be shown; false at the end.
  bool next();
  Node node() const { return node_; }
  Step step() const { return step_; }

 private:
  bool take(Role role, std::uint64_t index);

  Node parent_;
  Kind kind_;
  bool flat_state_;
  std::uint64_t position_ = 0;  // of the next candidate, over all roles of the kind
  std::uint64_t size_ = 0;      // members or entries; objects: entries of the state shown flat
  Node node_;
  Step step_;
};

// True if the object's state can be shown flat: it is there, and a dict.
bool has_flat_state(const Node& object);

// The node that `step` leads to from `parent`, and the step's text: ".name", "[3]", "@state".
Node follow(const Node& parent, Step step);
std::string step_text(const Node& parent, Step step);
// A path and one step more: the first name needs no dot.
std::string joined(std::string path, const std::string& step);

// Which containers and arrays a walk has met, and how it came to each, so that paths need no memory of their own.
class Trail {
 public:
  explicit Trail(std::string start_path) : start_path_(std::move(start_path)) {}
  bool met(NodeId id) const { return links_.count(id) != 0; }
  void start(const Node& node) { links_.emplace(node.id(), Link{Node(), {}}); }
  void add(const Node& node, const Node& parent, Step step) { links_.emplace(node.id(), Link{parent, step}); }
  std::string path(NodeId id) const;

 private:
  struct Link {
    Node parent;
    Step step;
  };
  std::string start_path_;
  std::unordered_map<NodeId, Link> links_;
};

}  // namespace mere::command
