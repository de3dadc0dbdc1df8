#pragma once
// safetensors files: a dict of arrays, in the order in which the library itself writes them. Texts of the metadata
// become
// "__metadata__"; other metadata stays out.

#include "exporters/registry.hpp"

namespace mere::exporters::safetensors {

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);

}  // namespace mere::exporters::safetensors
