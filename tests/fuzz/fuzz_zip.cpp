// Any bytes as a zip archive, and as an .npz: Error, or entries that all lie inside it.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "container/zip.hpp"
#include "graph/encode.hpp"
#include "importers/npy/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  const auto bytes = std::as_bytes(std::span(data, size));
  auto kept = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  try {
    container::ExpandedFile expanded;
    container::StreamOptions stream;
    stream.most_bytes = std::uint64_t{1} << 20;
    stream.decoder_bytes = std::uint64_t{4} << 20;
    for (const container::ZipEntry& entry : container::read_zip_directory(*kept)) {
      if (entry.offset > kept->size() || entry.stored_bytes > kept->size() - entry.offset) std::abort();
      container::expand_zip_entry(*kept, entry, expanded, stream);
      if (expanded.size() > stream.most_bytes) break;
    }
  } catch (const Error&) {
  }
  if (!importers::npy::matches_npz(*kept)) return 0;
  importers::ImportOptions options;
  options.limits.expanded_bytes = std::uint64_t{1} << 20;
  try {
    const importers::Imported imported = importers::npy::read_npz({*kept, kept, "", {}}, options);
    graph::encode(imported.graph);
  } catch (const Error&) {
  }
  return 0;
}
