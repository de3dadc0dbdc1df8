// From a graph to a .mere file, by way of graph::encode and format::write_file.

#include <mere/dump.hpp>

#include <ostream>

#include "format/writer.hpp"
#include "graph/encode.hpp"
#include "graph/store.hpp"
#include "model/array_codecs.hpp"
#include "model/guarded.hpp"
#include "model/metadata.hpp"
#include "model/write_options.hpp"
#include "os/sink.hpp"

namespace mere {

namespace model {

DumpResult dump_to(const Graph& graph, os::Sink& sink, const DumpOptions& options, const DumpHooks& hooks) {
  if (!options.metadata.empty()) {
    // The caller's graph stays as it is: the additions go to a copy of its columns, not of its arrays.
    Graph with_metadata;
    with_metadata.store() = graph.store();
    with_metadata.model_root = graph.model_root;
    with_metadata.program_root = graph.program_root;
    with_metadata.metadata_root = graph.metadata_root;
    add_metadata(with_metadata, options.metadata);
    DumpOptions rest = options;
    rest.metadata.clear();
    return dump_to(with_metadata, sink, rest, hooks);
  }
  graph::Encoded encoded = graph::encode(graph);
  format::WriteOptions write = write_options(options);
  if (hooks.settle) write.before_manifest = [&] { hooks.settle(encoded.columns); };
  write.release = hooks.release;
  if (options.codec_for) write.codec_for = array_codecs(encoded.columns, options);
  const format::WriteResult result = format::write_file(encoded.columns, *encoded.source, write, sink);
  return {{result.content_low, result.content_high}, result.file_bytes};
}

}  // namespace model

using model::guarded;

DumpResult dump(const Graph& graph, const std::filesystem::path& path, const DumpOptions& options) {
  return guarded([&] {
    os::AtomicFile file(path);
    const DumpResult result = model::dump_to(graph, file, options);
    file.commit(options.durability == Durability::full);
    return result;
  });
}

DumpResult dump(const Graph& graph, std::ostream& out, const DumpOptions& options) {
  return guarded([&] {
    os::StreamSink sink(out);
    const DumpResult result = model::dump_to(graph, sink, options);
    out.flush();
    if (!out) throw Error(Reason::system_call, "stream: it could not be flushed");
    return result;
  });
}

DumpResult dump_descriptor(const Graph& graph, int fd, const DumpOptions& options) {
  return guarded([&] {
    os::DescriptorSink sink(fd, "descriptor " + std::to_string(fd));
    return model::dump_to(graph, sink, options);
  });
}

std::vector<std::byte> dump_bytes(const Graph& graph, const DumpOptions& options) {
  return guarded([&] {
    os::MemorySink sink;
    model::dump_to(graph, sink, options);
    return sink.take();
  });
}

}  // namespace mere
