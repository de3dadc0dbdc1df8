#pragma once
// The writers of foreign files, one a format.

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include <mere/export.hpp>
#include <mere/graph.hpp>
#include "os/sink.hpp"

namespace mere::exporters {

struct WriteOptions {
  Compression compression = Compression::none;
  int level = 0;     // 0: the writer's own
  int protocol = 0;  // 0: the writer's own
  bool numpy2_names = false;
  std::function<void(const Progress&)> progress{};
};

struct Written {
  std::uint64_t arrays = 0, array_bytes = 0;
};

struct Exporter {
  ExportFormat format;
  std::string_view name;
  std::string_view extension, other_extension;  // with the point; the second may be empty
  // Writes what `root` of `graph` reaches. The graph outlives the call and is not changed.
  Written (*write)(const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);
  std::span<const Compression> compressions;  // beside none
  bool has_protocols;
};

// All exporters, in the order of ExportFormat.
std::span<const Exporter> exporters();

// Writes by the exporter of `format`. Throws Error: bad_argument (a compression or protocol that the format has not),
// not_supported (this build lacks the compression; a node that the format cannot hold, by its path), and what the sink
// throws.
Written export_graph(ExportFormat format, const Graph& graph, NodeId root, os::Sink& sink, const WriteOptions& options);

}  // namespace mere::exporters
