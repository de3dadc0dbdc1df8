// What a file names, read by the importers or from a .mere file's columns.

#include <mere/audit.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "format/image.hpp"
#include "importers/registry.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "os/descriptor.hpp"
#include "os/mapping.hpp"
#include "program/program.hpp"
#include "trust/capabilities.hpp"
#include "trust/graph_facts.hpp"
#include "trust/policy.hpp"

namespace mere {

namespace {

using model::guarded;
using model::guarded_read;
using trust::Policy;

std::string joined(std::string_view module, std::string_view name) {
  if (module.empty()) return std::string(name);
  return std::string(module) + "." + std::string(name);
}

AuditedName audited(const Policy& policy, std::string_view module, std::string_view qualname, std::uint64_t uses) {
  AuditedName name;
  name.name = joined(module, qualname);
  name.uses = uses;
  name.by = policy.vouched_by(module, qualname);
  name.trusted = !name.by.empty();
  return name;
}

// Opaque parts, capabilities and versions: the same question to a graph and to a file.
void add_facts(AuditReport& report, const Policy& policy, const graph::NodeReader& reader) {
  for (const trust::OpaquePart& part : trust::opaque_parts(reader)) {
    AuditedOpaque opaque;
    opaque.path = reader.path(part.node);
    opaque.format = part.format;
    opaque.name = part.name.empty() ? "" : joined(part.module, part.name);
    opaque.file = part.file;
    if (part.line >= 0) opaque.line = part.line;
    opaque.bytes = part.bytes;
    opaque.trusted = !opaque.name.empty() && policy.is_trusted_by_caller(opaque.name);
    report.opaque.push_back(std::move(opaque));
  }
  for (const trust::Capability& found : trust::capabilities_of(reader)) {
    AuditedCapability capability;
    capability.name = found.name;
    capability.word = trust::to_text(found.kind);
    capability.detail = found.detail;
    capability.path = reader.path(found.node);
    capability.trusted = trust::permits(policy, found);
    report.capabilities.push_back(std::move(capability));
  }
  for (auto& [library, version] : trust::versions_of(reader)) {
    const bool known = std::any_of(report.versions.begin(), report.versions.end(),
                                   [&, &name = library](const auto& row) { return row.first == name; });
    if (!known) report.versions.emplace_back(library, version);
  }
}

void finish(AuditReport& report) {
  std::stable_partition(report.names.begin(), report.names.end(),
                        [](const AuditedName& name) { return !name.trusted; });
  std::set<std::string> needed;
  for (const AuditedName& name : report.names) {
    if (!name.trusted) needed.insert(name.name);
  }
  for (const AuditedOpaque& part : report.opaque) {
    // A part without a name cannot be vouched for by one; it stays untrusted under its place.
    if (!part.trusted) needed.insert(part.name.empty() ? part.path : part.name);
  }
  for (const AuditedCapability& capability : report.capabilities) {
    if (!capability.trusted) needed.insert(capability.name);
  }
  report.needed.assign(needed.begin(), needed.end());
}

// A mapped file that may turn out to be cut.
struct AuditedFile {
  std::shared_ptr<const os::Mapping> map;
  std::string name;
  void check_faults() const {
    if (map->faulted())
      throw Error(Reason::fault, name + ": a page could not be read: the file was cut, or the disk is bad");
  }
};

AuditReport audit_foreign(const AuditedFile& file, const AuditOptions& options) {
  const Policy policy(options.trusted);
  AuditReport report;
  report.file_bytes = file.map->bytes().size();
  importers::Source source;
  source.bytes = file.map->bytes();
  source.owner = file.map;
  source.name = file.name;
  source.directory = importers::directory_of(file.name);
  if (const importers::Importer* importer = importers::find_importer(source.bytes)) report.format = importer->name;
  bool named = false;
  importers::ImportOptions reading;
  reading.limits = options.limits;
  reading.admit = [&](std::span<const container::ForeignName> names) {
    named = true;
    report.names.clear();
    for (const container::ForeignName& name : names) {
      report.names.push_back(audited(policy, name.module, name.qualname, name.uses));
      report.names.back().offset = name.offset;
    }
  };
  try {
    const importers::Imported imported = importers::import_source(source, reading);
    report.format = imported.format;
    report.codec = imported.codec;
    report.protocol = imported.protocol;
    report.versions = imported.versions;
    const graph::GraphReader reader(imported.graph);
    // A stream names a type once and then refers to it; the graph knows how many objects are of it.
    std::map<std::string, std::uint64_t> uses;
    for (const trust::NameInGraph& name : trust::reached_names(reader))
      uses[joined(name.module, name.qualname)] += name.uses;
    for (AuditedName& name : report.names) {
      if (const auto found = uses.find(name.name); found != uses.end()) name.uses = std::max(name.uses, found->second);
    }
    add_facts(report, policy, reader);
  } catch (const Error& error) {
    // Names that are known are told, whatever became of the rest: a file may be broken on purpose, behind what it does.
    file.check_faults();
    if (!named || error.code() != Errc::corrupt) throw;
    report.damage = error.message();
  }
  finish(report);
  return report;
}

// Records without a module are C++ structs; those of programs are this library's own.
bool is_part_of_programs(std::string_view module, std::string_view qualname) {
  return module.empty() && program::is_part_of_programs(qualname);
}

std::optional<std::vector<std::string>> find_trusted(const Model& model, const AuditOptions& options) {
  const Policy policy(options.trusted);
  const graph::ImageReader reader(*Model::State::of(model).image);
  std::vector<std::string> names;
  bool has_objects = false;
  const std::uint64_t count = reader.node_count();
  for (NodeId id = 0; id < count; ++id) {
    const Kind kind = reader.kind(id);
    if (kind == Kind::opaque) return std::nullopt;
    has_objects = has_objects || kind == Kind::object;
    if (kind != Kind::name) continue;
    const auto [module, qualname] = reader.name(id);
    if (!policy.is_trusted(module, qualname) && !is_part_of_programs(module, qualname)) return std::nullopt;
    names.push_back(joined(module, qualname));
  }
  if (!has_objects) return names;
  for (const trust::Capability& found : trust::capabilities_of_all_nodes(reader)) {
    if (!trust::permits(policy, found)) return std::nullopt;
  }
  return names;
}

AuditReport audit_image(const Model& model, const AuditOptions& options) {
  const Policy policy(options.trusted);
  const format::Image& image = *Model::State::of(model).image;
  AuditReport report;
  report.format = "mere";
  const ModelInfo info = model.info();
  for (const std::string& codec : info.codecs) report.codec += (report.codec.empty() ? "" : ", ") + codec;
  if (report.codec.empty()) report.codec = "none";
  report.file_bytes = info.file_bytes;
  const graph::ImageReader reader(image);
  for (const trust::NameInGraph& name : trust::reached_names(reader)) {
    report.names.push_back(audited(policy, name.module, name.qualname, name.uses));
    AuditedName& audited_name = report.names.back();
    audited_name.path = reader.path(name.node);
    if (!audited_name.trusted && is_part_of_programs(name.module, name.qualname)) {
      audited_name.trusted = true;
      audited_name.by = "mere";
    }
  }
  add_facts(report, policy, reader);
  finish(report);
  image.check_faults();
  return report;
}

}  // namespace

AuditReport audit(const std::filesystem::path& path, const AuditOptions& options) {
  return guarded([&] {
    AuditedFile file{nullptr, path.native()};
    const os::Descriptor descriptor = os::open_regular(path);
    const os::FileStamp stamp = os::stamp_of(descriptor.get(), file.name);
    os::MapOptions map;
    file.map = std::make_shared<os::Mapping>(descriptor.get(), 0, stamp.size, map, file.name);
    const std::span<const std::byte> bytes = file.map->bytes();
    if (bytes.size() >= format::kMagic.size() &&
        std::equal(format::kMagic.begin(), format::kMagic.end(), reinterpret_cast<const std::uint8_t*>(bytes.data()))) {
      OpenOptions open;
      open.expand = Expand::lazy;
      open.limits = options.limits;
      open.verify = Verify::manifest;
      return audit(Model::from_bytes(bytes, file.map, open, file.name), options);
    }
    return guarded_read(file, [&] { return audit_foreign(file, options); });
  });
}

AuditReport audit(const Model& model, const AuditOptions& options) {
  return guarded_read(*Model::State::of(model).image, [&] { return audit_image(model, options); });
}

std::optional<std::vector<std::string>> names_if_trusted(const Model& model, const AuditOptions& options) {
  return guarded_read(*Model::State::of(model).image, [&] { return find_trusted(model, options); });
}

}  // namespace mere
