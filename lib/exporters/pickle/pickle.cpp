#include "exporters/pickle/pickle.hpp"

#include "exporters/pickle/writer.hpp"

namespace mere::exporters::pickle {

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options) {
  Writer writer(graph, root, sink,
                {.protocol = options.protocol == 0 ? container::kHighestPickleProtocol : options.protocol,
                 .numpy2_names = options.numpy2_names,
                 .joblib_arrays = false,
                 .progress = options.progress});
  sink.expect(writer.reached().array_bytes);
  writer.run();
  return {writer.reached().arrays, writer.reached().array_bytes};
}

}  // namespace mere::exporters::pickle
