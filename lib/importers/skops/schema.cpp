#include "importers/skops/schema.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <mere/error.hpp>

namespace mere::importers::skops {

namespace {

using container::Json;
using container::JsonKind;

constexpr int kNewestProtocol = 2;
// Python's own depth ends far below this; each of its objects takes two to four brackets.
constexpr std::uint32_t kMostDepth = 10'000;

// What a node may have beside __class__, __module__, __loader__ and __id__.
enum Part : std::uint32_t {
  kContent = 1,
  kKeyTypes = 2,
  kIsJson = 4,
  kFile = 8,
  kType = 16,
  kShape = 32,
  kAttrs = 64,
  kReduce = 128,
};
constexpr std::pair<std::string_view, Part> kPartNames[] = {
    {"content", kContent}, {"key_types", kKeyTypes}, {"is_json", kIsJson}, {"file", kFile},
    {"type", kType},       {"shape", kShape},        {"attrs", kAttrs},    {"__reduce__", kReduce},
};

struct LoaderRow {
  std::string_view word;
  Loader loader;
  std::uint32_t required, optional;
};
constexpr LoaderRow kLoaders[] = {
    {"JsonNode", Loader::json, kContent, kIsJson},
    {"DictNode", Loader::dict, kContent | kKeyTypes, 0},
    {"DefaultDictNode", Loader::default_dict, kContent, 0},
    {"_DictWithDeprecatedKeysNode", Loader::deprecated_dict, kContent, 0},
    {"ListNode", Loader::list, kContent, 0},
    {"TupleNode", Loader::tuple, kContent, 0},
    {"SetNode", Loader::set, kContent, 0},
    {"BytesNode", Loader::bytes, kFile, 0},
    {"BytearrayNode", Loader::bytearray, kFile, 0},
    {"SliceNode", Loader::slice, kContent, 0},
    {"FunctionNode", Loader::function, 0, kContent},
    {"TypeNode", Loader::type, 0, 0},
    {"MethodNode", Loader::method, kContent, 0},
    {"PartialNode", Loader::partial, kContent, 0},
    {"OperatorFuncNode", Loader::operator_function, kAttrs, 0},
    {"ConstructorFromReduceNode", Loader::constructor, kContent, 0},
    {"ObjectNode", Loader::object, 0, kContent},
    {"NdArrayNode", Loader::array, kType, kContent | kShape | kFile},
    {"MaskedArrayNode", Loader::masked_array, kContent, 0},
    {"SparseMatrixNode", Loader::sparse_matrix, kType | kFile, 0},
    {"DTypeNode", Loader::dtype, kContent, 0},
    {"RandomStateNode", Loader::random_state, kContent, 0},
    {"RandomGeneratorNode", Loader::random_generator, kContent, 0},
    {"TreeNode", Loader::tree, kReduce | kContent, 0},
    {"LossNode", Loader::loss, kReduce | kContent, 0},
    {"SGDNode", Loader::loss, kReduce | kContent, 0},  // its name up to 0.10
    {"QuantileForestNode", Loader::quantile_forest, kReduce | kContent, 0},
    {"CachedNode", Loader::cached, 0, 0},
};

// A class that a loader builds whatever its node says has to be the one that the node shows. An empty qualname: any of
// that module; a module that ends in a dot: any below it.
struct BuiltClass {
  Loader loader;
  std::string_view module, qualname;
};
constexpr BuiltClass kBuiltClasses[] = {
    {Loader::json, "builtins", "str"},
    {Loader::default_dict, "collections", "defaultdict"},
    {Loader::deprecated_dict, "sklearn.", "_DictWithDeprecatedKeys"},
    {Loader::bytes, "builtins", "bytes"},
    {Loader::bytearray, "builtins", "bytearray"},
    {Loader::slice, "builtins", "slice"},
    {Loader::partial, "functools", "partial"},
    {Loader::operator_function, "operator", "itemgetter"},
    {Loader::operator_function, "operator", "attrgetter"},
    {Loader::operator_function, "operator", "methodcaller"},
    {Loader::masked_array, "numpy.ma", "MaskedArray"},
    {Loader::masked_array, "numpy.ma.core", "MaskedArray"},
    {Loader::sparse_matrix, "scipy.sparse.", ""},
    {Loader::dtype, "numpy", "dtype"},
    {Loader::random_state, "numpy.random.", "RandomState"},
    {Loader::random_state, "numpy.random", "RandomState"},
    {Loader::random_generator, "numpy.random.", "Generator"},
    {Loader::random_generator, "numpy.random", "Generator"},
    {Loader::tree, "sklearn.tree._tree", "Tree"},
    {Loader::quantile_forest, "quantile_forest._quantile_forest_fast", "QuantileForest"},
};

bool is_built_class(const BuiltClass& row, const SchemaNode& node) {
  if (!row.qualname.empty() && row.qualname != node.qualname) return false;
  return row.module.ends_with('.') ? node.module.starts_with(row.module) : node.module == row.module;
}

// Modules whose classes are made by a newObj of the module.
constexpr std::string_view kReaderModules[] = {"sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree",
                                               "sklearn.neighbors._dist_metrics", "sklearn.metrics._dist_metrics"};

// numpy's scalar types, in any release.
constexpr std::string_view kScalarTypes[] = {
    "bool",       "bool_",      "int8",        "int16",    "int32",   "int64",      "intc",       "long",
    "longlong",   "uint8",      "uint16",      "uint32",   "uint64",  "uintc",      "ulong",      "ulonglong",
    "float16",    "float32",    "float64",     "float128", "float96", "longdouble", "complex64",  "complex128",
    "complex256", "complex192", "clongdouble", "str_",     "bytes_",  "void",       "datetime64", "timedelta64"};

template <class Range>
bool contains(const Range& range, std::string_view word) {
  return std::find(std::begin(range), std::end(range), word) != std::end(range);
}

}  // namespace

bool is_numpy_scalar(const SchemaNode& node) {
  return node.module == "numpy" && contains(kScalarTypes, node.qualname);
}

Form form_of(const SchemaNode& node) {
  const auto plain_if = [&](std::string_view word) {
    return node.module == "builtins" && node.qualname == word ? Form::plain : Form::of_class;
  };
  switch (node.loader) {
    case Loader::dict: return plain_if("dict");
    case Loader::list: return plain_if("list");
    case Loader::tuple: return plain_if("tuple");
    case Loader::set: return plain_if("set");
    case Loader::constructor:
      return plain_if("frozenset") == Form::plain || plain_if("range") == Form::plain ? Form::plain : Form::of_class;
    case Loader::function:
    case Loader::type: return Form::named;
    case Loader::array:
      if (node.module == "numpy" && (node.qualname == "ndarray" || node.qualname == "memmap")) return Form::plain;
      return is_numpy_scalar(node) ? Form::plain : Form::array_subclass;
    case Loader::object: return contains(kReaderModules, node.module) ? Form::reader_object : Form::of_class;
    case Loader::default_dict:
    case Loader::deprecated_dict:
    case Loader::partial:
    case Loader::operator_function:
    case Loader::masked_array:
    case Loader::sparse_matrix:
    case Loader::tree:
    case Loader::loss:
    case Loader::quantile_forest: return Form::of_class;
    default: return Form::plain;
  }
}

NamePair canonical_type(std::string_view module, std::string_view qualname) {
  if (module == "builtins" && qualname == "NoneType") return {"types", "NoneType"};
  if (module == "builtins" && qualname == "ellipsis") return {"types", "EllipsisType"};
  if (module == "builtins" && qualname == "NotImplementedType") return {"types", "NotImplementedType"};
  return {module, qualname};
}

void Schema::fail(JsonId json, Reason reason, const std::string& what) const {
  throw Error(reason,
              "schema.json, byte " + std::to_string(json_.offset(json)) + " (" + json_.path(json) + "): " + what);
}

std::string_view Schema::text(JsonId object, std::string_view key) const {
  const auto found = json_.find(object, key);
  if (!found) fail(object, Reason::bad_record, "lacks '" + std::string(key) + "'");
  if (json_.kind(*found) != JsonKind::text) {
    fail(*found, Reason::bad_record, "'" + std::string(key) + "' is " + std::string(to_text(json_.kind(*found))));
  }
  return json_.text(*found);
}

Schema::Schema(std::string_view text) : json_(Json::parse(text, {.most_depth = kMostDepth, .lone_surrogates = true})) {
  read_root();
  read_tree();
}

void Schema::read_root() {
  if (json_.kind(Json::kRoot) != JsonKind::object) fail(Json::kRoot, Reason::bad_record, "no object");
  const auto protocol = json_.find(Json::kRoot, "protocol");
  if (!protocol || json_.kind(*protocol) != JsonKind::integer) {
    fail(Json::kRoot, Reason::bad_record, "no protocol, or one that is no integer");
  }
  const std::int64_t value = json_.integer(*protocol);
  if (value < 0) fail(*protocol, Reason::bad_record, "protocol " + std::to_string(value));
  if (value > kNewestProtocol) {
    fail(*protocol, Reason::unsupported_version, "protocol " + std::to_string(value) + ", known are 0 to 2");
  }
  protocol_ = static_cast<int>(value);
  skops_version_ = this->text(Json::kRoot, "_skops_version");
}

SchemaNode Schema::open(JsonId json, bool root) const {
  if (json_.kind(json) != JsonKind::object) {
    fail(json, Reason::bad_record, "a node that is " + std::string(to_text(json_.kind(json))));
  }
  SchemaNode node;
  node.json = json;
  const std::string_view word = text(json, "__loader__");
  const auto* row = std::find_if(std::begin(kLoaders), std::end(kLoaders),
                                 [&](const LoaderRow& known) { return known.word == word; });
  if (row == std::end(kLoaders)) {
    fail(json, Reason::unknown_kind, "loader '" + std::string(word.substr(0, 100)) + "' is not known");
  }
  node.loader = row->loader;
  std::uint32_t parts = 0;
  for (JsonId member = json_.first_of(json); member < json_.end_of(json); member = json_.end_of(member)) {
    const std::string_view key = json_.key(member);
    if (key == "__class__" || key == "__module__" || key == "__loader__" || key == "__id__") continue;
    if (root && (key == "protocol" || key == "_skops_version")) continue;
    const auto* part = std::find_if(std::begin(kPartNames), std::end(kPartNames),
                                    [&](const auto& known) { return known.first == key; });
    if (part == std::end(kPartNames) || ((row->required | row->optional) & part->second) == 0) {
      fail(json, Reason::bad_record, "'" + std::string(key.substr(0, 100)) + "' is no part of a " + std::string(word));
    }
    parts |= part->second;
    if (part->second == kContent) node.content = member;
    if (part->second == kFile) node.file = text(json, "file");
  }
  if ((row->required & ~parts) != 0) fail(json, Reason::bad_record, "a " + std::string(word) + " that lacks a part");
  if (node.loader == Loader::cached) return node;
  node.module = text(json, "__module__");
  node.qualname = text(json, "__class__");
  if (node.loader == Loader::function) {
    // Protocol 0 says the function in its content, and ufunc or function as its class.
    if ((protocol_ == 0) != node.content.has_value()) {
      fail(json, Reason::bad_record, "a function as protocol " + std::to_string(protocol_) + " does not write it");
    }
    if (node.content) {
      if (json_.kind(*node.content) != JsonKind::object || json_.member_count(*node.content) != 2) {
        fail(json, Reason::bad_record, "a function that is not module_path and function");
      }
      node.module = text(*node.content, "module_path");
      node.qualname = text(*node.content, "function");
    }
  }
  check_class(node);
  return node;
}

void Schema::check_class(const SchemaNode& node) const {
  const auto refuse = [&] {
    fail(node.json, Reason::bad_record,
         "its loader does not build " + std::string(node.module.substr(0, 100)) + "." +
             std::string(node.qualname.substr(0, 100)));
  };
  if (node.module.empty() || node.qualname.empty()) refuse();
  bool bound = false, fits = false;
  for (const BuiltClass& row : kBuiltClasses) {
    if (row.loader != node.loader) continue;
    bound = true;
    fits = fits || is_built_class(row, node);
  }
  if (bound && !fits) refuse();
  if (node.loader == Loader::array) {
    const std::string_view type = text(node.json, "type");
    const bool objects = type == "json";
    if (!objects && type != "numpy")
      fail(node.json, Reason::bad_record, "an array of type '" + std::string(type) + "'");
    if (objects != node.content.has_value() || objects == !node.file.empty() ||
        objects != json_.find(node.json, "shape").has_value()) {
      fail(node.json, Reason::bad_record, "an array with the parts of another type");
    }
  }
  if (node.loader == Loader::sparse_matrix && text(node.json, "type") != "scipy") {
    fail(node.json, Reason::bad_record, "a sparse matrix of another type than scipy");
  }
}

// The values inside a node that are nodes themselves.
void Schema::find_parts(const SchemaNode& node, std::vector<JsonId>& parts) const {
  const auto each_of = [&](JsonId container, JsonKind kind) {
    if (json_.kind(container) != kind) {
      fail(container, Reason::bad_record, "is " + std::string(to_text(json_.kind(container))));
    }
    for (JsonId member = json_.first_of(container); member < json_.end_of(container); member = json_.end_of(member)) {
      parts.push_back(member);
    }
  };
  // Exactly these, in this order.
  const auto named = [&](JsonId object, std::initializer_list<std::string_view> keys) {
    if (json_.kind(object) != JsonKind::object || json_.member_count(object) != keys.size()) {
      fail(object, Reason::bad_record, "does not have the parts that its loader reads");
    }
    for (const std::string_view key : keys) {
      const auto member = json_.find(object, key);
      if (!member) fail(object, Reason::bad_record, "lacks '" + std::string(key) + "'");
      parts.push_back(*member);
    }
  };
  switch (node.loader) {
    case Loader::dict: each_of(*node.content, JsonKind::object); return;
    case Loader::list:
    case Loader::tuple:
    case Loader::set: each_of(*node.content, JsonKind::list); return;
    case Loader::default_dict: named(*node.content, {"main", "default_factory"}); return;
    case Loader::deprecated_dict: named(*node.content, {"main", "_deprecated_key_to_new_key"}); return;
    case Loader::partial: named(*node.content, {"func", "args", "kwds", "namespace"}); return;
    case Loader::masked_array: named(*node.content, {"data", "mask"}); return;
    case Loader::method:
      if (json_.kind(*node.content) != JsonKind::object || json_.member_count(*node.content) != 2) {
        fail(*node.content, Reason::bad_record, "does not have func and obj");
      }
      text(*node.content, "func");
      if (!json_.find(*node.content, "obj")) fail(*node.content, Reason::bad_record, "lacks 'obj'");
      parts.push_back(*json_.find(*node.content, "obj"));
      return;
    case Loader::operator_function: parts.push_back(*json_.find(node.json, "attrs")); return;
    case Loader::constructor:
    case Loader::dtype:
    case Loader::random_state: parts.push_back(*node.content); return;
    case Loader::object:
      if (node.content) parts.push_back(*node.content);
      return;
    case Loader::array:
      if (!node.content) return;
      each_of(*node.content, JsonKind::list);
      parts.push_back(*json_.find(node.json, "shape"));
      return;
    case Loader::random_generator:
      // Protocol 0 keeps the state as it is, protocol 1 has no seed sequence.
      if (protocol_ == 0) {
        std::vector<JsonId> raw;
        std::swap(raw, parts);
        named(*node.content, {"bit_generator"});
        std::swap(raw, parts);
      } else if (protocol_ == 1) {
        named(*node.content, {"bit_generator"});
      } else {
        named(*node.content, {"bit_generator", "seed_seq"});
      }
      return;
    case Loader::tree:
    case Loader::loss:
    case Loader::quantile_forest:
      named(*json_.find(node.json, "__reduce__"), {"args"});
      parts.push_back(*node.content);
      return;
    default: return;
  }
}

struct Schema::Frame {
  SchemaNode node;
  std::optional<std::int64_t> id;
  std::vector<JsonId> waiting;
  std::size_t next = 0;
  std::vector<SchemaId> done;
};

// Depth first, in the order of the file, as skops itself does it: an object's first node is the one that counts.
void Schema::read_tree() {
  constexpr SchemaId kBeingRead = 0xffffffff;
  std::unordered_map<std::int64_t, SchemaId> by_id;
  std::vector<Frame> frames;
  // The node at `json`, if it is done already; else a frame for it.
  const auto enter = [&](JsonId json) -> std::optional<SchemaId> {
    Frame frame;
    frame.node = open(json, json == Json::kRoot);
    if (const auto id = json_.find(json, "__id__")) {
      if (json_.kind(*id) != JsonKind::integer) fail(json, Reason::bad_record, "an __id__ that is no integer");
      frame.id = json_.integer(*id);
    }
    const auto found = frame.id ? by_id.find(*frame.id) : by_id.end();
    const bool cached = frame.node.loader == Loader::cached;
    if (found == by_id.end()) {
      if (cached) fail(json, Reason::bad_record, "a CachedNode of an object that does not stand before it");
    } else {
      if (found->second == kBeingRead) fail(json, Reason::bad_record, "an object inside itself");
      const SchemaNode& first = nodes_[found->second];
      if (!cached && (first.loader != frame.node.loader || first.module != frame.node.module ||
                      first.qualname != frame.node.qualname)) {
        fail(json, Reason::bad_record, "two objects of the __id__ " + std::to_string(*frame.id));
      }
      return found->second;
    }
    find_parts(frame.node, frame.waiting);
    if (frame.id) by_id[*frame.id] = kBeingRead;
    frames.push_back(std::move(frame));
    return std::nullopt;
  };
  enter(Json::kRoot);
  while (!frames.empty()) {
    Frame& top = frames.back();
    if (top.next < top.waiting.size()) {
      const std::size_t depth = frames.size();
      const JsonId part = top.waiting[top.next++];
      // `top` may have moved if a frame was added.
      if (const auto done = enter(part)) frames[depth - 1].done.push_back(*done);
      continue;
    }
    SchemaNode node = top.node;
    node.first_part = static_cast<std::uint32_t>(parts_.size());
    node.part_count = static_cast<std::uint32_t>(top.done.size());
    parts_.insert(parts_.end(), top.done.begin(), top.done.end());
    const auto number = static_cast<SchemaId>(nodes_.size());
    if (top.id) by_id[*top.id] = number;
    nodes_.push_back(node);
    name_parts(node);
    frames.pop_back();
    if (!frames.empty()) frames.back().done.push_back(number);
  }
}

void Schema::add_name(std::string_view module, std::string_view qualname, const SchemaNode& node) {
  std::string full = std::string(module) + '\0' + std::string(qualname);
  const auto [found, added] = name_index_.try_emplace(std::move(full), names_.size());
  if (added) names_.push_back({std::string(module), std::string(qualname), json_.offset(node.json), 0});
  ++names_[found->second].uses;
}

void Schema::name_parts(const SchemaNode& node) {
  const auto add = [&](const NamePair& name) { add_name(name.module, name.qualname, node); };
  switch (form_of(node)) {
    case Form::plain: break;
    case Form::named: add(canonical_type(node.module, node.qualname)); break;
    case Form::array_subclass: add(kReconstruct); [[fallthrough]];
    case Form::of_class: add({node.module, node.qualname}); break;
    case Form::reader_object:
      add({node.module, "newObj"});
      add({node.module, node.qualname});
      break;
  }
  if (node.loader == Loader::masked_array) {
    add(kMaskedReconstruct);
    add(kNdarray);
  }
  if (node.loader == Loader::method) add(kMethod);
  if (node.loader == Loader::random_state) add(kRandomState);
  if (node.loader == Loader::random_generator) {
    add(kGenerator);
    if (node.part_count == 2) {
      add(kBitGenerator);
      add(kSeedSequence);
    }
  }
}

bool Schema::is_named(std::string_view module, std::string_view qualname) const {
  return name_index_.find(std::string(module) + '\0' + std::string(qualname)) != name_index_.end();
}

std::unordered_set<std::string_view> Schema::mentioned_files() const {
  std::unordered_set<std::string_view> files;
  for (JsonId id = 0; id < json_.size(); ++id) {
    if (json_.kind(id) == JsonKind::text && json_.key(id) == "file") files.insert(json_.text(id));
  }
  return files;
}

std::vector<Schema::Key> Schema::key_types(const SchemaNode& dict) const {
  const JsonId list = *json_.find(dict.json, "key_types");
  const SchemaNode node = open(list, false);
  if (node.loader != Loader::list || json_.kind(*node.content) != JsonKind::list) {
    fail(list, Reason::bad_record, "key_types that are no list");
  }
  std::vector<Key> keys;
  for (JsonId member = json_.first_of(*node.content); member < json_.end_of(*node.content);
       member = json_.end_of(member)) {
    const SchemaNode type = open(member, false);
    const bool builtin = type.module == "builtins";
    if (type.loader != Loader::type) fail(member, Reason::bad_record, "the type of a key that is no type");
    if (builtin && type.qualname == "str") {
      keys.push_back({KeyType::text, {}});
    } else if (builtin && type.qualname == "int") {
      keys.push_back({KeyType::integer, {}});
    } else if (builtin && type.qualname == "float") {
      keys.push_back({KeyType::real, {}});
    } else if (builtin && type.qualname == "bool") {
      keys.push_back({KeyType::boolean, {}});
    } else if (builtin && type.qualname == "NoneType") {
      keys.push_back({KeyType::null, {}});
    } else if (is_numpy_scalar(type)) {
      keys.push_back({KeyType::numpy, type.qualname});
    } else {
      fail(member, Reason::not_supported,
           "keys of type " + std::string(type.module.substr(0, 100)) + "." + std::string(type.qualname.substr(0, 100)));
    }
  }
  if (keys.size() != dict.part_count) {
    fail(list, Reason::bad_record,
         std::to_string(keys.size()) + " types of keys for " + std::to_string(dict.part_count) + " entries");
  }
  return keys;
}

}  // namespace mere::importers::skops
