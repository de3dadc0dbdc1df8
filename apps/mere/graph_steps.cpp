#include "graph_steps.hpp"

#include <algorithm>
#include <vector>

#include "json_writer.hpp"

namespace mere::command {

namespace {

constexpr Role kPartRoles[] = {Role::args, Role::kwargs, Role::state, Role::items, Role::entries, Role::setter};
constexpr std::uint64_t kPartCount = std::size(kPartRoles);
constexpr std::uint64_t kStatePart = 2;

std::optional<Node> find_part(const Node& object, Role role) {
  switch (role) {
    case Role::args: return object.args();
    case Role::kwargs: return object.kwargs();
    case Role::state: return object.state();
    case Role::items: return object.items();
    case Role::entries: return object.entries();
    case Role::setter: return object.setter();
    default: return std::nullopt;
  }
}

Node part(const Node& object, Role role) {
  const std::optional<Node> found = role == Role::info ? object.info() : find_part(object, role);
  if (!found) throw Error(Reason::schema, "node " + std::to_string(object.id()) + ": a part of an object is missing");
  return *found;
}

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string index_text(char open, std::uint64_t index, char close) {
  return open + std::to_string(index) + close;
}

// The step to the value of entry `index` of `dict`, by its key if that is a text.
std::string value_text(const Node& dict, std::uint64_t index, const char* prefix) {
  const Node key = dict.key(static_cast<std::size_t>(index));
  if (key.kind() != Kind::text) return prefix + index_text('{', index, '}');
  const std::string_view text = key.text();
  if (is_name(text)) return "." + std::string(text);
  return "[" + json_string(text) + "]";
}

}  // namespace

bool is_leaf(Kind kind) {
  switch (kind) {
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::complex:
    case Kind::text:
    case Kind::bytes:
    case Kind::ellipsis:
    case Kind::scalar:
    case Kind::dtype:
    case Kind::name: return true;
    default: return false;
  }
}

bool has_flat_state(const Node& object) {
  if (object.kind() != Kind::object) return false;
  const std::optional<Node> state = object.state();
  return state && state->kind() == Kind::dict;
}

Members::Members(Node parent, bool flat_state) : parent_(parent), kind_(parent.kind()), flat_state_(flat_state) {
  switch (kind_) {
    case Kind::array: size_ = parent.dtype().type_class() == TypeClass::object ? parent.size() : 0; break;
    case Kind::object:
      flat_state_ = flat_state && has_flat_state(parent);
      if (flat_state_) size_ = parent.state()->size();
      break;
    case Kind::opaque: size_ = 1; break;
    default: size_ = is_leaf(kind_) ? 0 : parent.size(); break;
  }
}

bool Members::take(Role role, std::uint64_t index) {
  step_ = {role, index};
  node_ = follow(parent_, step_);
  return true;
}

bool Members::next() {
  if (kind_ == Kind::dict) {
    // Value and key of an entry take turns; a key that is a leaf stands in its value's step.
    for (; position_ < 2 * size_; ++position_) {
      const std::uint64_t entry = position_ / 2;
      if (position_ % 2 == 0) return ++position_, take(Role::value, entry);
      if (!is_leaf(parent_.key(static_cast<std::size_t>(entry)).kind())) return ++position_, take(Role::key, entry);
    }
    return false;
  }
  if (kind_ == Kind::object) {
    // The parts in their order; a flat state's entries, two candidates each, stand where the state would.
    const std::uint64_t flat = flat_state_ ? 2 * size_ : 1;
    for (; position_ < kPartCount - 1 + flat; ++position_) {
      if (position_ >= kStatePart && position_ < kStatePart + flat && flat_state_) {
        const std::uint64_t entry = (position_ - kStatePart) / 2;
        if ((position_ - kStatePart) % 2 == 0) return ++position_, take(Role::state_value, entry);
        const Node state = part(parent_, Role::state);
        if (!is_leaf(state.key(static_cast<std::size_t>(entry)).kind()))
          return ++position_, take(Role::state_key, entry);
        continue;
      }
      const std::uint64_t number = position_ < kStatePart          ? position_
                                   : position_ < kStatePart + flat ? kStatePart
                                                                   : position_ - flat + 1;
      if (find_part(parent_, kPartRoles[number])) return ++position_, take(kPartRoles[number], 0);
    }
    return false;
  }
  if (position_ >= size_) return false;
  const std::uint64_t index = position_++;
  if (kind_ == Kind::opaque) return take(Role::info, 0);
  return take(kind_ == Kind::set || kind_ == Kind::frozenset ? Role::element : Role::item, index);
}

Node follow(const Node& parent, Step step) {
  const auto index = static_cast<std::size_t>(step.index);
  switch (step.role) {
    case Role::item:
    case Role::element: return parent[index];
    case Role::value: return parent.value(index);
    case Role::key: return parent.key(index);
    case Role::state_value: return part(parent, Role::state).value(index);
    case Role::state_key: return part(parent, Role::state).key(index);
    default: return part(parent, step.role);
  }
}

std::string step_text(const Node& parent, Step step) {
  switch (step.role) {
    case Role::item: return index_text('[', step.index, ']');
    case Role::element: return index_text('{', step.index, '}');
    case Role::value: return value_text(parent, step.index, "");
    case Role::key: return index_text('{', step.index, '}') + "@key";
    case Role::args: return "@args";
    case Role::kwargs: return "@kwargs";
    case Role::state: return "@state";
    case Role::items: return "@items";
    case Role::entries: return "@entries";
    case Role::setter: return "@setter";
    case Role::info: return "@info";
    case Role::state_value: return value_text(part(parent, Role::state), step.index, "@state");
    case Role::state_key: return "@state" + index_text('{', step.index, '}') + "@key";
  }
  return {};
}

std::string joined(std::string path, const std::string& step) {
  if (path.empty() && !step.empty() && step[0] == '.') return step.substr(1);
  return std::move(path) + step;
}

std::string Trail::path(NodeId id) const {
  std::vector<std::string> steps;
  for (auto at = links_.find(id); at != links_.end() && at->second.parent.id() != kNoNode;) {
    const Link& link = at->second;
    steps.push_back(step_text(link.parent, link.step));
    at = links_.find(link.parent.id());
    // A name on an object is looked up in its state: no need to say so.
    if (link.step.role == Role::value && steps.back()[0] != '{' && at != links_.end() &&
        at->second.step.role == Role::state) {
      at = links_.find(at->second.parent.id());
    }
  }
  std::string path = start_path_;
  for (std::size_t i = steps.size(); i-- > 0;) path = joined(std::move(path), steps[i]);
  return path;
}

}  // namespace mere::command
