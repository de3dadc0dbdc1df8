#include "tree_walk.hpp"

#include "node_text.hpp"

namespace mere::command {

namespace {

// Lists beyond the first number show as many members as the second says; the same for dicts.
constexpr std::uint64_t kLongList = 8, kShownOfList = 4;
constexpr std::uint64_t kLongDict = 100;

// How many members of `node` are shown.
std::uint64_t shown_members(const Node& node) {
  switch (node.kind()) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::frozenset:
    case Kind::array: return node.size() > kLongList ? kShownOfList : node.size();
    case Kind::dict: return node.size() > kLongDict ? kLongDict : ~std::uint64_t{0};
    default: return ~std::uint64_t{0};
  }
}

}  // namespace

bool TreeWalk::next(Visit& visit) {
  visit = Visit{};
  if (!started_) {
    started_ = true;
    visit.node = start_;
    trail_.start(start_);
    enter(start_, 0);
    return true;
  }
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    if (!frame.ready) {
      frames_.pop_back();
      continue;
    }
    visit.depth = frames_.size();
    if (frame.shown >= frame.limit) {
      visit.left_out = frame.parent.size() - frame.limit;
      frames_.pop_back();
      return true;
    }
    const Node node = frame.members.node();
    const Node parent = frame.parent;
    const Step step = frame.members.step();
    // Only values count: keys that are nodes of their own stand beside them.
    if (step.role != Role::key) ++frame.shown;
    frame.ready = frame.members.next();
    visit.node = node;
    visit.step = step_text(parent, step);
    visit.last = !frame.ready;
    if (is_leaf(node.kind()) || (!options_.enter_inline && is_inline(node))) return true;
    if (trail_.met(node.id())) {
      visit.repeated = true;
      visit.first_path = trail_.path(node.id());
      return true;
    }
    trail_.add(node, parent, step);
    enter(node, visit.depth);
    return true;
  }
  return false;
}

void TreeWalk::enter(const Node& node, std::size_t depth) {
  if (depth >= options_.depth || (!options_.enter_inline && is_inline(node))) return;
  // The state's dict shows as the object's own members, unless another object has it too and showed it before.
  bool flat = false;
  if (has_flat_state(node)) {
    const Node state = *node.state();
    flat = !trail_.met(state.id());
    if (flat) trail_.add(state, node, {Role::state, 0});
  }
  Members members(node, flat);
  if (!members.next()) return;
  frames_.push_back({node, members, true, 0, options_.cut_lists ? shown_members(node) : ~std::uint64_t{0}});
}

}  // namespace mere::command
