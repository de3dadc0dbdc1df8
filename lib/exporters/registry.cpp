#include "exporters/registry.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "container/pickle_opcodes.hpp"
#include "container/stream_decoder.hpp"
#include "exporters/joblib/joblib.hpp"
#include "exporters/npy/npy.hpp"
#include "exporters/pickle/pickle.hpp"
#include "exporters/pickle/stream.hpp"
#include "exporters/safetensors/safetensors.hpp"
#include "exporters/skops/skops.hpp"

namespace mere::exporters {

namespace {

constexpr Compression kJoblibCompressions[] = {Compression::zlib, Compression::gzip, Compression::lz4, Compression::xz,
                                               Compression::bz2};
constexpr Compression kDeflate[] = {Compression::zlib};

constexpr Exporter kExporters[] = {
    {ExportFormat::joblib, "joblib", ".joblib", {}, joblib::write, kJoblibCompressions, true},
    {ExportFormat::pickle, "pickle", ".pkl", ".pickle", pickle::write, {}, true},
    {ExportFormat::skops, "skops", ".skops", {}, skops::write, kDeflate, false},
    {ExportFormat::safetensors, "safetensors", ".safetensors", {}, safetensors::write, {}, false},
    {ExportFormat::npz, "npz", ".npz", {}, npy::write_npz, kDeflate, false},
    {ExportFormat::npy, "npy", ".npy", {}, npy::write_npy, {}, false},
};

}  // namespace

std::span<const Exporter> exporters() {
  return kExporters;
}

Written export_graph(ExportFormat format, const Graph& graph, NodeId root, os::Sink& sink,
                     const WriteOptions& options) {
  const auto exporter = std::find_if(std::begin(kExporters), std::end(kExporters),
                                     [&](const Exporter& row) { return row.format == format; });
  if (exporter == std::end(kExporters)) {
    throw Error(Reason::not_supported, "this version does not write " + std::string(to_text(format)));
  }
  const std::string name(exporter->name);
  const auto fits = [&](Compression compression) {
    return std::find(exporter->compressions.begin(), exporter->compressions.end(), compression) !=
           exporter->compressions.end();
  };
  if (options.compression != Compression::none && !fits(options.compression)) {
    throw Error(Reason::bad_argument,
                name + " files are not compressed by " + std::string(to_text(options.compression)));
  }
  if (options.compression == Compression::none && options.level != 0) {
    throw Error(Reason::bad_argument, "a level goes with a compression");
  }
  if (options.protocol != 0) {
    if (!exporter->has_protocols) throw Error(Reason::bad_argument, name + " files have no pickle protocol");
    if (options.protocol < pickle::kLeastProtocol || options.protocol > container::kHighestPickleProtocol) {
      throw Error(Reason::bad_argument,
                  "pickle protocol " + std::to_string(options.protocol) + ", expected one from 2 to 5");
    }
  }
  return exporter->write(graph, root, sink, options);
}

}  // namespace mere::exporters
