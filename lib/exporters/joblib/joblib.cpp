#include "exporters/joblib/joblib.hpp"

#include "container/stream_encoder.hpp"
#include "exporters/pickle/writer.hpp"

namespace mere::exporters::joblib {

namespace {

constexpr int kDefaultProtocol = 4;  // pickle.DEFAULT_PROTOCOL from Python 3.8 to 3.13

container::StreamCodec codec_of(Compression compression) {
  switch (compression) {
    case Compression::gzip: return container::StreamCodec::gzip;
    case Compression::lz4: return container::StreamCodec::lz4;
    case Compression::xz: return container::StreamCodec::xz;
    case Compression::bz2: return container::StreamCodec::bz2;
    default: return container::StreamCodec::zlib;
  }
}

}  // namespace

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options) {
  const auto write_to = [&](os::Sink& to) {
    pickle::Writer writer(graph, root, to,
                          {.protocol = options.protocol == 0 ? kDefaultProtocol : options.protocol,
                           .numpy2_names = options.numpy2_names,
                           .joblib_arrays = true,
                           .progress = options.progress});
    to.expect(writer.reached().array_bytes);
    writer.run();
    return Written{writer.reached().arrays, writer.reached().array_bytes};
  };
  if (options.compression == Compression::none) return write_to(sink);
  container::CompressingSink compressed(codec_of(options.compression), options.level, sink);
  const Written written = write_to(compressed);
  compressed.finish();
  return written;
}

}  // namespace mere::exporters::joblib
