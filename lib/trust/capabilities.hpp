#pragma once
// What objects of listed types would do beyond computing, once they are objects: parameters that make them touch files,
// unpickle, or call what they are given. docs/trust.md has the table.

#include <string>
#include <string_view>
#include <vector>

#include "graph/node_reader.hpp"
#include "trust/policy.hpp"

namespace mere::trust {

enum class CapabilityKind { caches_to_disk, reads_files, calls_function, calls_method };
std::string_view to_text(CapabilityKind kind) noexcept;

struct Capability {
  CapabilityKind kind;
  std::string name;       // what vouches for it: the type's full name, ".", the parameter
  std::string detail;     // the folder, the function: from the file, not escaped
  std::string function;   // of calls_function: the full name that is called, where it has one
  NodeId node = kNoNode;  // that holds it
};

// All that the roots lead to, in stored order. A parameter that holds a listed function or type is no capability: such
// functions compute and do nothing else. Parts that hold code are opaque_parts(), not capabilities.
std::vector<Capability> capabilities_of(const graph::NodeReader& reader);

// The same without asking which nodes something leads to: as many or more, and faster.
std::vector<Capability> capabilities_of_all_nodes(const graph::NodeReader& reader);

// Whether `policy` admits it: by its own name, or by that of the function it calls.
bool permits(const Policy& policy, const Capability& capability);

}  // namespace mere::trust
