#pragma once
// Reads a skops archive, protocols 0 to 2, into a graph.

#include "importers/registry.hpp"

namespace mere::importers::skops {

// A zip archive with a member schema.json.
bool matches(std::span<const std::byte> bytes);

// Stored members are used where they lie, deflated ones are expanded. Throws Error: what the zip and npy containers,
// Schema and build_graph throw; bad_record (a member that the schema does not name); what options.admit throws.
Imported read(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::skops
