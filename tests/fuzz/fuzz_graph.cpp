// Any bytes as a .mere file whose sums are right: every node is read, the whole verified, copied, written and read
// again. What loads has one form: written twice it gives the same bytes. Input: a file; its header's and footer's sums
// are mended.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <mere/diff.hpp>
#include "codec/checksum.hpp"
#include "format/verify.hpp"
#include "format/writer.hpp"
#include "graph/encode.hpp"
#include "graph/to_graph.hpp"
#include "graph/verify_graph.hpp"
#include "os/sink.hpp"

namespace {

using namespace mere;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kNodes = 300;  // read with their paths
constexpr std::uint64_t kArrayBytes = 1 << 20;

void mend_sums(Bytes& file) {
  if (file.size() < format::kHeaderBytes + format::kFooterBytes) return;
  const auto put = [&](std::size_t begin, std::size_t bytes) {
    const std::uint64_t sum = codec::xxh3_64(std::span(file).subspan(begin, bytes));
    std::memcpy(file.data() + begin + bytes, &sum, sizeof sum);
  };
  put(0, offsetof(format::Header, sum));
  put(file.size() - format::kFooterBytes, offsetof(format::Footer, sum));
}

// Runs one question; any Error is an answer.
template <class Ask>
bool answers(Ask ask) {
  try {
    ask();
    return true;
  } catch (const Error&) {
    return false;
  }
}

void read_node(const Node& node) {
  switch (node.kind()) {
    case Kind::boolean: node.boolean(); break;
    case Kind::integer:
      node.integer_text();
      node.real();
      break;
    case Kind::real: node.real(); break;
    case Kind::complex: node.complex(); break;
    case Kind::text: node.text(); break;
    case Kind::bytes:
    case Kind::bytearray: node.bytes(); break;
    case Kind::name: node.qualname(); break;
    case Kind::dtype: node.dtype().to_text(); break;
    case Kind::scalar: node.scalar_bytes(); break;
    case Kind::dict:
      if (node.size() != 0) node.value(0);
      node.find("x");
      break;
    case Kind::array: {
      if (node.size() != 0) node.object_array_shape();
      const ArrayView array = node.array();
      array.dtype().has_holes();
      if (array.nbytes() <= kArrayBytes) {
        Bytes out(static_cast<std::size_t>(array.nbytes()));
        array.copy_to(out);
        // Strided values of the map, first and last.
        if (array.is_mapped() && array.dtype().type_class() == TypeClass::real && array.dtype().itemsize() == 8) {
          const Values<double> values = array.values<double>();
          if (!values.empty()) (void)(values[0] + values[values.size() - 1]);
        }
      }
      break;
    }
    case Kind::object:
      node.find("x");
      node.type_name();
      node.form();
      answers([&] { node.sparse(); });
      break;
    case Kind::opaque:
      node.info();
      node.bytes();
      break;
    default: break;
  }
}

void walk(const Node& start) {
  Walk walk(start);
  for (std::size_t i = 0; walk.next(); ++i) {
    const Node node = walk.node();
    answers([&] { read_node(node); });
    if (i >= kNodes || walk.depth() > 100) continue;
    std::string path;
    if (answers([&] { path = walk.path(); }) && !(start.at(path) == node)) std::abort();
    const Node root(node.image(), node.image()->footer().model_root);
    if (i < 20 && answers([&] { path = node.path(); }) && !(root.at(path) == node)) std::abort();
  }
}

Bytes write(const Graph& graph) {
  const graph::Encoded encoded = graph::encode(graph);
  os::MemorySink sink;
  format::WriteOptions options;
  options.filter_table = codec::array_filters();
  format::write_file(encoded.columns, *encoded.source, options, sink);
  return sink.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes file(size);
  if (size != 0) std::memcpy(file.data(), data, size);
  mend_sums(file);
  std::optional<format::Image> image;
  if (!answers([&] { image.emplace(file, "fuzz.mere"); })) return 0;
  const Node root(&*image, image->footer().model_root);
  answers([&] { walk(root); });
  const bool sound = answers([&] { graph::verify_graph(*image); });
  answers([&] {
    // A key index that lies hides keys.
    if (diff(root, root).count != 0 && sound) std::abort();
  });
  Bytes written;
  if (!answers([&] { written = write(graph::to_graph(*image, nullptr, 64 << 20)); })) return 0;
  const format::Image second(written, "written.mere");
  format::verify(second, {});
  graph::verify_graph(second);
  if (write(graph::to_graph(second, nullptr)) != written) std::abort();
  return 0;
}
