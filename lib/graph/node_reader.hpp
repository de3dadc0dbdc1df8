#pragma once
// One way to read a graph for all that judges it (versions, capabilities, validators), whether it is being built
// (mere::Graph) or lies in a file (format::Image). Nothing read here is trusted.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/array.hpp>
#include <mere/graph.hpp>

namespace mere::format {
class Image;
}

namespace mere::graph {

// An array of numbers, as it lies in memory. Borrows the graph or map, or holds a decoded copy.
struct ArrayState {
  Dtype dtype;
  Dims shape, strides;
  std::uint64_t elements = 0;
  const std::byte* first = nullptr;  // element 0...0; null: no elements
  std::shared_ptr<const void> held;
};

// Borrows what it reads. Functions throw Error (wrong_kind, bad_node, out_of_bounds, ...) for a node that is not what
// is asked for; find_ functions answer with nothing instead. Not safe to share between threads.
class NodeReader {
 public:
  // `release`, if not empty, is told of bytes that arrays were read from a while ago, so that the pages of a large map
  // need not stay; they may be read again.
  using Release = std::function<void(std::span<const std::byte>)>;
  explicit NodeReader(const Graph& graph, Release release = {}) : graph_(&graph), release_(std::move(release)) {}
  explicit NodeReader(const format::Image& image) : image_(&image) {}
  NodeReader(const NodeReader&) = delete;
  NodeReader& operator=(const NodeReader&) = delete;

  struct Root {
    std::string_view path;  // "", "@program", "@metadata"
    NodeId node;
  };
  std::vector<Root> roots() const;
  std::uint64_t node_count() const;
  // Bytes that arrays and texts may lie in: what a walk over all of them may cost is held against this.
  std::uint64_t payload_bytes() const;

  Kind kind(NodeId id) const;
  // Children in the order of docs/format.md 4: of a dict keys and values in turn, of an object its parts.
  std::uint64_t child_count(NodeId id) const;
  NodeId child(NodeId id, std::uint64_t index) const;
  ObjectForm form(NodeId id) const;
  ObjectParts parts(NodeId id) const;
  std::string_view text(NodeId id) const;                               // text, bytes, bytearray
  std::pair<std::string_view, std::string_view> name(NodeId id) const;  // module, qualname
  // An int, a bool, or a NumPy scalar of one; a float, an int, or a NumPy scalar of one.
  std::optional<std::int64_t> find_integer(NodeId id) const;
  std::optional<double> find_real(NodeId id) const;
  Dtype dtype(NodeId id) const;  // dtype, scalar, array
  Dims object_array_shape(NodeId id) const;
  ArrayState array(NodeId id) const;  // of anything but objects
  // The value of a text key, or kNoNode.
  NodeId find(NodeId dict, std::string_view key) const;

  bool is_object_array(NodeId id) const {
    return kind(id) == Kind::array && dtype(id).type_class() == TypeClass::object;
  }
  // "module.qualname" of an object's type, or of a name; empty: neither.
  std::string full_name(NodeId id) const;
  // From here on full_name() says the second name where the first one stands.
  void set_aliases(std::map<std::string, std::string> aliases) { aliases_ = std::move(aliases); }
  // A way from a root: the way that a search finds first. Built once for all nodes, then cheap.
  std::string path(NodeId id) const;

 private:
  struct Step {
    NodeId from = kNoNode;
    std::uint64_t child = 0;
  };
  void search_paths() const;
  void touch(std::span<const std::byte> bytes) const;

  // One of the two.
  const Graph* graph_ = nullptr;
  const format::Image* image_ = nullptr;
  Release release_;
  mutable std::vector<std::span<const std::byte>> touched_;
  mutable std::uint64_t touched_bytes_ = 0;
  std::map<std::string, std::string> aliases_;
  mutable std::vector<Step> steps_;  // by node; empty: not searched yet
};

// What is being read, in words.
using GraphReader = NodeReader;
using ImageReader = NodeReader;

}  // namespace mere::graph
