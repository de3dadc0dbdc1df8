#pragma once
// A graph in memory, on its way to a file: what importers, records and programs build, and what dump() writes.
// Nodes are numbers; containers may be made first and filled later, so that cycles can be built. Node kinds and
// what they hold: docs/format.md 4. The graph need not be canonical: dump() sorts, shares and drops what no root
// reaches.

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/dtype.hpp>

namespace mere {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffff;

// The numbers are those of the file; to_text gives the usual words ("null", "bool", "int", "float", "str", ...).
enum class Kind : std::uint8_t {
  null = 0,
  boolean = 1,
  integer = 2,
  real = 3,
  complex = 4,
  text = 5,
  bytes = 6,
  bytearray = 7,
  list = 8,
  tuple = 9,
  set = 10,
  frozenset = 11,
  dict = 12,
  slice = 13,
  range = 14,
  ellipsis = 15,
  array = 16,
  scalar = 17,
  dtype = 18,
  name = 19,
  object = 20,
  opaque = 21,
};
inline constexpr int kKindCount = 22;
MERE_API std::string_view to_text(Kind kind) noexcept;
MERE_API std::optional<Kind> find_kind(std::string_view word) noexcept;

// How an object is made again; data for a loader, never a call here. The numbers are those of the file.
enum class ObjectForm : std::uint16_t {
  construct = 0,  // type.__new__(type, *args, **kwargs), then state, items, entries
  call = 1,       // `type` is a callable: type(*args, **kwargs), then state, items, entries
  record = 2,     // a C++ struct (MERE_RECORD): state is a dict of its fields
};

// The parts of an object beside its type; kNoNode where absent.
struct ObjectParts {
  NodeId type = kNoNode;     // a `name` node: class, or callable for ObjectForm::call
  NodeId args = kNoNode;     // a tuple
  NodeId kwargs = kNoNode;   // a dict
  NodeId state = kNoNode;    // any node
  NodeId items = kNoNode;    // a list: what was appended
  NodeId entries = kNoNode;  // a dict: what was set by key
  NodeId setter = kNoNode;   // a `name` node: who sets the state, if not the object
};

// Where the bytes of an array lie until they are written. `data` is the first element; strides in bytes, of any
// sign. Memory stays alive through `owner`, or by the caller's care if that is null.
struct ArraySource {
  const std::byte* data = nullptr;
  std::shared_ptr<const void> owner;
};

class MERE_API Graph {
 public:
  Graph();
  ~Graph();
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Leaves. Texts are UTF-8 (lone surrogates as three bytes each, as Python's surrogatepass; flagged by dump()).
  NodeId null();
  NodeId boolean(bool value);
  NodeId integer(std::int64_t value);
  NodeId unsigned_integer(std::uint64_t value);
  // Any size: two's complement, little-endian, at least one byte.
  NodeId big_integer(std::span<const std::byte> twos_complement);
  NodeId real(double value);
  NodeId complex(std::complex<double> value);
  NodeId text(std::string_view utf8);
  NodeId bytes(std::span<const std::byte> value);
  NodeId bytearray(std::span<const std::byte> value);
  NodeId ellipsis();
  // A NumPy scalar: `value` holds dtype.itemsize() bytes in the dtype's own byte order.
  NodeId scalar(const Dtype& dtype, std::span<const std::byte> value);
  NodeId dtype(const Dtype& dtype);
  // A type or function by name: module "" for C++ types. ("sklearn.tree._tree", "Tree").
  NodeId name(std::string_view module, std::string_view qualname);

  // Containers. The first form makes an empty one; fill() gives it its members, replacing any it had.
  NodeId list();
  NodeId list(std::span<const NodeId> items);
  NodeId tuple(std::span<const NodeId> items);
  NodeId set();
  NodeId frozenset(std::span<const NodeId> items);
  NodeId dict();
  NodeId dict(std::span<const std::pair<NodeId, NodeId>> entries);
  NodeId slice(NodeId start, NodeId stop, NodeId step);
  NodeId range(NodeId start, NodeId stop, NodeId step);
  // An empty container of that kind (tuples and frozensets too), to be filled later.
  NodeId reserve(Kind kind);
  // list, tuple, set, frozenset: the members. dict: key, value, key, value ...  Throws Error: wrong_kind.
  void fill(NodeId container, std::span<const NodeId> members);

  NodeId object(ObjectForm form, const ObjectParts& parts);
  NodeId reserve_object();
  void fill_object(NodeId object, ObjectForm form, const ObjectParts& parts);

  // `info` is a dict that says what it is (format, name, ...); the bytes are carried, never read.
  NodeId opaque(NodeId info, std::span<const std::byte> bytes);

  // An array over memory that is read when the graph is dumped. `strides` in bytes, one a dimension.
  // Arrays whose byte ranges overlap in memory come back as views of one buffer.
  // Throws Error: shape_overflow, wrong_type (objects).
  NodeId array(const Dtype& dtype, std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
               ArraySource source);
  // The same for memory in C or Fortran order without gaps.
  enum class Order : std::uint8_t { c, fortran };
  NodeId array(const Dtype& dtype, std::span<const std::int64_t> shape, Order order, ArraySource source);
  // An array of objects: `elements` in C order, as many as the product of `shape`.
  NodeId object_array(std::span<const std::int64_t> shape, std::span<const NodeId> elements);

  // Looking at what was built.
  std::size_t node_count() const;
  Kind kind(NodeId id) const;
  std::int64_t integer_value(NodeId id) const;   // throws wrong_kind, out_of_range
  std::string_view text_value(NodeId id) const;  // text, bytes, bytearray: its bytes; until the next leaf is made
  std::pair<std::string_view, std::string_view> name_value(NodeId id) const;  // module, qualname; as text_value
  std::span<const NodeId> members(NodeId id) const;  // until the next node is made; objects: none
  ObjectForm object_form(NodeId id) const;
  ObjectParts object_parts(NodeId id) const;
  Dtype dtype_value(NodeId id) const;  // dtype, scalar, array

  // The roots: model, and optionally program and metadata (a dict).
  NodeId model_root = kNoNode;
  NodeId program_root = kNoNode;
  NodeId metadata_root = kNoNode;

  struct Store;
  Store& store() { return *store_; }  // for lib/graph alone
  const Store& store() const { return *store_; }

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace mere
