#include "importers/skops/skops.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "container/expanded_file.hpp"
#include "container/json.hpp"
#include "container/zip.hpp"
#include "importers/skops/graph_builder.hpp"
#include "importers/skops/member_files.hpp"
#include "importers/skops/schema.hpp"

namespace mere::importers::skops {

namespace {

constexpr std::string_view kSchemaName = "schema.json";

auto find_schema(const std::vector<container::ZipEntry>& entries) {
  return std::find_if(entries.begin(), entries.end(),
                      [](const container::ZipEntry& entry) { return entry.name == kSchemaName; });
}

}  // namespace

bool matches(std::span<const std::byte> bytes) {
  if (!container::is_zip(bytes)) return false;
  try {
    const std::vector<container::ZipEntry> entries = container::read_zip_directory(bytes);
    return find_schema(entries) != entries.end();
  } catch (const Error&) {
    // No archive that can be read at all: the reader of archives says why.
    return false;
  }
}

Imported read(const Source& source, const ImportOptions& options) {
  std::vector<container::ZipEntry> entries = container::read_zip_directory(source.bytes);
  const auto schema_entry = find_schema(entries);
  if (schema_entry->raw_bytes > container::JsonLimits{}.most_bytes) {
    throw Error(Reason::too_large, "schema.json: " + std::to_string(schema_entry->raw_bytes) + " bytes, at most " +
                                       std::to_string(container::JsonLimits{}.most_bytes));
  }
  container::ExpandedFile expanded;
  container::StreamOptions stream;
  stream.most_bytes = options.limits.expanded_bytes;
  const container::ZipContent content = container::expand_zip_entry(source.bytes, *schema_entry, expanded, stream);
  const container::HeldBytes held = expanded.map();
  const auto text = (content.expanded ? held.bytes : source.bytes).subspan(content.offset, schema_entry->raw_bytes);
  const Schema schema(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()));

  Imported result;
  result.names.assign(schema.names().begin(), schema.names().end());
  if (options.admit) options.admit(result.names);

  if (schema_entry->codec) result.codec = to_text(*schema_entry->codec);
  entries.erase(schema_entry);
  const std::unordered_set<std::string_view> mentioned = schema.mentioned_files();
  for (const container::ZipEntry& entry : entries) {
    if (mentioned.count(entry.name) == 0) {
      throw Error(Reason::bad_record, "member '" + entry.name + "' is not named by schema.json");
    }
  }
  std::vector<std::string_view> archives;
  for (const SchemaNode& node : schema.nodes()) {
    if (node.loader == Loader::sparse_matrix) archives.push_back(node.file);
  }
  const MemberFiles files(source, entries, archives, options);
  result.graph = build_graph(schema, files);
  result.format = "skops";
  result.protocol = schema.protocol();
  result.versions.emplace_back("skops", schema.skops_version());
  return result;
}

}  // namespace mere::importers::skops
