// Graphs and open models as files of other libraries, by way of the exporters.

#include <mere/export.hpp>

#include <array>
#include <cstring>
#include <map>
#include <ostream>

#include <mere/convert.hpp>

#include "container/foreign_name.hpp"
#include "exporters/reached.hpp"
#include "exporters/registry.hpp"
#include "format/image.hpp"
#include "graph/store.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "os/descriptor.hpp"
#include "os/sink.hpp"
#include "trust/policy.hpp"

namespace mere {

namespace {

using model::guarded;
using model::guarded_read;

constexpr std::size_t kMostNamesTold = 16;

class CountingSink final : public os::Sink {
 public:
  explicit CountingSink(os::Sink& sink) : sink_(sink) {}
  void write(std::span<const std::byte> bytes) override {
    sink_.write(bytes);
    bytes_ += bytes.size();
  }
  void write_pieces(std::span<const std::span<const std::byte>> pieces) override {
    sink_.write_pieces(pieces);
    for (const auto& piece : pieces) bytes_ += piece.size();
  }
  void expect(std::uint64_t bytes) override { sink_.expect(bytes); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  os::Sink& sink_;
  std::uint64_t bytes_ = 0;
};

// The name of an opaque part, by its info: module and qualified name, as far as they are known.
container::ForeignName name_of_part(const Graph::Store& store, const Graph::Store::Node& part) {
  container::ForeignName name{.module = {}, .qualname = {}, .offset = 0, .uses = 1};
  const auto entries = store.links_of(store.at(store.links_of(part)[0]));
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    const Graph::Store::Node& key = store.at(entries[i]);
    const Graph::Store::Node& value = store.at(entries[i + 1]);
    if (key.kind != Kind::text || value.kind != Kind::text) continue;
    const std::string_view word = store.text_of(key);
    if (word == "module") name.module = store.text_of(value);
    if (word == "qualname" || (word == "name" && name.qualname.empty())) name.qualname = store.text_of(value);
  }
  if (name.qualname.empty()) name.qualname = "an opaque part without a name";
  return name;
}

// Python looks names up when it loads a pickle, and calls them: nobody who exports a file of unknown origin should be
// handing on a program. The forms that stand for constants and bound methods name nothing of themselves.
void require_trust(const Graph& graph, NodeId root, const std::vector<std::string>& trusted) {
  const Graph::Store& store = graph.store();
  const exporters::Reached reached = exporters::find_reached(store, root);
  const trust::Policy policy(trusted);
  const bool code_trusted = policy.is_trusted("", "cloudpickle");
  std::map<std::string, NodeId> refused;  // by full name: the first node that has it
  for (NodeId id = 0; id < store.nodes.size(); ++id) {
    if (reached.references[id] == 0) continue;
    const Graph::Store::Node& node = store.nodes[id];
    if (node.kind == Kind::opaque && !code_trusted) {
      const container::ForeignName name = name_of_part(store, node);
      if (!policy.is_trusted(name.module, name.qualname)) refused.try_emplace(name.full_name(), id);
    }
    if (node.kind != Kind::name) continue;
    const auto [module, qualname] = graph.name_value(id);
    const bool form = (module == "builtins" && qualname == "method") ||
                      (module == "types" &&
                       (qualname == "NoneType" || qualname == "EllipsisType" || qualname == "NotImplementedType"));
    if (form || policy.is_trusted(module, qualname)) continue;
    refused.try_emplace(container::ForeignName{std::string(module), std::string(qualname), 0, 1}.full_name(), id);
  }
  if (refused.empty()) return;
  std::string message;
  std::size_t told = 0;
  for (const auto& [name, id] : refused) {
    if (++told > kMostNamesTold) break;
    message += (told == 1 ? "forbidden_global " : ", ") + name + " at " + exporters::path_of(store, root, id);
  }
  if (refused.size() > kMostNamesTold) message += " and " + std::to_string(refused.size() - kMostNamesTold) + " more";
  throw Error(Reason::forbidden_global, message);
}

ExportFormat format_for(const ExportOptions& options, const std::filesystem::path& out) {
  const auto format = options.format ? options.format : find_export_format_of(out);
  if (!format) {
    throw Error(Reason::bad_argument, out.native() +
                                          ": its extension names no format; known are .joblib, .pkl, .skops, "
                                          ".safetensors, .npz and .npy");
  }
  return *format;
}

ExportResult write_to(const Graph& graph, NodeId root, os::Sink& sink, ExportFormat format,
                      const ExportOptions& options) {
  if (root == kNoNode) throw Error(Reason::bad_argument, "a graph without a model");
  if (format == ExportFormat::joblib || format == ExportFormat::pickle || format == ExportFormat::skops) {
    require_trust(graph, root, options.trusted);
  }
  CountingSink counted(sink);
  const exporters::Written written = exporters::export_graph(format, graph, root, counted,
                                                             {.compression = options.compression,
                                                              .level = options.level,
                                                              .protocol = options.protocol,
                                                              .numpy2_names = options.numpy2_names,
                                                              .progress = options.progress});
  return {format, counted.bytes(), written.arrays, written.array_bytes};
}

ExportResult write_to(const Model& model, os::Sink& sink, ExportFormat format, const ExportOptions& options) {
  return guarded_read(*Model::State::of(model).image, [&] {
    const Graph graph = to_graph(model);
    const NodeId root = options.path.empty() ? graph.model_root : model.at(options.path).id();
    const ExportResult result = write_to(graph, root, sink, format, options);
    Model::State::of(model).image->check_faults();
    return result;
  });
}

ExportResult write_to(const Graph& graph, os::Sink& sink, ExportFormat format, const ExportOptions& options) {
  if (options.path.empty()) return write_to(graph, graph.model_root, sink, format, options);
  // Paths are of models: of one that is written for this alone.
  const os::Descriptor file = os::anonymous_file("mere-export");
  dump_descriptor(graph, file.get(), {.durability = Durability::none});
  OpenOptions open;
  open.limits = options.limits;
  return write_to(Model::from_descriptor(file.get(), 0, {}, open), sink, format, options);
}

template <class Source>
ExportResult write_file(const Source& source, const std::filesystem::path& out, const ExportOptions& options) {
  return guarded([&] {
    const ExportFormat format = format_for(options, out);
    os::AtomicFile file(out);
    const ExportResult result = write_to(source, file, format, options);
    file.commit(options.durability == Durability::full);
    return result;
  });
}

template <class Source>
ExportResult write_stream(const Source& source, std::ostream& out, const ExportOptions& options) {
  return guarded([&] {
    os::StreamSink sink(out);
    const ExportResult result = write_to(source, sink, format_for(options, "standard output"), options);
    out.flush();
    if (!out) throw Error(Reason::system_call, "stream: it could not be flushed");
    return result;
  });
}

bool is_mere_file(const os::Descriptor& file, const std::string& name) {
  std::array<std::uint8_t, format::kMagic.size()> magic{};
  return os::read_at(file.get(), magic.data(), magic.size(), 0, name) == magic.size() &&
         std::memcmp(magic.data(), format::kMagic.data(), magic.size()) == 0;
}

// `write` takes a Model or a Graph, of what the file holds.
template <class Write>
ExportResult with_source(const std::filesystem::path& in, const ExportOptions& options, const Write& write) {
  const std::string name = in.native();
  const os::Descriptor file = os::open_regular(in);
  const os::FileStamp before = os::stamp_of(file.get(), name);
  try {
    if (is_mere_file(file, name)) {
      OpenOptions open;
      open.expand = Expand::lazy;
      open.verify = Verify::all;
      open.limits = options.limits;
      return write(Model(in, open));
    }
    ConvertOptions convert;
    convert.trusted = options.trusted;
    convert.limits = options.limits;
    const ExportResult result = write(import_file(in, convert));
    const os::FileStamp now = os::stamp_of(file.get(), name);
    if (now.size != before.size || now.mtime_ns != before.mtime_ns) {
      throw Error(Reason::file_changed, name + ": the file changed while it was read");
    }
    return result;
  } catch (const Error& error) {
    const bool named = error.message().substr(0, name.size()) == name;
    const bool about_node = error.reason() == Reason::not_supported || error.reason() == Reason::no_path;
    throw about_node && !named ? error.with_context(name) : error;
  }
}

}  // namespace

ExportResult export_model(const Graph& graph, const std::filesystem::path& out, const ExportOptions& options) {
  return write_file(graph, out, options);
}

ExportResult export_model(const Model& model, const std::filesystem::path& out, const ExportOptions& options) {
  return write_file(model, out, options);
}

ExportResult export_model(const Graph& graph, std::ostream& out, const ExportOptions& options) {
  return write_stream(graph, out, options);
}

ExportResult export_model(const Model& model, std::ostream& out, const ExportOptions& options) {
  return write_stream(model, out, options);
}

ExportResult export_to_descriptor(const Model& model, int fd, const ExportOptions& options) {
  return guarded([&] {
    os::DescriptorSink sink(fd, "descriptor " + std::to_string(fd));
    return write_to(model, sink, format_for(options, "descriptor " + std::to_string(fd)), options);
  });
}

ExportResult export_file(const std::filesystem::path& in, const std::filesystem::path& out,
                         const ExportOptions& options) {
  return guarded([&] {
    const ExportFormat format = format_for(options, out);  // before anything is read
    ExportOptions known = options;
    known.format = format;
    return with_source(in, options, [&](const auto& source) { return write_file(source, out, known); });
  });
}

ExportResult export_file_to_descriptor(const std::filesystem::path& in, int fd, const ExportOptions& options) {
  return guarded([&] {
    const std::string name = "descriptor " + std::to_string(fd);
    const ExportFormat format = format_for(options, name);
    os::DescriptorSink sink(fd, name);
    return with_source(in, options, [&](const auto& source) { return write_to(source, sink, format, options); });
  });
}

}  // namespace mere
