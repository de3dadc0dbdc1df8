#pragma once
// Reads a pickle, or an uncompressed joblib file, into a graph.

#include "importers/registry.hpp"

namespace mere::importers::pickle {

bool matches(std::span<const std::byte> bytes);

// Throws Error: what Machine and build_graph throw; trailing_bytes (bytes after STOP); what options.admit throws.
Imported read(const Source& source, const ImportOptions& options);

}  // namespace mere::importers::pickle
