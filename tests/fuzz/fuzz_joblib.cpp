// A pickle inside a compressed stream, any bytes as the stream: Error, or a graph that can be written.

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/encode.hpp"
#include "importers/joblib/joblib.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  const auto bytes = std::as_bytes(std::span(data, size));
  auto kept = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  if (!importers::joblib::matches(*kept)) return 0;
  importers::ImportOptions options;
  // Time goes into the pickle, not into memory.
  options.limits.expanded_bytes = std::uint64_t{1} << 16;
  options.limits.decoder_bytes = std::uint64_t{1} << 20;
  try {
    const importers::Imported imported = importers::joblib::read({*kept, kept, "", {}}, options);
    graph::encode(imported.graph);
  } catch (const Error&) {
  }
  return 0;
}
