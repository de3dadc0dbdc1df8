#pragma once
// Turns the values of a pickle stream into a graph: the same for the same object whatever protocol wrote it.
// docs/importers.md says what is understood; all else stays the object that the stream describes.

#include <memory>
#include <span>
#include <vector>

#include <mere/graph.hpp>

#include "importers/pickle/array_nodes.hpp"
#include "importers/pickle/meanings.hpp"
#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

// Iterative; each value is visited once. All throw Error: bad_record, bad_text, out_of_bounds, shape_overflow,
// unknown_type, ...
class GraphBuilder {
 public:
  // Arrays lie where their bytes lie in the stream, held by `owner`. Opaque nodes take `opaque_bytes` at most.
  GraphBuilder(const Values& values, std::shared_ptr<const void> owner, std::uint64_t opaque_bytes)
      : values_(values),
        types_(values),
        arrays_(values, types_, graph_, std::move(owner)),
        opaque_bytes_left_(opaque_bytes) {}

  // First: finds what `root` reaches.
  void find_parts(ValueId root);

  // Of the values found, those that become opaque nodes.
  std::span<const ValueId> opaque_parts() const { return opaque_parts_; }
  // Whether a node will stand for `value`.
  bool is_reached(ValueId value) const { return reached_flags_[value]; }

  // Then, once: the graph of `root` and all it reaches.
  Graph build();

 private:
  // Calls `visit` for every value that the node of `value` refers to.
  template <class Visit>
  void for_each_part(ValueId value, const Visit& visit) const;

  NodeId make(ValueId value);
  NodeId make_call(ValueId value);

  bool is_late(ValueId value) const;
  void make_late(ValueId first);
  std::span<const ValueId> late_parts(ValueId value) const;
  NodeId make_late_one(ValueId value, std::span<const ValueId> parts);

  void fill(ValueId value);
  void fill_call(ValueId value);
  NodeId filled_state(const Call& call);
  NodeId filled_args(const Call& call, Meaning meaning);
  Meaning meaning(ValueId call) const { return meanings_[values_.call_number(call)]; }
  // Calls `visit` for every value found, ascending.
  template <class Visit>
  void for_each_reached(const Visit& visit) const;
  NodeId node(ValueId value) const { return value == kNoValue ? kNoNode : nodes_[value]; }
  std::span<const NodeId> nodes_of(std::span<const ValueId> values);  // until the next call
  NodeId unless_empty(ValueId container) const;

  const Values& values_;
  NumpyTypes types_;
  Graph graph_;
  ArrayNodes arrays_;
  std::uint64_t opaque_bytes_left_;
  ValueId root_ = kNoValue;
  std::size_t reached_count_ = 0;
  std::vector<bool> reached_flags_;    // by value
  std::vector<ValueId> opaque_parts_;  // ascending
  std::vector<Meaning> meanings_;      // of calls, by number
  std::vector<NodeId> nodes_;          // by value
  std::vector<bool> being_made_;       // by value
  std::vector<NodeId> scratch_;
};

}  // namespace mere::importers::pickle
