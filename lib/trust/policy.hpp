#pragma once
// Which of the names that a file or graph holds somebody has vouched for: the shipped tables, or the caller.

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/graph.hpp>

#include "container/foreign_name.hpp"

namespace mere::trust {

// True if the shipped lists have this name, or the one that the same thing has today (container/renamed_names.hpp).
bool is_on_lists(std::string_view module, std::string_view qualname);

class Policy {
 public:
  // `trusted`: full names ("module.name") admitted beside the tables.
  explicit Policy(const std::vector<std::string>& trusted = {}) : trusted_(trusted.begin(), trusted.end()) {}

  // A name with a dot in it is a walk over attributes, which can lead anywhere: it passes only if it is listed, or
  // trusted, as just that.
  bool is_trusted(std::string_view module, std::string_view qualname) const;
  // The same of the names that the caller gave, whole: of types, parts that hold code, and capabilities.
  bool is_trusted_by_caller(std::string_view full_name) const { return trusted_.find(full_name) != trusted_.end(); }

  // Who vouches for a name: "scikit-learn 1.1.3 to 1.9.1", "--trust"; empty if nobody does.
  std::string vouched_by(std::string_view module, std::string_view qualname) const;

  // Those that are not trusted, in their order.
  std::vector<container::ForeignName> untrusted(std::span<const container::ForeignName> names) const;

  // Throws Error(forbidden_global) unless all are trusted: "forbidden_global os.system at byte 17 (and 2 more: a.b at
  // byte 30, ...)".
  void require(std::span<const container::ForeignName> names) const;

 private:
  std::set<std::string, std::less<>> trusted_;
};

// The names in a graph, each once, with the number of its nodes; offsets are not known and 0.
std::vector<container::ForeignName> names_of(const Graph& graph);

}  // namespace mere::trust
