#include "importers/npy/npy.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "container/expanded_file.hpp"
#include "container/npy.hpp"
#include "container/zip.hpp"
#include "importers/npy/object_arrays.hpp"

namespace mere::importers::npy {

namespace {

constexpr std::string_view kExtension = ".npy";

std::string name_of(const container::ZipEntry& entry) {
  return entry.name.substr(0, entry.name.size() - kExtension.size());
}

NodeId add_array(Graph& graph, const FileArray& array) {
  return graph.array(array.header.dtype, array.header.shape,
                     array.header.fortran ? Graph::Order::fortran : Graph::Order::c,
                     {array.file.data() + array.header.data_offset, array.owner});
}

FileArray array_of(std::string name, std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  return {std::move(name), container::read_npy_header(bytes, true), bytes, owner};
}

}  // namespace

bool matches_npy(std::span<const std::byte> bytes) {
  return container::is_npy(bytes);
}

Imported read_npy(const Source& source, const ImportOptions& options) {
  const FileArray array = array_of("", source.bytes, source.owner);
  Imported result;
  if (array.header.dtype.has_objects()) {
    result = read_object_array(source, array, options);
  } else {
    if (options.admit) options.admit({});
    result.graph.model_root = add_array(result.graph, array);
  }
  result.format = "npy";
  return result;
}

bool matches_npz(std::span<const std::byte> bytes) {
  return container::is_zip(bytes);
}

Imported read_npz(const Source& source, const ImportOptions& options) {
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
  std::string codec = "none";
  for (const container::ZipEntry& entry : entries) {
    contents.push_back(container::expand_zip_entry(source.bytes, entry, expanded, stream_options));
    stream_options.most_bytes =
        options.limits.expanded_bytes - std::min(options.limits.expanded_bytes, expanded.size());
    if (entry.codec) codec = container::to_text(*entry.codec);
    const std::uint64_t done = entry.offset + entry.stored_bytes;
    if (options.progress) options.progress({done, source.bytes.size()});
  }
  const container::HeldBytes held = expanded.map();
  std::vector<FileArray> arrays;
  bool objects = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto bytes = contents[i].expanded ? held.bytes.subspan(contents[i].offset, entries[i].raw_bytes)
                                            : source.bytes.subspan(contents[i].offset, entries[i].raw_bytes);
    const auto& owner = contents[i].expanded ? held.owner : source.owner;
    try {
      if (!container::is_npy(bytes)) throw Error(Reason::bad_record, "not an .npy file");
      arrays.push_back(array_of(name_of(entries[i]), bytes, owner));
    } catch (const Error& error) {
      throw error.with_context("member '" + entries[i].name + "'");
    }
    objects = objects || arrays.back().header.dtype.has_objects();
  }
  Imported result;
  if (objects) {
    Source with_held = source;
    with_held.owner =
        std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(source.owner, held.owner);
    result = read_object_arrays(with_held, arrays, options);
  } else {
    if (options.admit) options.admit({});
    std::vector<std::pair<NodeId, NodeId>> members;
    for (const FileArray& array : arrays) {
      const NodeId key = result.graph.text(array.name);
      members.emplace_back(key, add_array(result.graph, array));
    }
    result.graph.model_root = result.graph.dict(members);
  }
  result.format = "npz";
  result.codec = codec;
  return result;
}

}  // namespace mere::importers::npy
