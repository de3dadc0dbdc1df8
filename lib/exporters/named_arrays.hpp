#pragma once
// What formats without objects hold: one array, or a flat dict of arrays by name.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporters/array_bytes.hpp"

namespace mere::exporters {

struct NamedArrays {
  std::vector<std::pair<std::string, NodeId>> arrays;  // in the order of the dict
  std::uint64_t bytes = 0;
};

// `node` must be an array of numbers. Throws Error(not_supported): "PATH: FORMAT holds an array, found ...".
ArrayBytes one_array(const Graph::Store& store, NodeId root, NodeId node, const std::string& format);

// `root` must be a dict of text keys to arrays. Throws Error(not_supported), naming the path of what is not.
NamedArrays named_arrays(const Graph::Store& store, NodeId root, const std::string& format);

}  // namespace mere::exporters
