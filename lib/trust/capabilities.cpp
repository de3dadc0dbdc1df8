#include "trust/capabilities.hpp"

#include "trust/graph_facts.hpp"

namespace mere::trust {

namespace {

// Parameters that hold a folder, or an object that writes to one.
constexpr std::string_view kCacheParameters[] = {"memory", "cachedir", "cache_location", "store_backend"};

std::string name_text(const graph::NodeReader& reader, NodeId id) {
  return reader.full_name(id);
}

class CapabilitySearch {
 public:
  explicit CapabilitySearch(const graph::NodeReader& reader) : reader_(reader) {}

  std::vector<Capability> run() {
    for (const NodeId id : reached_nodes(reader_)) {
      if (reader_.kind(id) == Kind::object) look_at_object(id);
    }
    return std::move(found_);
  }

  // Of every node, whether something leads to it or not.
  std::vector<Capability> run_over_all() {
    const std::uint64_t count = reader_.node_count();
    for (NodeId id = 0; id < count; ++id) {
      if (reader_.kind(id) == Kind::object) look_at_object(id);
    }
    return std::move(found_);
  }

 private:
  void look_at_object(NodeId id) {
    const ObjectParts parts = reader_.parts(id);
    if (reader_.form(id) == ObjectForm::record) return;
    const std::string type = type_of(id, parts);
    if (type == "builtins.method") add_method(id, parts);
    if (type == "functools.partial") add_partial(id, parts, type);
    if (parts.state == kNoNode) return;
    if (reader_.kind(parts.state) == Kind::dict) look_at_state(id, type, parts.state);
    if (reader_.kind(parts.state) != Kind::tuple) return;
    const std::uint64_t members = reader_.child_count(parts.state);
    for (std::uint64_t i = 0; i < members && i < 2; ++i) {
      const NodeId member = reader_.child(parts.state, i);
      if (reader_.kind(member) == Kind::dict) look_at_state(id, type, member);
    }
  }

  // The class, also of what copyreg and its kin make: they have it as first argument.
  std::string type_of(NodeId id, const ObjectParts& parts) {
    const std::string type = reader_.full_name(id);
    if (!type.starts_with("copyreg.") || parts.args == kNoNode || reader_.child_count(parts.args) == 0) return type;
    return reader_.full_name(reader_.child(parts.args, 0));
  }

  void look_at_state(NodeId id, const std::string& type, NodeId state) {
    const std::uint64_t children = reader_.child_count(state);
    for (std::uint64_t i = 0; i + 1 < children; i += 2) {
      const NodeId key = reader_.child(state, i), value = reader_.child(state, i + 1);
      if (reader_.kind(key) != Kind::text) continue;
      const std::string_view name = reader_.text(key);
      const Kind kind = reader_.kind(value);
      for (const std::string_view parameter : kCacheParameters) {
        if (name == parameter && (kind == Kind::text || kind == Kind::object))
          add(CapabilityKind::caches_to_disk, id, type, name, describe(value), {});
      }
      if (name == "input" && kind == Kind::text && (reader_.text(value) == "filename" || reader_.text(value) == "file"))
        add(CapabilityKind::reads_files, id, type, name, std::string(reader_.text(value)), {});
      if (kind == Kind::name) add_function(id, type, name, value);
    }
  }

  void add_function(NodeId id, const std::string& type, std::string_view parameter, NodeId function) {
    const auto [module, qualname] = reader_.name(function);
    if (is_on_lists(module, qualname)) return;
    add(CapabilityKind::calls_function, id, type, parameter, name_text(reader_, function),
        name_text(reader_, function));
  }

  // builtins.method(object, "name"): bound again, it can be called, and what it does depends on the object.
  void add_method(NodeId id, const ObjectParts& parts) {
    if (parts.args == kNoNode || reader_.child_count(parts.args) != 2) {
      return add(CapabilityKind::calls_method, id, "builtins.method", "unknown", "without object and name", {});
    }
    const NodeId object = reader_.child(parts.args, 0), name = reader_.child(parts.args, 1);
    const std::string method =
        reader_.kind(name) == Kind::text ? std::string(reader_.text(name)) : std::string("unknown");
    std::string type = reader_.full_name(object);
    if (type.empty()) type = "builtins." + std::string(to_text(reader_.kind(object)));
    add(CapabilityKind::calls_method, id, type, method, type + "." + method, {});
  }

  void add_partial(NodeId id, const ObjectParts& parts, const std::string& type) {
    std::string held;
    if (parts.args != kNoNode && reader_.child_count(parts.args) > 0) held = describe(reader_.child(parts.args, 0));
    add(CapabilityKind::calls_function, id, type, "func", held, {});
  }

  std::string describe(NodeId value) const {
    switch (reader_.kind(value)) {
      case Kind::text: return std::string(reader_.text(value).substr(0, 200));
      case Kind::name:
      case Kind::object: return reader_.full_name(value);
      case Kind::opaque: {
        const NodeId name = reader_.find(reader_.child(value, 0), "name");
        return name != kNoNode && reader_.kind(name) == Kind::text ? std::string(reader_.text(name).substr(0, 200))
                                                                   : std::string("code by value");
      }
      default: return std::string(to_text(reader_.kind(value)));
    }
  }

  void add(CapabilityKind kind, NodeId id, const std::string& type, std::string_view parameter, std::string detail,
           std::string function) {
    found_.push_back({kind, type + "." + std::string(parameter), std::move(detail), std::move(function), id});
  }

  const graph::NodeReader& reader_;
  std::vector<Capability> found_;
};

}  // namespace

std::string_view to_text(CapabilityKind kind) noexcept {
  switch (kind) {
    case CapabilityKind::caches_to_disk: return "caches_to_disk";
    case CapabilityKind::reads_files: return "reads_files";
    case CapabilityKind::calls_function: return "calls_function";
    case CapabilityKind::calls_method: return "calls_method";
  }
  return "unknown";
}

std::vector<Capability> capabilities_of(const graph::NodeReader& reader) {
  return CapabilitySearch(reader).run();
}

std::vector<Capability> capabilities_of_all_nodes(const graph::NodeReader& reader) {
  return CapabilitySearch(reader).run_over_all();
}

bool permits(const Policy& policy, const Capability& capability) {
  return policy.is_trusted_by_caller(capability.name) ||
         (!capability.function.empty() && policy.is_trusted_by_caller(capability.function));
}

}  // namespace mere::trust
