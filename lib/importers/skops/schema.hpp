#pragma once
// schema.json of a skops file: the tree of nodes that its loaders would build, checked, each object once. The loaders
// and their protocols: skops/io of releases 0.3 to 0.16.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <mere/error.hpp>

#include "container/foreign_name.hpp"
#include "container/json.hpp"

namespace mere::importers::skops {

enum class Loader : std::uint8_t {
  json,
  dict,
  default_dict,
  deprecated_dict,
  list,
  tuple,
  set,
  bytes,
  bytearray,
  slice,
  function,
  type,
  method,
  partial,
  operator_function,
  constructor,
  object,
  array,
  masked_array,
  sparse_matrix,
  dtype,
  random_state,
  random_generator,
  tree,
  loss,
  quantile_forest,
  cached,
};

// The types of a dict's keys, which JSON writes as texts all the same.
enum class KeyType : std::uint8_t { text, integer, real, boolean, null, numpy };

using SchemaId = std::uint32_t;
using container::JsonId;

struct SchemaNode {
  Loader loader = Loader::json;
  std::string_view module, qualname;  // the class; of a function, its own name
  JsonId json = 0;
  std::optional<JsonId> content;
  std::string_view file;         // member of the archive, if the loader reads one
  std::uint32_t first_part = 0;  // in Schema::parts
  std::uint32_t part_count = 0;
};

class Schema {
 public:
  // Throws Error: what Json::parse throws; bad_record (a node lacks what its loader reads, has
  // more, or is of a class that it does not build; two objects of one id; an object inside itself), unknown_kind (a
  // loader that is not known), unsupported_version (a protocol above 2).
  explicit Schema(std::string_view text);

  const container::Json& json() const { return json_; }
  int protocol() const { return protocol_; }
  const std::string& skops_version() const { return skops_version_; }

  // Each node after its parts; the last one is the root.
  std::span<const SchemaNode> nodes() const { return nodes_; }
  // The parts of a node, in the order that its loader gives them: the members of a container (values of a dict);
  // partial: func, args, kwds, namespace; masked array: data, mask; default dict: main, default_factory; deprecated
  // dict: main, renamed keys; object array: members, shape; tree and its like: args, state.
  std::span<const SchemaId> parts(const SchemaNode& node) const {
    return std::span(parts_).subspan(node.first_part, node.part_count);
  }
  // Types of the keys of a dict node, with the names of those of NumPy.
  struct Key {
    KeyType type = KeyType::text;
    std::string_view numpy_type;  // "int64"
  };
  std::vector<Key> key_types(const SchemaNode& dict) const;

  // Every type and function that the graph of these nodes names: all it can name, and nothing else.
  std::span<const container::ForeignName> names() const { return names_; }
  bool is_named(std::string_view module, std::string_view qualname) const;

  // The member names that nodes give, also those of nodes that repeat an object.
  std::unordered_set<std::string_view> mentioned_files() const;

  [[noreturn]] void fail(JsonId json, Reason reason, const std::string& what) const;

 private:
  struct Frame;
  void read_root();
  void read_tree();
  SchemaNode open(JsonId json, bool root) const;
  void find_parts(const SchemaNode& node, std::vector<JsonId>& parts) const;
  void check_class(const SchemaNode& node) const;
  void name_parts(const SchemaNode& node);
  void add_name(std::string_view module, std::string_view qualname, const SchemaNode& node);
  std::string_view text(JsonId object, std::string_view key) const;

  container::Json json_;
  int protocol_ = 0;
  std::string skops_version_;
  std::vector<SchemaNode> nodes_;
  std::vector<SchemaId> parts_;
  std::vector<container::ForeignName> names_;
  std::unordered_map<std::string, std::size_t> name_index_;
};

// What a node of this loader and class names in the graph, beside the class itself. One table for the names that are
// shown and for those that are built.
struct NamePair {
  std::string_view module, qualname;
};
inline constexpr NamePair kReconstruct{"numpy.core.multiarray", "_reconstruct"};
inline constexpr NamePair kMaskedReconstruct{"numpy.ma.core", "_mareconstruct"};
inline constexpr NamePair kNdarray{"numpy", "ndarray"};
inline constexpr NamePair kRandomState{"numpy.random._pickle", "__randomstate_ctor"};
inline constexpr NamePair kGenerator{"numpy.random._pickle", "__generator_ctor"};
inline constexpr NamePair kBitGenerator{"numpy.random._pickle", "__bit_generator_ctor"};
inline constexpr NamePair kSeedSequence{"numpy.random.bit_generator", "SeedSequence"};
inline constexpr NamePair kMethod{"builtins", "method"};

// How a node is built; one decision for the names and the graph.
enum class Form : std::uint8_t {
  plain,           // a kind of its own: nothing is named
  named,           // the node is a name
  of_class,        // an object of the class
  array_subclass,  // numpy.matrix and its like
  reader_object,   // a class whose objects its module's newObj makes (KDTree, BallTree, distance metrics)
};
Form form_of(const SchemaNode& node);
bool is_numpy_scalar(const SchemaNode& node);

// Name nodes of types that no module has by that name: type(None) and its like.
NamePair canonical_type(std::string_view module, std::string_view qualname);

}  // namespace mere::importers::skops
