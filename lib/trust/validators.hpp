#pragma once
// States that become memory of compiled code, checked before anybody makes objects of them: what scikit-learn, SciPy
// and NumPy take on trust. The table of types is docs/trust.md's; a listed type with native state has a row.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <mere/graph.hpp>

#include "graph/node_reader.hpp"

namespace mere::trust {

// One object at a time, for whoever makes objects one by one. The bound on its work is one for all calls.
class StateChecks {
 public:
  // Borrows the reader. `name` is for messages.
  explicit StateChecks(const graph::NodeReader& reader, std::string_view name = {});
  ~StateChecks();
  StateChecks(const StateChecks&) = delete;
  StateChecks& operator=(const StateChecks&) = delete;

  // Any node; what is no object, or of a type without a row, passes. Throws as validate_states().
  void check(NodeId id);

 private:
  struct Known;
  std::unique_ptr<Known> known_;
};

// Checks every object whose type has a row, in the order of nodes. Linear in what is checked, iterative. `name` is for
// messages, which have the node's path, what was found and what was expected.
// Throws Error: schema (a part is missing or of another kind), bad_record (parts contradict each other), too_large (the
// same arrays are the state of more objects than any model has).
void validate_states(const graph::NodeReader& reader, std::string_view name = {});
// `release`: as graph::GraphReader's.
void validate_states(const Graph& graph, std::string_view name = {}, graph::GraphReader::Release release = {});

// Whether states of such objects are checked: the type itself, or a function that makes it from its arguments.
bool has_validator(std::string_view module, std::string_view qualname) noexcept;

}  // namespace mere::trust
