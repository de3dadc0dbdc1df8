#pragma once
// Reads a pickle, or an uncompressed joblib file, into a graph.

#include <functional>

#include "importers/pickle/machine.hpp"
#include "importers/registry.hpp"

namespace mere::importers::pickle {

bool matches(std::span<const std::byte> bytes);

// Throws Error: what Machine and GraphBuilder throw; trailing_bytes (bytes after STOP); what options.admit throws.
Imported read(const Source& source, const ImportOptions& options);

// The same of a stream that our own process writes, with what it refers to besides itself. Never for files.
Imported read_within(const Source& source, const ImportOptions& options, const Surroundings& surroundings);

// The same of values that `run` makes, by any number of machines, and of the root that it tells; bytes lie in the
// source, and are held by its owner.
Imported read_values(const Source& source, const ImportOptions& options, const std::function<Outcome(Values&)>& run);

}  // namespace mere::importers::pickle
