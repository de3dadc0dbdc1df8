#pragma once
// Pickles of protocols 2 to 5, 5 by default.

#include "exporters/registry.hpp"

namespace mere::exporters::pickle {

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);

}  // namespace mere::exporters::pickle
