#include <mere/node.hpp>

#include "graph/path.hpp"
#include "graph/read.hpp"
#include "graph/visit_budget.hpp"

namespace mere {

struct Walk::State {
  struct Frame {
    NodeId node;
    graph::Children children;
    std::uint64_t next;
  };
  Node start;
  Node current;
  graph::VisitBudget budget;
  std::vector<bool> met;
  std::vector<Frame> stack;  // the nodes above the current one, each with the child that is next
  bool begun = false, repeats = false, enter = false, first_visit = true;

  explicit State(Node node)
      : start(node), budget(*node.image()), met(node.image()->section(format::Section::nodes).count) {}
};

Walk::Walk(Node start) {
  if (start.image() == nullptr) throw Error(Reason::bad_argument, "a walk from a node of no model");
  state_ = std::make_unique<State>(start);
}
Walk::~Walk() = default;
Walk::Walk(Walk&&) noexcept = default;

bool Walk::next() {
  State& s = *state_;
  const format::Image& image = *s.start.image();
  if (!s.begun) {
    s.begun = true;
    image.node(s.start.id());
    s.met[s.start.id()] = true;
    s.current = s.start;
    s.enter = true;
    return true;
  }
  if (s.enter) {
    const graph::Children children = graph::children_of(image, s.current.id(), image.node(s.current.id()));
    s.budget.spend(children.count);
    s.stack.push_back({s.current.id(), children, 0});
    s.enter = false;
  }
  while (!s.stack.empty()) {
    State::Frame& frame = s.stack.back();
    if (frame.next == frame.children.count) {
      s.stack.pop_back();
      continue;
    }
    const NodeId child = image.link(frame.children.first + frame.next++);
    if (child >= s.met.size()) {
      graph::throw_node(image, frame.node, Reason::bad_node, "a child with id " + std::to_string(child));
    }
    if (s.met[child] && !s.repeats) continue;
    s.first_visit = !s.met[child];
    s.met[child] = true;
    s.current = Node(&image, child);
    s.enter = s.first_visit;
    return true;
  }
  return false;
}

Node Walk::node() const {
  return state_->current;
}
std::size_t Walk::depth() const {
  return state_->stack.size();
}
bool Walk::first_visit() const {
  return state_->first_visit;
}
void Walk::show_repeats(bool on) {
  state_->repeats = on;
}
void Walk::skip_children() {
  state_->enter = false;
}

std::string Walk::path() const {
  std::vector<graph::ChainLink> chain;
  chain.reserve(state_->stack.size());
  for (const State::Frame& frame : state_->stack) chain.push_back({frame.node, frame.next - 1});
  std::string path;
  graph::append_chain(*state_->start.image(), chain, path);
  return path;
}

}  // namespace mere
