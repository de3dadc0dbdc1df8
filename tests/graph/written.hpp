#pragma once
// A graph written to memory and opened again.

#include <memory>
#include <vector>

#include <mere/node.hpp>
#include "format/image.hpp"
#include "format/writer.hpp"
#include "graph/encode.hpp"
#include "os/sink.hpp"

namespace mere::test {

struct Written {
  std::vector<std::byte> bytes;
  format::WriteResult result;
  std::unique_ptr<format::Image> image;

  Node root() const { return Node(image.get(), image->footer().model_root); }
  Node at(std::string_view path) const { return root().at(path); }
};

inline Written open_bytes(std::vector<std::byte> bytes) {
  Written written;
  written.bytes = std::move(bytes);
  written.image = std::make_unique<format::Image>(written.bytes, "test.mere");
  return written;
}

inline Written write(const Graph& graph, codec::CodecId codec = codec::CodecId::none) {
  const graph::Encoded encoded = graph::encode(graph);
  format::WriteOptions options;
  options.codec.codec = codec;
  options.filter_table = codec::array_filters();
  os::MemorySink sink;
  const format::WriteResult result = format::write_file(encoded.columns, *encoded.source, options, sink);
  Written written = open_bytes(sink.take());
  written.result = result;
  return written;
}

}  // namespace mere::test
