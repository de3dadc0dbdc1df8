#pragma once
// The image of a model's bytes, and what becomes of a compressed file: a copy that can be mapped, shared by way of the
// cache or in private memory.

#include <mere/model.hpp>

#include "cache/cache.hpp"
#include "os/mapping.hpp"

namespace mere::model {

os::MapOptions map_options(const OpenOptions& options);

// Makes `bytes`, which `state` or its caller holds, the image of `state`; `source` is the descriptor they are mapped
// from, if there is one. Throws Error: corrupt, system_call.
void read_image(Model::State& state, std::span<const std::byte> bytes, const cache::SourceRange& source = {});

// Replaces the image of `state`, which has encoded blocks, by one without, as state.options.expand says (shared or
// in_memory). `source` is the file its bytes are of; without a descriptor they are spooled for the cache.
// Throws Error: corrupt, too_large, no_cache, unsafe_directory, ...
void expand(Model::State& state, cache::SourceRange source);

}  // namespace mere::model
