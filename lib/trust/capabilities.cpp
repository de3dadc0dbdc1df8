#include "trust/capabilities.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "trust/graph_facts.hpp"

namespace mere::trust {

namespace {

// Parameters that hold a folder, or an object that writes to one.
constexpr std::string_view kCacheParameters[] = {"memory", "cachedir", "cache_location", "store_backend"};

std::string name_text(const graph::NodeReader& reader, NodeId id) {
  return reader.full_name(id);
}

// Judgements of nodes that are met again and again, as the types and keys of a forest's trees are: the last that fell
// into each place.
template <class Judgement>
class LastJudged {
 public:
  template <class Judge>
  const Judgement& of(NodeId id, const Judge& judge) {
    Place& place = places_[id % places_.size()];
    if (place.id != id) {
      place.judgement = judge();
      place.id = id;
    }
    return place.judgement;
  }

 private:
  struct Place {
    NodeId id = kNoNode;
    Judgement judgement{};
  };
  std::array<Place, 256> places_;
};

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
    const bool plain_type = plain_types_.of(parts.type, [&] { return is_plain_type(reader_.full_name(id)); });
    if (!plain_type) {
      const std::string type = type_of(id, parts);
      if (type == "builtins.method") add_method(id, parts);
      if (type == "functools.partial") add_partial(id, parts, type);
    }
    if (parts.state == kNoNode) return;
    const Kind kind = reader_.kind(parts.state);
    if (kind == Kind::dict) look_at_state(id, parts, parts.state);
    if (kind != Kind::tuple) return;
    const std::uint64_t members = reader_.child_count(parts.state);
    for (std::uint64_t i = 0; i < members && i < 2; ++i) {
      const NodeId member = reader_.child(parts.state, i);
      if (reader_.kind(member) == Kind::dict) look_at_state(id, parts, member);
    }
  }

  // Neither looked at for itself nor a stand-in for another.
  static bool is_plain_type(const std::string& type) {
    return type != "builtins.method" && type != "functools.partial" && !type.starts_with("copyreg.");
  }

  // The class, also of what copyreg and its kin make: they have it as first argument.
  std::string type_of(NodeId id, const ObjectParts& parts) {
    const std::string type = reader_.full_name(id);
    if (!type.starts_with("copyreg.") || parts.args == kNoNode || reader_.child_count(parts.args) == 0) return type;
    return reader_.full_name(reader_.child(parts.args, 0));
  }

  enum class Key : std::uint8_t { no_text, any_text, telling };

  Key judge_key(NodeId key) const {
    if (reader_.kind(key) != Kind::text) return Key::no_text;
    const std::string_view name = reader_.text(key);
    const bool telling = name == "input" || std::find(std::begin(kCacheParameters), std::end(kCacheParameters), name) !=
                                                std::end(kCacheParameters);
    return telling ? Key::telling : Key::any_text;
  }

  void look_at_state(NodeId id, const ObjectParts& parts, NodeId state) {
    const std::uint64_t children = reader_.child_count(state);
    for (std::uint64_t i = 0; i + 1 < children; i += 2) {
      const NodeId key = reader_.child(state, i), value = reader_.child(state, i + 1);
      const Key judged = keys_.of(key, [&] { return judge_key(key); });
      if (judged == Key::no_text) continue;
      const Kind kind = reader_.kind(value);
      if (judged == Key::any_text && kind != Kind::name) continue;
      const std::string_view name = reader_.text(key);
      const std::string type = type_of(id, parts);
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
  LastJudged<bool> plain_types_;
  LastJudged<Key> keys_;
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
