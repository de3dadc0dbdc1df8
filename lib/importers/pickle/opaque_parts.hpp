#pragma once
// Functions, classes, cells and code objects by value, as cloudpickle writes them: carried as bytes, never built.
// docs/importers.md, "Functions and classes by value".

#include <mere/graph.hpp>

#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

// The opaque node of `value`, a call whose meaning is opaque: its bytes are a pickle of its own, taken from
// `bytes_left`. Throws Error: too_large, not_supported.
NodeId make_opaque(const Values& values, ValueId value, Graph& graph, std::uint64_t& bytes_left);

// The names that opaque values reach, by value.
std::vector<bool> names_inside(const Values& values, std::span<const ValueId> opaque);

}  // namespace mere::importers::pickle
