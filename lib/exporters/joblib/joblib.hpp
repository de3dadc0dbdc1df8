#pragma once
// joblib files (joblib 1.2 and later): a pickle, of protocol 4 by default, with the bytes of its arrays in between,
// each at a multiple of 16 so that joblib can map them; or all of that compressed.

#include "exporters/registry.hpp"

namespace mere::exporters::joblib {

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);

}  // namespace mere::exporters::joblib
