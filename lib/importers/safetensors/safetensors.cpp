#include "importers/safetensors/safetensors.hpp"

#include <utility>

#include "container/safetensors.hpp"

namespace mere::importers::safetensors {

bool matches(std::span<const std::byte> bytes) {
  return container::is_safetensors(bytes);
}

Imported read(const Source& source, const ImportOptions& options) {
  if (options.admit) options.admit({});
  const container::SafetensorsHeader header = container::read_safetensors_header(source.bytes);
  Imported result;
  result.format = "safetensors";
  Graph& graph = result.graph;
  std::vector<std::pair<NodeId, NodeId>> entries;
  for (const container::SafetensorsTensor& tensor : header.tensors) {
    const NodeId key = graph.text(tensor.name);
    const ArraySource data{source.bytes.data() + tensor.offset, source.owner};
    entries.emplace_back(key, graph.array(tensor.dtype, tensor.shape, Graph::Order::c, data));
  }
  graph.model_root = graph.dict(entries);
  if (!header.metadata.empty()) {
    entries.clear();
    for (const auto& [key, value] : header.metadata) {
      const NodeId name = graph.text(key);
      entries.emplace_back(name, graph.text(value));
    }
    graph.metadata_root = graph.dict(entries);
  }
  return result;
}

}  // namespace mere::importers::safetensors
