#pragma once
// Nodes of an open model: a cursor that borrows. A Node is two words and lives while some handle on the model does.
// Every id, offset and count is checked where it is used, on a copy read once: a hostile file gives Error, never
// an unsafe access. Node kinds: docs/format.md 4. Safe to use from any number of threads.

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/array.hpp>
#include <mere/graph.hpp>

namespace mere {

namespace format {
class Image;
}

// A sparse matrix: scipy's csr, csc, coo, bsr, dia, dok or lil layout, read from the object's state.
struct SparseView;

class MERE_API Node {
 public:
  Node() = default;
  Node(const format::Image* image, NodeId id) : image_(image), id_(id) {}

  NodeId id() const { return id_; }
  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }

  // Values. Throw Error: wrong_kind, out_of_range.
  bool boolean() const;
  std::int64_t integer() const;
  std::string integer_text() const;                  // of any size, in decimal
  std::span<const std::byte> integer_bytes() const;  // big ones only (kind integer, is_big())
  bool is_big() const;
  double real() const;  // real, or an integer that a double holds exactly
  std::complex<double> complex() const;
  std::string_view text() const;             // UTF-8; in the map
  std::span<const std::byte> bytes() const;  // bytes, bytearray, opaque: in the map
  std::string_view name() const;             // name: "sklearn.tree._tree.Tree"
  std::string_view module() const;           // name: "sklearn.tree._tree"
  std::string_view qualname() const;         // name: "Tree"
  Dtype dtype() const;                       // dtype, scalar, array
  std::span<const std::byte> scalar_bytes() const;
  ArrayView array() const;  // arrays of anything but objects

  // Members. list, tuple, set, frozenset, slice, range, object arrays: items; dict: entries.
  std::uint64_t size() const;                // members, entries; 0 for leaves
  Node operator[](std::size_t index) const;  // item; throws no_path
  Node operator[](int index) const { return (*this)[static_cast<std::size_t>(index)]; }
  Node key(std::size_t index) const;    // dict: the key of entry `index`
  Node value(std::size_t index) const;  // dict: the value of entry `index`
  // dict: the value of a text key; object: of a name in its state. Throws no_path; find_ returns nothing.
  Node operator[](std::string_view key) const;
  Node operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  std::optional<Node> find(std::string_view key) const;
  std::vector<std::int64_t> object_array_shape() const;  // arrays of objects

  // Objects.
  ObjectForm form() const;
  std::string_view type_name() const;  // full name of an object's type or callable
  std::optional<Node> type() const;
  std::optional<Node> args() const;
  std::optional<Node> kwargs() const;
  std::optional<Node> state() const;
  std::optional<Node> items() const;
  std::optional<Node> entries() const;
  std::optional<Node> setter() const;
  std::optional<Node> info() const;  // opaque: what it is
  // A scipy sparse matrix or array of any layout. Throws Error: wrong_kind, schema.
  SparseView sparse() const;

  // "estimators_[3].tree_.nodes" from here. Grammar: docs/format.md 8. Throws Error: no_path, bad_argument.
  Node at(std::string_view path) const;
  std::optional<Node> find_at(std::string_view path) const;
  // The shortest path from its root, ties by stored order; found by a search over the graph.
  std::string path() const;

  const format::Image* image() const { return image_; }
  friend bool operator==(const Node&, const Node&) = default;

 private:
  const format::Image* image_ = nullptr;
  NodeId id_ = kNoNode;
};

struct SparseView {
  std::string_view layout;  // "csr", "csc", "coo", "bsr", "dia"
  std::int64_t rows = 0, columns = 0;
  std::optional<ArrayView> data, indices, indptr, row, col, offsets;  // those the layout has
};

// A walk over every node reachable from `start`, each once, parents before children, in stored order.
// Iterative; bounded by the number of nodes.
class MERE_API Walk {
 public:
  explicit Walk(Node start);
  ~Walk();
  Walk(Walk&&) noexcept;
  // Moves to the next node; false at the end.
  bool next();
  Node node() const;
  std::string path() const;  // of the cursor: the way it came, from `start`
  std::size_t depth() const;
  bool first_visit() const;  // false: the node was met before (it is shown, not entered)
  // Whether next() also stops at nodes met before. Default: no.
  void show_repeats(bool on);
  void skip_children();  // do not enter the current node

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mere
