// Foreign files, and .mere files written anew, by way of the importers or format::rewrite.

#include <mere/convert.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "format/expand.hpp"
#include "importers/registry.hpp"
#include "model/filters.hpp"
#include "model/guarded.hpp"
#include "model/metadata.hpp"
#include "model/model_state.hpp"
#include "model/provenance.hpp"
#include "model/source_version.hpp"
#include "model/store_program.hpp"
#include "model/write_options.hpp"
#include "os/sink.hpp"
#include "trust/graph_facts.hpp"
#include "trust/policy.hpp"
#include "trust/validators.hpp"

namespace mere {

namespace {

using model::guarded;
using model::guarded_read;

// A file that is read once, and must be the same afterwards: its arrays are read as they are written.
struct SourceFile {
  std::string name;
  os::Descriptor file;
  os::FileStamp stamp;
  std::shared_ptr<const os::Mapping> map;

  explicit SourceFile(const std::filesystem::path& path) : name(path.native()), file(os::open_regular(path)) {
    stamp = os::stamp_of(file.get(), name);
    os::MapOptions options;
    options.sequential = true;
    map = std::make_shared<os::Mapping>(file.get(), 0, stamp.size, options, name);
  }

  bool is_mere() const {
    const std::span<const std::byte> bytes = map->bytes();
    return bytes.size() >= format::kMagic.size() &&
           std::memcmp(bytes.data(), format::kMagic.data(), format::kMagic.size()) == 0;
  }

  // Throws Error: fault.
  void check_faults() const {
    if (map->faulted())
      throw Error(Reason::fault, name + ": a page could not be read: the file was cut, or the disk is bad");
  }

  // Throws Error: file_changed, fault.
  void check_unchanged() const {
    check_faults();
    const os::FileStamp now = os::stamp_of(file.get(), name);
    // The time of a change of owner or links is no change of what was read.
    if (now.size != stamp.size || now.mtime_ns != stamp.mtime_ns) {
      throw Error(Reason::file_changed, name + ": the file changed while it was read: " + std::to_string(stamp.size) +
                                            " bytes before, " + std::to_string(now.size) + " after");
    }
  }
};

// Bytes of arrays lie in the source's map, or in one of the importer's; either leaves those of the other alone.
void release_read(const SourceFile& source, const importers::Imported& imported, std::span<const std::byte> bytes) {
  source.map->release(bytes);
  if (imported.release) imported.release(bytes);
}

importers::Imported import_from(const SourceFile& source, const ConvertOptions& options) {
  importers::Source from;
  from.bytes = source.map->bytes();
  from.owner = source.map;
  from.name = source.name;
  from.directory = importers::directory_of(source.name);
  from.release = [&map = *source.map](std::uint64_t begin, std::uint64_t end) { map.release(begin, end); };
  importers::ImportOptions importing;
  std::vector<std::string> trusted = options.trusted;
  for (const auto& [name, stands_for] : options.aliases) trusted.push_back(name);
  const trust::Policy policy(trusted);
  importing.admit = [&policy](std::span<const container::ForeignName> names) { policy.require(names); };
  importing.limits = options.limits;
  importing.progress = options.read_progress;
  importers::Imported imported = importers::import_source(from, importing);
  const auto release = [&](std::span<const std::byte> bytes) { release_read(source, imported, bytes); };
  trust::validate_states(imported.graph, source.name, release);
  return imported;
}

// Other blocks, the same columns: the content id stays.
DumpResult rewrite_mere(const SourceFile& source, os::Sink& sink, const ConvertOptions& options,
                        ConvertResult& result) {
  const std::shared_ptr<const os::Mapping> map = source.map;
  const format::Image image(map->bytes(), source.name, model::filters(), [map] { return map->faulted(); });
  format::WriteOptions write = model::write_options(options.dump);
  trust::validate_states(graph::ImageReader(image), source.name);
  result.has_program = image.footer().program_root != format::kNone;
  const format::WriteResult written = format::rewrite(image, write, sink, options.limits.expanded_bytes);
  return {{written.content_low, written.content_high}, written.file_bytes};
}

// Its program stays unless another is asked for.
DumpResult copy_mere(const SourceFile& source, os::Sink& sink, const ConvertOptions& options, ConvertResult& result) {
  OpenOptions open;
  open.expand = Expand::lazy;
  open.limits = options.limits;
  open.verify = Verify::all;
  open.threads = options.dump.threads;
  // Lowering looks at numbers.
  if (options.program == StoreProgram::with || options.program == StoreProgram::only) open.expand = Expand::in_memory;
  const Model model = Model::from_bytes(source.map->bytes(), source.map, open, source.name);
  Graph graph = to_graph(model);
  if (options.program != StoreProgram::automatic) {
    if (graph.model_root == graph.program_root) {
      throw Error(Reason::bad_argument, source.name + ": the file holds a program and no model to make another of");
    }
    graph.program_root = kNoNode;
    model::store_program(graph, options.program, model::source_version(model), {}, options.aliases,
                         options.dump.threads);
  }
  result.has_program = graph.program_root != kNoNode;
  model::add_given_metadata(graph, options);
  model::add_metadata(graph, options.dump.metadata);
  DumpOptions dump = options.dump;
  dump.metadata.clear();
  return model::dump_to(graph, sink, dump);
}

// The digest of the source runs beside all else, and is put into the columns of the metadata when the arrays are
// written.
ConvertResult convert_foreign(const SourceFile& source, os::Sink& sink, const ConvertOptions& options) {
  std::optional<model::SourceDigest> digest;
  if (options.source_digest) digest.emplace(source.file.get(), source.stamp.size, source.name);
  importers::Imported imported = import_from(source, options);
  ConvertResult result;
  result.source_format = imported.format;
  for (auto& version : trust::versions_of(imported.graph)) {
    const auto same = [&](const auto& known) { return known.first == version.first; };
    if (std::none_of(imported.versions.begin(), imported.versions.end(), same)) {
      imported.versions.push_back(std::move(version));
    }
  }
  const auto library = std::find_if(imported.versions.begin(), imported.versions.end(),
                                    [](const auto& version) { return version.first == "scikit-learn"; });
  const auto release = [&](std::span<const std::byte> bytes) { release_read(source, imported, bytes); };
  model::StoredProgram program = model::store_program(
      imported.graph, options.program, library == imported.versions.end() ? std::string() : library->second, release,
      options.aliases, options.dump.threads);
  result.has_program = program.stored;
  result.no_program = std::move(program.why_not);
  std::optional<model::LateText> stand_in;
  if (digest) stand_in.emplace(imported.graph, 64);
  model::add_source_metadata(imported.graph, imported,
                             {source.stamp.size, stand_in ? stand_in->stand_in() : std::string()});
  model::add_given_metadata(imported.graph, options);
  model::add_metadata(imported.graph, options.dump.metadata);
  DumpOptions dump = options.dump;
  dump.metadata.clear();
  model::DumpHooks hooks;
  if (stand_in) hooks.settle = [&](format::Columns& columns) { stand_in->settle(columns, digest->finish()); };
  hooks.release = release;
  result.dump = model::dump_to(imported.graph, sink, dump, hooks);
  if (imported.check_unchanged) imported.check_unchanged();
  return result;
}

ConvertResult convert_to(const SourceFile& source, os::Sink& sink, const ConvertOptions& options) {
  ConvertResult result;
  if (source.is_mere()) {
    result.source_format = "mere";
    // A codec asked of the caller for each array needs the graph; so does metadata.
    const bool same_columns = options.dump.metadata.empty() && !options.dump.codec_for &&
                              !model::has_given_metadata(options) && options.program == StoreProgram::automatic;
    result.dump = same_columns ? rewrite_mere(source, sink, options, result) : copy_mere(source, sink, options, result);
  } else {
    result = convert_foreign(source, sink, options);
  }
  source.check_unchanged();
  return result;
}

Graph import_from_file(const SourceFile& source, const ConvertOptions& options) {
  if (source.is_mere()) {
    OpenOptions open;
    open.expand = Expand::lazy;
    open.limits = options.limits;
    Graph graph = to_graph(Model::from_bytes(source.map->bytes(), source.map, open, source.name));
    source.check_unchanged();
    return graph;
  }
  importers::Imported imported = import_from(source, options);
  source.check_unchanged();
  model::add_given_metadata(imported.graph, options);
  if (!options.dump.metadata.empty()) model::add_metadata(imported.graph, options.dump.metadata);
  return std::move(imported.graph);
}

}  // namespace

ConvertResult convert(const std::filesystem::path& in, const std::filesystem::path& out,
                      const ConvertOptions& options) {
  return guarded([&] {
    const SourceFile source(in);
    os::AtomicFile file(out);
    const ConvertResult result = guarded_read(source, [&] { return convert_to(source, file, options); });
    file.commit(options.dump.durability == Durability::full);
    return result;
  });
}

ConvertResult convert_to_descriptor(const std::filesystem::path& in, int fd, const ConvertOptions& options) {
  return guarded([&] {
    const SourceFile source(in);
    os::DescriptorSink sink(fd, "descriptor " + std::to_string(fd));
    return guarded_read(source, [&] { return convert_to(source, sink, options); });
  });
}

Graph import_file(const std::filesystem::path& in, const ConvertOptions& options) {
  return guarded([&] {
    const SourceFile source(in);
    return guarded_read(source, [&] { return import_from_file(source, options); });
  });
}

}  // namespace mere
