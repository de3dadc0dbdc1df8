#include "exporters/safetensors/safetensors.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "container/safetensors.hpp"
#include "exporters/array_bytes.hpp"
#include "exporters/named_arrays.hpp"
#include "exporters/reached.hpp"
#include "format/text_form.hpp"

namespace mere::exporters::safetensors {

namespace {

bool is_utf8(const Graph::Store& store, const Graph::Store::Node& node) {
  return node.kind == Kind::text && format::text_form(store.text_of(node)) == format::TextForm::utf8;
}

std::vector<std::pair<std::string, std::string>> texts_of_metadata(const Graph& graph) {
  std::vector<std::pair<std::string, std::string>> texts;
  if (graph.metadata_root == kNoNode) return texts;
  const Graph::Store& store = graph.store();
  const Graph::Store::Node& metadata = store.at(graph.metadata_root);
  if (metadata.kind != Kind::dict) return texts;
  const auto links = store.links_of(metadata);
  for (std::size_t i = 0; i < links.size(); i += 2) {
    const Graph::Store::Node& key = store.at(links[i]);
    const Graph::Store::Node& value = store.at(links[i + 1]);
    if (is_utf8(store, key) && is_utf8(store, value)) texts.emplace_back(store.text_of(key), store.text_of(value));
  }
  return texts;
}

}  // namespace

Written write(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options) {
  const Graph::Store& store = graph.store();
  NamedArrays named = named_arrays(store, root, "a safetensors file");
  const auto rank_of = [&](NodeId node) { return container::safetensors_rank(ArrayBytes(store, node).type()); };
  std::sort(named.arrays.begin(), named.arrays.end(), [&](const auto& a, const auto& b) {
    const int first = rank_of(a.second), second = rank_of(b.second);
    return first != second ? first > second : a.first < b.first;
  });
  std::vector<container::SafetensorsTensor> tensors;
  for (const auto& [name, node] : named.arrays) {
    const ArrayBytes array(store, node, false);
    if (container::safetensors_word(array.type()).empty()) {
      throw_unsupported(store, root, node, "safetensors has no element type " + array.type().to_text());
    }
    container::SafetensorsTensor tensor;
    tensor.name = name;
    tensor.dtype = array.type();
    tensor.shape.assign(array.shape().begin(), array.shape().end());
    tensors.push_back(std::move(tensor));
  }
  const std::string header = container::safetensors_header(tensors, texts_of_metadata(graph));
  sink.expect(header.size() + named.bytes);
  sink.write(std::as_bytes(std::span(header)));
  std::uint64_t done = 0;
  for (const auto& [name, node] : named.arrays) {
    ArrayBytes(store, node, false).read([&](std::span<const std::byte> piece) {
      sink.write(piece);
      done += piece.size();
      if (options.progress) options.progress({done, named.bytes});
    });
  }
  return {named.arrays.size(), named.bytes};
}

}  // namespace mere::exporters::safetensors
