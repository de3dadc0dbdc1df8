#pragma once
// skops files, protocol 2; members are stored, or deflated.

#include "exporters/registry.hpp"

namespace mere::exporters::skops {

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);

}  // namespace mere::exporters::skops
