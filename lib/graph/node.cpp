#include <mere/node.hpp>

#include <bit>
#include <cstring>

#include "graph/big_integer.hpp"
#include "graph/path.hpp"
#include "graph/read.hpp"

namespace mere {

using format::Image;
using format::NodeRecord;

namespace {

// Paths are found by a search: not in files of very many nodes, where an error would take long.
constexpr std::uint64_t kPathSearchNodes = 100000;

NodeRecord record_of(const Image* image, NodeId id) {
  if (image == nullptr) throw Error(Reason::bad_argument, "a node of no model");
  return image->node(id);
}

[[noreturn]] void throw_wrong_kind(const Image& image, NodeId id, Kind found, std::string_view wanted) {
  std::string path;
  if (image.section(format::Section::nodes).count <= kPathSearchNodes) {
    try {
      path = ", \"" + Node(&image, id).path() + "\"";
    } catch (const Error&) {
      // The number of the node has to do.
    }
  }
  throw Error(Reason::wrong_kind, image.name() + ": node " + std::to_string(id) + path + ": expected " +
                                      std::string(wanted) + ", found " + std::string(to_text(found)));
}

// A copy of the record, after a check of its kind.
NodeRecord expect(const Image* image, NodeId id, Kind wanted) {
  const NodeRecord record = record_of(image, id);
  const Kind found = graph::kind_of(*image, id, record);
  if (found != wanted) throw_wrong_kind(*image, id, found, to_text(wanted));
  return record;
}

[[noreturn]] void throw_no_member(const Image& image, NodeId id, const std::string& what) {
  throw Error(Reason::no_path, graph::where(image, id) + ": no " + what);
}

std::optional<Node> node_or_nothing(const Image* image, NodeId id) {
  if (id == kNoNode) return std::nullopt;
  return Node(image, id);
}

// The dict or list inside an object that `{i}` and `[i]` mean, or the node itself.
std::optional<Node> part_of(const Image* image, NodeId id, std::uint8_t part) {
  return node_or_nothing(image, graph::find_part(*image, id, expect(image, id, Kind::object), part));
}

}  // namespace

Kind Node::kind() const {
  return graph::kind_of(*image_, id_, record_of(image_, id_));
}

bool Node::boolean() const {
  return expect(image_, id_, Kind::boolean).b != 0;
}

std::int64_t Node::integer() const {
  const NodeRecord record = expect(image_, id_, Kind::integer);
  if ((record.flags & format::kBigInteger) == 0) return static_cast<std::int64_t>(record.b);
  const auto value = graph::find_int64(graph::heap_of(*image_, record));
  if (!value) throw Error(Reason::out_of_range, graph::where(*image_, id_) + ": the integer does not fit in 64 bits");
  return *value;
}

bool Node::is_big() const {
  return (expect(image_, id_, Kind::integer).flags & format::kBigInteger) != 0;
}

std::span<const std::byte> Node::integer_bytes() const {
  const NodeRecord record = expect(image_, id_, Kind::integer);
  if ((record.flags & format::kBigInteger) == 0) {
    throw Error(Reason::wrong_kind, graph::where(*image_, id_) + ": an integer of 64 bits has no bytes of its own");
  }
  return graph::heap_of(*image_, record);
}

std::string Node::integer_text() const {
  const NodeRecord record = expect(image_, id_, Kind::integer);
  if ((record.flags & format::kBigInteger) == 0) return std::to_string(static_cast<std::int64_t>(record.b));
  return graph::decimal_text(graph::heap_of(*image_, record));
}

double Node::real() const {
  const NodeRecord record = record_of(image_, id_);
  const Kind found = graph::kind_of(*image_, id_, record);
  if (found == Kind::real) return std::bit_cast<double>(record.b);
  if (found != Kind::integer) throw_wrong_kind(*image_, id_, found, "float");
  const std::int64_t value = integer();
  const auto made = static_cast<double>(value);
  // 2^63 itself is the one double that is equal to no int64 and yet reached by rounding.
  if (made >= 0x1p63 || static_cast<std::int64_t>(made) != value) {
    throw Error(Reason::out_of_range, graph::where(*image_, id_) + ": no double is equal to " + std::to_string(value));
  }
  return made;
}

std::complex<double> Node::complex() const {
  const NodeRecord record = expect(image_, id_, Kind::complex);
  double parts[2];
  const std::span<const std::byte> bytes = graph::heap_of(*image_, record);
  if (bytes.size() != sizeof parts)
    graph::throw_node(*image_, id_, Reason::bad_node, "a complex number that has not 16 bytes");
  std::memcpy(parts, bytes.data(), sizeof parts);
  return {parts[0], parts[1]};
}

std::string_view Node::text() const {
  return graph::text_of(*image_, expect(image_, id_, Kind::text));
}

std::span<const std::byte> Node::bytes() const {
  NodeRecord record = record_of(image_, id_);
  Kind found = graph::kind_of(*image_, id_, record);
  if (found == Kind::opaque) {
    record = image_->node(image_->link(graph::children_of(*image_, id_, record).first + 1));
    if (record.kind != static_cast<std::uint8_t>(Kind::bytes)) {
      graph::throw_node(*image_, id_, Reason::schema, "an opaque node whose second link is no bytes node");
    }
    found = Kind::bytes;
  }
  if (found != Kind::bytes && found != Kind::bytearray) throw_wrong_kind(*image_, id_, found, "bytes");
  return graph::heap_of(*image_, record);
}

std::string_view Node::name() const {
  return graph::text_of(*image_, expect(image_, id_, Kind::name));
}

std::string_view Node::module() const {
  const NodeRecord record = expect(image_, id_, Kind::name);
  const std::string_view full = graph::text_of(*image_, record);
  if (record.form == 0) return {};
  if (record.form >= full.size() || full[record.form] != '.') {
    graph::throw_node(*image_, id_, Reason::bad_node, "a name without a dot after its module");
  }
  return full.substr(0, record.form);
}

std::string_view Node::qualname() const {
  const std::string_view before = module();
  const std::string_view full = name();
  return before.empty() ? full : full.substr(std::min(full.size(), before.size() + 1));
}

Dtype Node::dtype() const {
  const NodeRecord record = record_of(image_, id_);
  const Kind found = graph::kind_of(*image_, id_, record);
  if (found == Kind::dtype || found == Kind::scalar) return graph::read_dtype(*image_, record.a);
  if (found != Kind::array) throw_wrong_kind(*image_, id_, found, "array, scalar or dtype");
  return graph::read_dtype(*image_, image_->array(record.a).type);
}

std::span<const std::byte> Node::scalar_bytes() const {
  const NodeRecord record = expect(image_, id_, Kind::scalar);
  return image_->heap(record.b, image_->type(record.a).itemsize);
}

ArrayView Node::array() const {
  const NodeRecord record = expect(image_, id_, Kind::array);
  if (record.flags == static_cast<std::uint8_t>(format::Layout::objects)) {
    throw_wrong_kind(*image_, id_, Kind::array, "array of numbers, not of objects");
  }
  return ArrayView(image_, id_);
}

std::uint64_t Node::size() const {
  const NodeRecord record = record_of(image_, id_);
  const Kind found = graph::kind_of(*image_, id_, record);
  if (found == Kind::dict) return record.a;
  if (found == Kind::object || found == Kind::opaque) return 0;
  return graph::children_of(*image_, id_, record).count;
}

Node Node::operator[](std::size_t index) const {
  const NodeRecord record = record_of(image_, id_);
  const Kind found = graph::kind_of(*image_, id_, record);
  if (found == Kind::object) {
    if (const auto list = items()) return (*list)[index];
    throw_no_member(*image_, id_, "items, so no [" + std::to_string(index) + "]");
  }
  if (found == Kind::dict || found == Kind::opaque) throw_wrong_kind(*image_, id_, found, "list or another sequence");
  const graph::Children members = graph::children_of(*image_, id_, record);
  if (index >= members.count) {
    throw_no_member(*image_, id_, "member [" + std::to_string(index) + "] among " + std::to_string(members.count));
  }
  return Node(image_, image_->link(members.first + index));
}

Node Node::key(std::size_t index) const {
  const NodeRecord record = expect(image_, id_, Kind::dict);
  if (index >= record.a)
    throw_no_member(*image_, id_, "entry {" + std::to_string(index) + "} among " + std::to_string(record.a));
  return Node(image_, image_->link(record.b + 2 * std::uint64_t{index}));
}

Node Node::value(std::size_t index) const {
  const NodeRecord record = expect(image_, id_, Kind::dict);
  if (index >= record.a)
    throw_no_member(*image_, id_, "entry {" + std::to_string(index) + "} among " + std::to_string(record.a));
  return Node(image_, image_->link(record.b + 2 * std::uint64_t{index} + 1));
}

std::optional<Node> Node::find(std::string_view key) const {
  const NodeRecord record = record_of(image_, id_);
  switch (graph::kind_of(*image_, id_, record)) {
    case Kind::dict: return node_or_nothing(image_, graph::find_in_dict(*image_, id_, record, key));
    case Kind::object: return node_or_nothing(image_, graph::find_in_state(*image_, id_, record, key));
    default: return std::nullopt;
  }
}

Node Node::operator[](std::string_view key) const {
  if (const auto found = find(key)) return *found;
  throw_no_member(*image_, id_, "\"" + std::string(key.substr(0, 200)) + "\" in this " + std::string(to_text(kind())));
}

std::vector<std::int64_t> Node::object_array_shape() const {
  const NodeRecord record = expect(image_, id_, Kind::array);
  if (record.flags != static_cast<std::uint8_t>(format::Layout::objects)) {
    throw_wrong_kind(*image_, id_, Kind::array, "array of objects");
  }
  graph::children_of(*image_, id_, record);  // checks the shape
  std::vector<std::int64_t> shape(record.form);
  for (std::uint64_t d = 0; d < shape.size(); ++d) shape[d] = image_->extent(record.b + d);
  return shape;
}

ObjectForm Node::form() const {
  const NodeRecord record = expect(image_, id_, Kind::object);
  if (record.form > 2)
    graph::throw_node(*image_, id_, Reason::bad_node, "an object of form " + std::to_string(record.form));
  return static_cast<ObjectForm>(record.form);
}

std::string_view Node::type_name() const {
  return type()->name();
}
std::optional<Node> Node::type() const {
  return part_of(image_, id_, format::kPartType);
}
std::optional<Node> Node::args() const {
  return part_of(image_, id_, format::kPartArgs);
}
std::optional<Node> Node::kwargs() const {
  return part_of(image_, id_, format::kPartKwargs);
}
std::optional<Node> Node::state() const {
  return part_of(image_, id_, format::kPartState);
}
std::optional<Node> Node::items() const {
  return part_of(image_, id_, format::kPartItems);
}
std::optional<Node> Node::entries() const {
  return part_of(image_, id_, format::kPartEntries);
}
std::optional<Node> Node::setter() const {
  return part_of(image_, id_, format::kPartSetter);
}

std::optional<Node> Node::info() const {
  const NodeRecord record = expect(image_, id_, Kind::opaque);
  return Node(image_, image_->link(graph::children_of(*image_, id_, record).first));
}

Node Node::at(std::string_view path) const {
  if (image_ == nullptr) throw Error(Reason::bad_argument, "a node of no model");
  return graph::walk_path(*this, path, true).value();
}

std::optional<Node> Node::find_at(std::string_view path) const {
  if (image_ == nullptr) throw Error(Reason::bad_argument, "a node of no model");
  return graph::walk_path(*this, path, false);
}

std::string Node::path() const {
  if (image_ == nullptr) throw Error(Reason::bad_argument, "a node of no model");
  return graph::search_path(*this);
}

}  // namespace mere
