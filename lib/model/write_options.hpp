#pragma once
// The public options of a dump, as lib/format takes them.

#include <cstddef>
#include <functional>
#include <span>

#include <mere/dump.hpp>

#include "format/writer.hpp"
#include "os/sink.hpp"

namespace mere::model {

// One codec of the options. Throws Error: unknown_codec (not in this build).
codec::EncodeChoice encode_choice(Codec codec, int level);

// Everything but codec_for. Throws Error: unknown_codec.
format::WriteOptions write_options(const DumpOptions& options);

// What convert() adds to a dump; each may be empty.
struct DumpHooks {
  // Called with the columns once the arrays are written: see format::WriteOptions::before_manifest.
  std::function<void(format::Columns&)> settle;
  // Told of arrays' memory that will not be read again: see format::WriteOptions::release.
  std::function<void(std::span<const std::byte> bytes)> release;
};

// All of a dump between the graph and the sink; whoever has the sink commits it.
DumpResult dump_to(const Graph& graph, os::Sink& sink, const DumpOptions& options, const DumpHooks& hooks = {});

}  // namespace mere::model
