#include "exporters/skops/skops.hpp"

#include "exporters/skops/writer.hpp"

namespace mere::exporters::skops {

namespace {

constexpr int kDeflateLevel = 6;  // zipfile has zlib's default

}  // namespace

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options) {
  const int level = options.compression == Compression::none ? 0 : options.level == 0 ? kDeflateLevel : options.level;
  Writer writer(graph, root, sink, level, options.progress);
  if (level == 0) sink.expect(writer.reached().array_bytes);
  writer.run();
  return {writer.reached().arrays, writer.reached().array_bytes};
}

}  // namespace mere::exporters::skops
