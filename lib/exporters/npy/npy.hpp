#pragma once
// NumPy's own files: .npy for one array, .npz for a dict of arrays, by their keys, stored or deflated.

#include "exporters/registry.hpp"

namespace mere::exporters::npy {

Written write_npy(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);
Written write_npz(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);

}  // namespace mere::exporters::npy
