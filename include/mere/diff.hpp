#pragma once
// What differs between two graphs, by path: which parameters and arrays, and by how much.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mere/node.hpp>

namespace mere {

enum class Change : std::uint8_t {
  added,     // only the second graph has it
  removed,   // only the first has it
  kind,      // nodes of different kinds
  value,     // leaves of one kind with different values
  type,      // arrays of different element types
  shape,     // arrays of different shapes
  elements,  // arrays whose elements differ
  order,     // dicts with the same keys in another order
  sharing,   // one object here, two there
};
MERE_API std::string_view to_text(Change change) noexcept;  // the enumerator's word

// How the elements of two arrays differ, or one field of them. Elements are the same if their bits are: a NaN equals
// itself, 0.0 and -0.0 differ, by 0.
struct ElementDifference {
  std::string field;            // "" for elements that are no records; "a.b" inside records
  std::uint64_t differing = 0;  // values, of ...
  std::uint64_t values = 0;
  std::optional<double> max_absolute;  // numbers only; infinite where one of two is NaN or they are unlike infinities
  std::optional<double> max_relative;  // to the larger magnitude of the two
  std::vector<std::int64_t> first_index;
};

struct Difference {
  Change change = Change::value;
  std::string path;  // in the first graph; of what was added, in the second
  std::string first,
      second;  // short texts of both sides: a value, a kind, a type, a shape; empty where there is nothing
  std::vector<ElementDifference> elements;
};

struct DiffOptions {
  bool ignore_sharing = false;  // an object twice here, two equal ones there: the same
  std::size_t limit = 1000;     // differences beyond these are counted, not described
};

struct DiffResult {
  std::vector<Difference> differences;  // in the order of the first graph
  std::uint64_t count = 0;
  bool same() const { return count == 0; }
};

// Compares all that is reached from two nodes, of one file or two. Lists are compared place by place, dicts by key,
// objects by part. Iterative; every pair of nodes is compared once. Reads compressed arrays block by block. Throws
// Error: corrupt; too_large (a graph made to take long).
MERE_API DiffResult diff(const Node& first, const Node& second, const DiffOptions& options = {});

}  // namespace mere
