// Validators of states, one object at a time.

#include <mere/states.hpp>

#include <algorithm>

#include "container/renamed_names.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "trust/validators.hpp"

namespace mere {

struct StateValidator::Work {
  Model model;
  graph::NodeReader reader;
  trust::StateChecks checks;

  explicit Work(const Model& kept)
      : model(kept), reader(*Model::State::of(model).image), checks(reader, Model::State::of(model).image->name()) {}
};

StateValidator::StateValidator(const Model& model) : work_(std::make_unique<Work>(model)) {}
StateValidator::~StateValidator() = default;
StateValidator::StateValidator(StateValidator&&) noexcept = default;
StateValidator& StateValidator::operator=(StateValidator&&) noexcept = default;

void StateValidator::check(NodeId node) {
  model::guarded_read(*Model::State::of(work_->model).image, [&] { work_->checks.check(node); });
}

void StateValidator::check_all() {
  model::guarded_read(*Model::State::of(work_->model).image, [&] {
    const std::uint64_t count = work_->reader.node_count();
    for (NodeId id = 0; id < count; ++id) work_->checks.check(id);
  });
}

std::vector<std::pair<NodeId, std::string>> versions_in_states(const Model& model, std::string_view key) {
  return model::guarded_read(*Model::State::of(model).image, [&] {
    const graph::NodeReader reader(*Model::State::of(model).image);
    std::vector<std::pair<NodeId, std::string>> found;
    const std::uint64_t count = reader.node_count();
    for (NodeId id = 0; id < count; ++id) {
      if (reader.kind(id) != Kind::object) continue;
      const ObjectParts parts = reader.parts(id);
      if (parts.type == kNoNode || parts.state == kNoNode || reader.kind(parts.state) != Kind::dict) continue;
      const NodeId version = reader.find(parts.state, key);
      if (version == kNoNode || reader.kind(version) != Kind::text) continue;
      const std::string_view text = reader.text(version);
      const bool known = std::any_of(found.begin(), found.end(), [&, type = parts.type](const auto& row) {
        return row.first == type && row.second == text;
      });
      if (!known) found.emplace_back(parts.type, text);
    }
    return found;
  });
}

std::vector<std::pair<std::string, std::string>> names_in_releases(std::string_view module, std::string_view qualname) {
  std::vector<std::pair<std::string, std::string>> names{{std::string(module), std::string(qualname)}};
  const auto add = [&](container::CanonicalName name) {
    std::pair<std::string, std::string> pair(std::move(name.module), std::move(name.qualname));
    for (const auto& known : names) {
      if (known == pair) return;
    }
    names.push_back(std::move(pair));
  };
  const container::CanonicalName today = container::canonical_name(module, qualname);
  add(today);
  for (container::CanonicalName& name : container::former_names(today)) add(std::move(name));
  return names;
}

std::pair<std::string, std::string> present_name(std::string_view module, std::string_view qualname) {
  container::CanonicalName today = container::canonical_name(module, qualname);
  return {std::move(today.module), std::move(today.qualname)};
}

}  // namespace mere
