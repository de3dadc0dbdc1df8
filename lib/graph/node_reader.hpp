#pragma once
// One way to read a graph for all that judges it (versions, capabilities, validators), whether it is being built
// (mere::Graph) or lies in a file (format::Image). Nothing read here is trusted.

#include <cstddef>
#include <cstdint>
#include <functional>
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
  NodeReader() = default;
  virtual ~NodeReader() = default;
  NodeReader(const NodeReader&) = delete;
  NodeReader& operator=(const NodeReader&) = delete;

  struct Root {
    std::string_view path;  // "", "@program", "@metadata"
    NodeId node;
  };
  virtual std::vector<Root> roots() const = 0;
  virtual std::uint64_t node_count() const = 0;
  // Bytes that arrays and texts may lie in: what a walk over all of them may cost is held against this.
  virtual std::uint64_t payload_bytes() const = 0;

  virtual Kind kind(NodeId id) const = 0;
  // Children in the order of docs/format.md 4: of a dict keys and values in turn, of an object its parts.
  virtual std::uint64_t child_count(NodeId id) const = 0;
  virtual NodeId child(NodeId id, std::uint64_t index) const = 0;
  virtual ObjectForm form(NodeId id) const = 0;
  virtual ObjectParts parts(NodeId id) const = 0;
  virtual std::string_view text(NodeId id) const = 0;                               // text, bytes, bytearray
  virtual std::pair<std::string_view, std::string_view> name(NodeId id) const = 0;  // module, qualname
  // An int, a bool, or a NumPy scalar of one; a float, an int, or a NumPy scalar of one.
  virtual std::optional<std::int64_t> find_integer(NodeId id) const = 0;
  virtual std::optional<double> find_real(NodeId id) const = 0;
  virtual Dtype dtype(NodeId id) const = 0;  // dtype, scalar, array
  virtual Dims object_array_shape(NodeId id) const = 0;
  virtual ArrayState array(NodeId id) const = 0;  // of anything but objects
  // The value of a text key, or kNoNode.
  virtual NodeId find(NodeId dict, std::string_view key) const = 0;

  bool is_object_array(NodeId id) const {
    return kind(id) == Kind::array && dtype(id).type_class() == TypeClass::object;
  }
  // "module.qualname" of an object's type, or of a name; empty: neither.
  std::string full_name(NodeId id) const;
  // A way from a root: the way that a search finds first. Built once for all nodes, then cheap.
  std::string path(NodeId id) const;

 private:
  struct Step {
    NodeId from = kNoNode;
    std::uint64_t child = 0;
  };
  void search_paths() const;
  mutable std::vector<Step> steps_;  // by node; empty: not searched yet
};

class GraphReader final : public NodeReader {
 public:
  // `release`, if not empty, is told of bytes that arrays were read from a while ago, so that the pages of a large map
  // need not stay; they may be read again.
  using Release = std::function<void(std::span<const std::byte>)>;
  explicit GraphReader(const Graph& graph, Release release = {}) : graph_(graph), release_(std::move(release)) {}
  std::vector<Root> roots() const override;
  std::uint64_t node_count() const override;
  std::uint64_t payload_bytes() const override;
  Kind kind(NodeId id) const override;
  std::uint64_t child_count(NodeId id) const override;
  NodeId child(NodeId id, std::uint64_t index) const override;
  ObjectForm form(NodeId id) const override;
  ObjectParts parts(NodeId id) const override;
  std::string_view text(NodeId id) const override;
  std::pair<std::string_view, std::string_view> name(NodeId id) const override;
  std::optional<std::int64_t> find_integer(NodeId id) const override;
  std::optional<double> find_real(NodeId id) const override;
  Dtype dtype(NodeId id) const override;
  Dims object_array_shape(NodeId id) const override;
  ArrayState array(NodeId id) const override;
  NodeId find(NodeId dict, std::string_view key) const override;

 private:
  void touch(std::span<const std::byte> bytes) const;

  const Graph& graph_;
  Release release_;
  mutable std::vector<std::span<const std::byte>> touched_;
  mutable std::uint64_t touched_bytes_ = 0;
};

class ImageReader final : public NodeReader {
 public:
  explicit ImageReader(const format::Image& image) : image_(image) {}
  std::vector<Root> roots() const override;
  std::uint64_t node_count() const override;
  std::uint64_t payload_bytes() const override;
  Kind kind(NodeId id) const override;
  std::uint64_t child_count(NodeId id) const override;
  NodeId child(NodeId id, std::uint64_t index) const override;
  ObjectForm form(NodeId id) const override;
  ObjectParts parts(NodeId id) const override;
  std::string_view text(NodeId id) const override;
  std::pair<std::string_view, std::string_view> name(NodeId id) const override;
  std::optional<std::int64_t> find_integer(NodeId id) const override;
  std::optional<double> find_real(NodeId id) const override;
  Dtype dtype(NodeId id) const override;
  Dims object_array_shape(NodeId id) const override;
  ArrayState array(NodeId id) const override;
  NodeId find(NodeId dict, std::string_view key) const override;

 private:
  const format::Image& image_;
};

}  // namespace mere::graph
