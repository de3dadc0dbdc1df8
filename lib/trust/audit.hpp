#pragma once
// Which of the names that a file or graph holds nobody has vouched for.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/graph.hpp>

#include "container/foreign_name.hpp"

namespace mere::trust {

// True if the shipped tables have the name, or `trusted` has it in full ("module.name"). A name with a dot in it is a walk
// over attributes, which can lead anywhere: it passes only if it is listed, or trusted, as just that.
bool is_trusted(std::string_view module, std::string_view qualname, std::span<const std::string> trusted);

// Those of `names` that are not trusted, in their order.
std::vector<container::ForeignName> untrusted(std::span<const container::ForeignName> names,
                                              std::span<const std::string> trusted);

// Throws Error(forbidden_global) unless all are trusted: "os.system at byte 17 (and 2 more: a.b at byte 30, ...)".
void require(std::span<const container::ForeignName> names, std::span<const std::string> trusted);

// The names in a graph, each once, with the number of its nodes; offsets are not known and 0.
std::vector<container::ForeignName> names_of(const Graph& graph);

}  // namespace mere::trust
