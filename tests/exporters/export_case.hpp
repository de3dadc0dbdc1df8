#pragma once
// Graphs written by the exporters, and what comes of them.

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include <mere/diff.hpp>
#include "exporters/registry.hpp"
#include "graph/written.hpp"
#include "importers/import_case.hpp"
#include "os/sink.hpp"

namespace mere::test {

// Of the model as a .mere would hold it: equal for equal graphs, whatever order they were built in.
inline ContentId content_id_of(const Graph& graph) {
  const Written written = write(graph);
  return {written.result.content_low, written.result.content_high};
}

// The same content id; what differs is told.
inline void check_same(const Graph& found, const Graph& expected) {
  const Written a = write(found), b = write(expected);
  if (a.result.content_low == b.result.content_low && a.result.content_high == b.result.content_high) return;
  const DiffResult result = diff(a.root(), b.root());
  std::string text = "the graphs differ in " + std::to_string(result.count) + " places";
  for (std::size_t i = 0; i < std::min<std::size_t>(result.differences.size(), 5); ++i) {
    const Difference& one = result.differences[i];
    text += "\n  " + one.path + ": " + std::string(to_text(one.change)) + ", " + one.first + " and " + one.second;
  }
  FAIL_CHECK(text);
}

inline std::string export_bytes(ExportFormat format, const Graph& graph, const exporters::WriteOptions& options = {}) {
  os::MemorySink sink;
  exporters::export_graph(format, graph, graph.model_root, sink, options);
  const std::vector<std::byte> bytes = sink.take();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The message of Error(not_supported); "" if it is written, or refused for another reason.
inline std::string refused_export(ExportFormat format, const Graph& graph,
                                  const exporters::WriteOptions& options = {}) {
  try {
    export_bytes(format, graph, options);
    return "";
  } catch (const Error& error) {
    return error.reason() == Reason::not_supported ? std::string(error.message()) : "";
  }
}

}  // namespace mere::test
