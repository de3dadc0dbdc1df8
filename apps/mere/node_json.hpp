#pragma once
// A node and all below it as JSON. The mapping is written down in mere(1), "JSON".

#include <string>

#include <mere/node.hpp>

#include "json_writer.hpp"

namespace mere::command {

// Nesting beyond which a graph is not written as JSON.
inline constexpr std::size_t kMaxJsonDepth = 1000;

// Iterative; each shared container is written once, and {"@ref": path} after that, so that the work is bounded by the
// nodes and not by the paths. `path` is the one that led to `node`. Arrays inside are described, not written out.
// Throws Error: too_deep, bad_text, corrupt ...
void write_node(JsonWriter& json, const Node& node, const std::string& path);

// A leaf alone: null, numbers, texts, bytes, scalars, dtypes, names.
void write_leaf(JsonWriter& json, const Node& leaf);

// The elements of an array, nested by its shape; decompresses if need be. Throws Error: too_large (more than
// `memory_bytes` of elements).
void write_array_values(JsonWriter& json, const ArrayView& array, std::uint64_t memory_bytes);

}  // namespace mere::command
