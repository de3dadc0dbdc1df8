#pragma once
// Ensembles of small trees in the layouts that are made for them. docs/operators.md, Nodes.

#include <cstdint>
#include <vector>

#include "program/operators/tree_ensemble.hpp"

namespace mere::lower {

// Rewrites an ensemble as the packer made it, of layout n8 or n16d; `node_ids`, if there are any, follow. False, and
// nothing is changed, where a limit of the layout is passed: depth 3 (shallow); 64 columns, 64 nodes a tree, 254
// thresholds a column, no categories (bins).
bool to_shallow(program::TreeEnsemble& trees, std::uint64_t columns, std::vector<std::uint32_t>& node_ids);
bool to_bins(program::TreeEnsemble& trees, std::uint64_t columns);

}  // namespace mere::lower
