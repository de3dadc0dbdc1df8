// Any bytes as a safetensors file, and any text as its header: Error, or tensors whose header is written and read again
// as the same.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "container/safetensors.hpp"
#include "graph/encode.hpp"
#include "importers/safetensors/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  std::string input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with('{')) {
    // A header without its length: to the last bracket.
    const std::uint64_t length = input.rfind('}') + 1;
    std::string prefix(sizeof length, '\0');
    std::memcpy(prefix.data(), &length, sizeof length);
    input.insert(0, prefix);
  }
  auto kept = std::make_shared<const std::string>(std::move(input));
  const auto bytes = std::as_bytes(std::span(*kept));
  if (!importers::safetensors::matches(bytes)) return 0;
  try {
    const importers::Imported imported = importers::safetensors::read({bytes, kept, "", {}}, {});
    graph::encode(imported.graph);
    const container::SafetensorsHeader header = container::read_safetensors_header(bytes);
    std::string again = container::safetensors_header(header.tensors, header.metadata);
    again += kept->substr(header.data_offset);
    const auto second = container::read_safetensors_header(std::as_bytes(std::span(again)));
    if (second.tensors.size() != header.tensors.size() || second.metadata != header.metadata) std::abort();
    for (std::size_t i = 0; i < header.tensors.size(); ++i) {
      const auto &a = header.tensors[i], &b = second.tensors[i];
      if (a.name != b.name || !(a.dtype == b.dtype) || a.shape != b.shape || a.bytes != b.bytes) std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}
