#include "importers/npy/npy.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "container/expanded_file.hpp"
#include "container/npy.hpp"
#include "container/zip.hpp"

namespace mere::importers::npy {

namespace {

constexpr std::string_view kExtension = ".npy";

NodeId add_array(Graph& graph, std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  const container::NpyHeader header = container::read_npy_header(bytes);
  const auto data = bytes.subspan(header.data_offset, header.data_bytes);
  return graph.array(header.dtype, header.shape, header.fortran ? Graph::Order::fortran : Graph::Order::c,
                     {data.data(), owner});
}

}  // namespace

bool matches_npy(std::span<const std::byte> bytes) {
  return container::is_npy(bytes);
}

Imported read_npy(const Source& source, const ImportOptions& options) {
  if (options.admit) options.admit({});
  Imported result;
  result.format = "npy";
  result.graph.model_root = add_array(result.graph, source.bytes, source.owner);
  return result;
}

bool matches_npz(std::span<const std::byte> bytes) {
  return container::is_zip(bytes);
}

Imported read_npz(const Source& source, const ImportOptions& options) {
  if (options.admit) options.admit({});
  const std::vector<container::ZipEntry> entries = container::read_zip_directory(source.bytes);
  for (const container::ZipEntry& entry : entries) {
    if (!std::string_view(entry.name).ends_with(kExtension)) {
      throw Error(Reason::unknown_format,
                  "a zip archive with member '" + entry.name + "': no .npz, whose members all end in .npy");
    }
  }
  container::ExpandedFile expanded;
  std::vector<container::ZipContent> contents;
  container::StreamOptions stream_options;
  stream_options.most_bytes = options.limits.expanded_bytes;
  for (const container::ZipEntry& entry : entries) {
    contents.push_back(container::expand_zip_entry(source.bytes, entry, expanded, stream_options));
    stream_options.most_bytes =
        options.limits.expanded_bytes - std::min(options.limits.expanded_bytes, expanded.size());
    const std::uint64_t done = entry.offset + entry.stored_bytes;
    if (options.progress) options.progress({done, source.bytes.size()});
  }
  const container::HeldBytes held = expanded.map();
  Imported result;
  result.format = "npz";
  for (const container::ZipEntry& entry : entries) {
    if (entry.codec) result.codec = container::to_text(*entry.codec);
  }
  std::vector<std::pair<NodeId, NodeId>> arrays;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto bytes = contents[i].expanded ? held.bytes.subspan(contents[i].offset, entries[i].raw_bytes)
                                            : source.bytes.subspan(contents[i].offset, entries[i].raw_bytes);
    const auto& owner = contents[i].expanded ? held.owner : source.owner;
    std::string_view name = entries[i].name;
    name.remove_suffix(kExtension.size());
    try {
      const NodeId key = result.graph.text(name);
      arrays.emplace_back(key, add_array(result.graph, bytes, owner));
    } catch (const Error& error) {
      throw error.with_context("member '" + entries[i].name + "'");
    }
  }
  result.graph.model_root = result.graph.dict(arrays);
  return result;
}

}  // namespace mere::importers::npy
