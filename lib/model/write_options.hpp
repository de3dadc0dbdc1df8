#pragma once
// The public options of a dump, as lib/format takes them.

#include <functional>

#include <mere/dump.hpp>

#include "format/writer.hpp"
#include "os/sink.hpp"

namespace mere::model {

// One codec of the options. Throws Error: unknown_codec (not in this build).
codec::EncodeChoice encode_choice(Codec codec, int level);

// Everything but codec_for. Throws Error: unknown_codec.
format::WriteOptions write_options(const DumpOptions& options);

// All of a dump between the graph and the sink; whoever has the sink commits it. `settle` may be empty: it is called
// with the columns once the arrays are written, see format::WriteOptions::before_manifest.
DumpResult dump_to(const Graph& graph, os::Sink& sink, const DumpOptions& options,
                   const std::function<void(format::Columns&)>& settle = {});

}  // namespace mere::model
