// Any bytes as a pickle or a raw joblib file: Error, or a graph that can be written.

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/encode.hpp"
#include "importers/pickle/pickle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  const auto bytes = std::as_bytes(std::span(data, size));
  // Copied, so that a sanitizer sees the first byte read outside.
  auto kept = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  try {
    const importers::Imported imported = importers::pickle::read({*kept, kept, "", {}}, {});
    graph::encode(imported.graph);
  } catch (const Error&) {
  }
  return 0;
}
