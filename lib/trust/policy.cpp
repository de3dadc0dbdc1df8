#include "trust/policy.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include <mere/error.hpp>

#include "container/renamed_names.hpp"
#include "trust/tables.hpp"

namespace mere::trust {

namespace {

// On a list under the name it has, or under the one that the same thing has today.
std::optional<Listed> find_vouched(std::string_view module, std::string_view qualname) {
  if (const auto found = find_listed(module, qualname)) return found;
  const container::CanonicalName today = container::canonical_name(module, qualname);
  return find_listed(today.module, today.qualname);
}

}  // namespace

bool is_on_lists(std::string_view module, std::string_view qualname) {
  return find_vouched(module, qualname).has_value();
}

bool Policy::is_trusted(std::string_view module, std::string_view qualname) const {
  if (is_on_lists(module, qualname)) return true;
  std::string full(module);
  if (!full.empty()) full += '.';
  return trusted_.count(full.append(qualname)) != 0;
}

std::string Policy::vouched_by(std::string_view module, std::string_view qualname) const {
  if (const auto found = find_vouched(module, qualname)) {
    const std::string library(found->table->library);
    return found->name->versions.empty() ? library : library + " " + std::string(found->name->versions);
  }
  return is_trusted(module, qualname) ? "--trust" : "";
}

std::vector<container::ForeignName> Policy::untrusted(std::span<const container::ForeignName> names) const {
  std::vector<container::ForeignName> found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found),
               [&](const container::ForeignName& name) { return !is_trusted(name.module, name.qualname); });
  return found;
}

void Policy::require(std::span<const container::ForeignName> names) const {
  const std::vector<container::ForeignName> found = untrusted(names);
  if (found.empty()) return;
  const auto text = [](const container::ForeignName& name) {
    return name.full_name() + " at byte " + std::to_string(name.offset);
  };
  std::string message = "forbidden_global " + text(found[0]);
  if (found.size() > 1) {
    message += " (and " + std::to_string(found.size() - 1) + " more: ";
    for (std::size_t i = 1; i < found.size(); ++i) message += (i > 1 ? ", " : "") + text(found[i]);
    message += ')';
  }
  throw Error(Reason::forbidden_global, message);
}

std::vector<container::ForeignName> names_of(const Graph& graph) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> uses;
  for (NodeId id = 0; id < graph.node_count(); ++id) {
    if (graph.kind(id) != Kind::name) continue;
    const auto [module, qualname] = graph.name_value(id);
    ++uses[{std::string(module), std::string(qualname)}];
  }
  std::vector<container::ForeignName> names;
  for (const auto& [name, count] : uses) names.push_back({name.first, name.second, 0, count});
  return names;
}

}  // namespace mere::trust
