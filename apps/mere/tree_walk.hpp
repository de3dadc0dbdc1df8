#pragma once
// A walk over the graph as `mere ls` shows it: parents first, each container once, long lists cut, no recursion.

#include <cstdint>
#include <string>
#include <vector>

#include "graph_steps.hpp"

namespace mere::command {

struct TreeOptions {
  std::size_t depth = 100;    // members of nodes at that depth are not visited
  bool cut_lists = true;      // show only the first members of long lists and dicts
  bool enter_inline = false;  // visit the members of short lists of leaves, too
};

class TreeWalk {
 public:
  struct Visit {
    Node node;
    std::string step;  // from the parent: ".name", "[3]"; empty for the start
    std::size_t depth = 0;
    bool last = true;            // of the lines below its parent
    bool repeated = false;       // met before, and not entered again
    std::string first_path;      // where it was met; only if repeated
    std::uint64_t left_out = 0;  // in place of a node: so many members are not shown
  };

  TreeWalk(Node start, std::string path, const TreeOptions& options)
      : trail_(std::move(path)), start_(start), options_(options) {}

  // Moves to the next node, or the note that some are left out; false at the end.
  bool next(Visit& visit);

 private:
  struct Frame {
    Node parent;
    Members members;  // stands on the next member to show, if `ready`
    bool ready;
    std::uint64_t shown;
    std::uint64_t limit;  // members to show
  };
  void enter(const Node& node, std::size_t depth);

  Trail trail_;
  Node start_;
  TreeOptions options_;
  bool started_ = false;
  std::vector<Frame> frames_;
};

}  // namespace mere::command
