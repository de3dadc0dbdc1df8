// Any bytes as a pickle or a raw joblib file: Error, or a graph that can be written. An opaque part is a pickle of its
// own, which gives the same part again.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include <mere/node.hpp>

#include "format/image.hpp"
#include "format/writer.hpp"
#include "graph/encode.hpp"
#include "importers/pickle/pickle.hpp"
#include "os/sink.hpp"

namespace {

using mere::importers::Imported;

// Longer inputs find nothing new, and are slow.
constexpr std::size_t kMostBytes = 8192;

Imported read(std::span<const std::byte> bytes) {
  // Copied, so that a sanitizer sees the first byte read outside.
  auto kept = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  return mere::importers::pickle::read({*kept, kept, "", {}, {}}, {});
}

std::vector<std::byte> written(const mere::Graph& graph) {
  const mere::graph::Encoded encoded = mere::graph::encode(graph);
  mere::os::MemorySink sink;
  mere::format::write_file(encoded.columns, *encoded.source, {}, sink);
  return sink.take();
}

// What an opaque part gives when it is read on its own.
std::vector<std::byte> reread(std::span<const std::byte> part) {
  try {
    return written(read(part).graph);
  } catch (const mere::Error&) {
    std::abort();
  }
}

void check_opaque_parts(const mere::Graph& graph) {
  const std::vector<std::byte> file = written(graph);
  const mere::format::Image image(file, "written");
  for (mere::Walk walk(mere::Node(&image, image.footer().model_root)); walk.next();) {
    const mere::Node node = walk.node();
    if (node.kind() != mere::Kind::opaque) continue;
    const std::vector<std::byte> again = reread(node.bytes());
    const mere::format::Image second(again, "again");
    const mere::Node root(&second, second.footer().model_root);
    if (root.kind() != mere::Kind::opaque || !std::ranges::equal(root.bytes(), node.bytes())) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  if (size > kMostBytes) return 0;
  try {
    const Imported imported = read(std::as_bytes(std::span(data, size)));
    const bool has_opaque = std::ranges::any_of(
        imported.names, [](const container::ForeignName& name) { return name.full_name() == "cloudpickle"; });
    if (has_opaque) {
      check_opaque_parts(imported.graph);
    } else {
      graph::encode(imported.graph);
    }
  } catch (const Error&) {
  }
  return 0;
}
