#include "exporters/npy/npy.hpp"

#include <set>
#include <string>
#include <string_view>

#include "container/npy.hpp"
#include "container/zip_writer.hpp"
#include "exporters/array_bytes.hpp"
#include "exporters/named_arrays.hpp"
#include "exporters/reached.hpp"

namespace mere::exporters::npy {

namespace {

constexpr int kDeflateLevel = 6;  // numpy.savez_compressed has zlib's default

std::string header_of(const ArrayBytes& array, const Graph::Store& store, NodeId root, NodeId node) {
  if (array.type().type_class() >= TypeClass::bfloat16) {
    throw_unsupported(store, root, node, "NumPy has no element type " + array.type().to_text());
  }
  try {
    return container::npy_header(array.type(), array.shape(), array.fortran());
  } catch (const Error& error) {
    throw error.with_context(path_of(store, root, node));
  }
}

}  // namespace

Written write_npy(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options) {
  const Graph::Store& store = graph.store();
  const ArrayBytes array = one_array(store, root, root, "an .npy file");
  const std::string header = header_of(array, store, root, root);
  sink.expect(header.size() + array.size());
  sink.write(std::as_bytes(std::span(header)));
  std::uint64_t done = 0;
  array.read([&](std::span<const std::byte> piece) {
    sink.write(piece);
    done += piece.size();
    if (options.progress) options.progress({done, array.size()});
  });
  return {1, array.size()};
}

Written write_npz(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options) {
  const Graph::Store& store = graph.store();
  const NamedArrays named = named_arrays(store, root, "an .npz file");
  std::set<std::string> names;
  container::ZipWriter zip(sink, options.compression == Compression::none ? 0
                                 : options.level == 0                     ? kDeflateLevel
                                                                          : options.level);
  if (options.compression == Compression::none) sink.expect(named.bytes);
  std::uint64_t done = 0;
  for (const auto& [name, node] : named.arrays) {
    // What a reader of the archive would take for a path, or numpy for another name.
    const bool plain = !name.empty() && name.front() != '/' && name.find('\\') == std::string::npos &&
                       name.find('\0') == std::string::npos && ('/' + name + '/').find("/../") == std::string::npos &&
                       ('/' + name + '/').find("/./") == std::string::npos &&
                       ('/' + name + '/').find("//") == std::string::npos && name.find(':') != 1;
    if (!plain) throw_unsupported(store, root, node, "its name would be a path outside of an .npz file");
    const ArrayBytes array(store, node);
    const std::string header = header_of(array, store, root, node);
    const std::uint64_t before = done;
    zip.add(name + ".npy", [&](const auto& take) {
      take(std::as_bytes(std::span(header)));
      done = before;
      array.read([&](std::span<const std::byte> piece) {
        take(piece);
        done += piece.size();
        if (options.progress) options.progress({done, named.bytes});
      });
    });
  }
  zip.finish();
  return {named.arrays.size(), named.bytes};
}

}  // namespace mere::exporters::npy
