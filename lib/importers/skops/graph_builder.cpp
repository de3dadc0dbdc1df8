#include "importers/skops/graph_builder.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <mere/array.hpp>
#include <mere/size.hpp>

#include "importers/skops/leaves.hpp"

namespace mere::importers::skops {

namespace {

constexpr std::string_view kBitGenerators[] = {"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"};
// scipy's own number of elements to print, which its matrices carry.
constexpr std::int64_t kMaxPrint = 50;

class Builder {
 public:
  Builder(const Schema& schema, const MemberFiles& files) : schema_(schema), json_(schema.json()), files_(files) {}

  Graph build() {
    nodes_.reserve(schema_.nodes().size());
    for (const SchemaNode& node : schema_.nodes()) {
      try {
        nodes_.push_back(make(node));
      } catch (const Error& error) {
        if (error.message().starts_with("schema.json")) throw;
        throw error.with_context("schema.json, byte " + std::to_string(json_.offset(node.json)));
      }
    }
    graph_.model_root = nodes_.back();
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const SchemaNode& node, const std::string& what) const {
    schema_.fail(node.json, Reason::bad_record, what);
  }

  NodeId make(const SchemaNode& node);
  NodeId make_dict(const SchemaNode& node);
  NodeId make_array(const SchemaNode& node);
  NodeId make_object_array(const SchemaNode& node);
  NodeId make_array_subclass(const SchemaNode& node, NodeId array, const std::vector<std::int64_t>& shape,
                             bool fortran);
  NodeId make_masked_array(const SchemaNode& node);
  NodeId make_mask(const SchemaNode& node, const SchemaNode& mask, const std::vector<std::int64_t>& shape);
  NodeId make_sparse_matrix(const SchemaNode& node);
  NodeId make_random_state(const SchemaNode& node);
  NodeId make_generator(const SchemaNode& node);
  NodeId make_reduced(const SchemaNode& node);
  NodeId make_constructed(const SchemaNode& node);
  NodeId make_object(const SchemaNode& node);

  const SchemaNode& part_node(const SchemaNode& node, std::size_t i) const {
    return schema_.nodes()[schema_.parts(node)[i]];
  }
  NodeId part(const SchemaNode& node, std::size_t i) const { return nodes_[schema_.parts(node)[i]]; }
  std::vector<NodeId> part_ids(const SchemaNode& node) const {
    std::vector<NodeId> ids;
    for (const SchemaId id : schema_.parts(node)) ids.push_back(nodes_[id]);
    return ids;
  }
  NodeId expect(const SchemaNode& node, std::size_t i, Kind kind) const {
    const NodeId id = part(node, i);
    if (graph_.kind(id) != kind) {
      fail(node,
           "a part that is " + std::string(to_text(graph_.kind(id))) + ", expected " + std::string(to_text(kind)));
    }
    return id;
  }
  NodeId unless_empty(NodeId container) const { return graph_.members(container).empty() ? kNoNode : container; }

  // What is built is what was shown: the one place that makes a name.
  NodeId name(const NamePair& pair) {
    if (!schema_.is_named(pair.module, pair.qualname)) {
      throw Error(Reason::bad_record, "schema.json: " + std::string(pair.module) + "." + std::string(pair.qualname) +
                                          " would be built without having been shown");
    }
    return graph_.name(pair.module, pair.qualname);
  }
  NodeId class_of(const SchemaNode& node) { return name({node.module, node.qualname}); }
  NodeId texts(std::initializer_list<std::pair<std::string_view, NodeId>> entries) {
    std::vector<std::pair<NodeId, NodeId>> pairs;
    for (const auto& [key, value] : entries) pairs.emplace_back(graph_.text(key), value);
    return graph_.dict(pairs);
  }
  NodeId tuple(std::initializer_list<NodeId> members) {
    return graph_.tuple(std::span<const NodeId>(members.begin(), members.size()));
  }
  NodeId dims(std::span<const std::int64_t> shape) {
    std::vector<NodeId> ids;
    for (const std::int64_t n : shape) ids.push_back(graph_.integer(n));
    return graph_.tuple(ids);
  }
  NodeId add_array(const MemberArray& array) {
    return graph_.array(array.header.dtype, array.header.shape,
                        array.header.fortran ? Graph::Order::fortran : Graph::Order::c,
                        {array.data.bytes.data(), array.data.owner});
  }
  std::string bit_generator_of(const SchemaNode& node, NodeId state) const;

  const Schema& schema_;
  const container::Json& json_;
  const MemberFiles& files_;
  Graph graph_;
  std::vector<NodeId> nodes_;  // by schema node
};

NodeId Builder::make(const SchemaNode& node) {
  const bool plain = form_of(node) == Form::plain;
  switch (node.loader) {
    case Loader::json:
      if (json_.kind(*node.content) != container::JsonKind::text) fail(node, "a content that is no text");
      return leaf_of_text(graph_, json_.text(*node.content));
    case Loader::dict:
    case Loader::default_dict:
    case Loader::deprecated_dict: return make_dict(node);
    case Loader::list: {
      const NodeId list = graph_.list(part_ids(node));
      return plain ? list : graph_.object(ObjectForm::construct, {.type = class_of(node), .items = list});
    }
    case Loader::tuple: {
      // Of a class: a named tuple, whose fields are its arguments.
      const NodeId members = graph_.tuple(part_ids(node));
      if (plain) return members;
      return graph_.object(ObjectForm::construct, {.type = class_of(node), .args = unless_empty(members)});
    }
    case Loader::set: {
      const std::vector<NodeId> members = part_ids(node);
      if (!plain) {
        const NodeId args = tuple({graph_.list(members)});
        return graph_.object(ObjectForm::call, {.type = class_of(node), .args = args});
      }
      const NodeId set = graph_.set();
      graph_.fill(set, members);
      return set;
    }
    case Loader::bytes: return graph_.bytes(files_.bytes(node.file).bytes);
    case Loader::bytearray: return graph_.bytearray(files_.bytes(node.file).bytes);
    case Loader::slice: {
      if (json_.kind(*node.content) != container::JsonKind::object || json_.member_count(*node.content) != 3) {
        fail(node, "a slice that is not start, stop and step");
      }
      std::array<NodeId, 3> ids{};
      constexpr std::string_view kNames[] = {"start", "stop", "step"};
      for (std::size_t i = 0; i < ids.size(); ++i) {
        ids[i] = graph_of_json(graph_, json_, json_.get(*node.content, kNames[i]));
      }
      return graph_.slice(ids[0], ids[1], ids[2]);
    }
    case Loader::function:
    case Loader::type: return name(canonical_type(node.module, node.qualname));
    case Loader::method: {
      const NodeId method = graph_.text(json_.text(json_.get(*node.content, "func")));
      return graph_.object(ObjectForm::construct, {.type = name(kMethod), .args = tuple({part(node, 0), method})});
    }
    case Loader::partial: {
      expect(node, 1, Kind::tuple);
      expect(node, 2, Kind::dict);
      const NodeId args = tuple({part(node, 0)}), state = graph_.tuple(part_ids(node));
      return graph_.object(ObjectForm::call, {.type = class_of(node), .args = args, .state = state});
    }
    case Loader::operator_function:
      return graph_.object(ObjectForm::call,
                           {.type = class_of(node), .args = unless_empty(expect(node, 0, Kind::tuple))});
    case Loader::constructor: return make_constructed(node);
    case Loader::object: return make_object(node);
    case Loader::array: return make_array(node);
    case Loader::masked_array: return make_masked_array(node);
    case Loader::sparse_matrix: return make_sparse_matrix(node);
    case Loader::dtype: {
      const SchemaNode& array = part_node(node, 0);
      if (array.loader != Loader::array) fail(node, "a dtype that is no array's");
      if (array.content) return graph_.dtype(Dtype::parse("|O"));
      return graph_.dtype(files_.array(array.file).header.dtype);
    }
    case Loader::random_state: return make_random_state(node);
    case Loader::random_generator: return make_generator(node);
    case Loader::tree:
    case Loader::loss:
    case Loader::quantile_forest: return make_reduced(node);
    case Loader::cached: break;
  }
  fail(node, "a node that is none");
}

NodeId Builder::make_dict(const SchemaNode& node) {
  if (node.loader == Loader::dict) {
    const std::vector<Schema::Key> types = schema_.key_types(node);
    std::vector<NodeId> members;
    std::size_t i = 0;
    for (container::JsonId member = json_.first_of(*node.content); member < json_.end_of(*node.content);
         member = json_.end_of(member), ++i) {
      members.push_back(key_of_text(graph_, types[i], json_.key(member)));
      members.push_back(part(node, i));
    }
    const NodeId dict = graph_.dict();
    graph_.fill(dict, members);
    if (form_of(node) == Form::plain) return dict;
    const NodeId type = class_of(node);
    if (node.module == "collections" && node.qualname == "Counter") {
      return graph_.object(ObjectForm::call, {.type = type, .args = tuple({dict})});
    }
    // Releases before 0.11 keep a defaultdict so, without what makes its defaults.
    const bool called =
        node.module == "collections" && (node.qualname == "OrderedDict" || node.qualname == "defaultdict");
    return graph_.object(called ? ObjectForm::call : ObjectForm::construct,
                         {.type = type, .entries = unless_empty(dict)});
  }
  const NodeId entries = unless_empty(expect(node, 0, Kind::dict)), second = part(node, 1);
  if (node.loader == Loader::deprecated_dict) {
    const NodeId state = texts({{"_deprecated_key_to_new_key", second}});
    return graph_.object(ObjectForm::construct, {.type = class_of(node), .state = state, .entries = entries});
  }
  const NodeId args = graph_.kind(second) == Kind::null ? kNoNode : tuple({second});
  return graph_.object(ObjectForm::call, {.type = class_of(node), .args = args, .entries = entries});
}

NodeId Builder::make_array(const SchemaNode& node) {
  if (node.content) return make_object_array(node);
  const MemberArray array = files_.array(node.file);
  if (is_numpy_scalar(node)) {
    if (!array.header.shape.empty()) fail(node, "a scalar that is an array");
    const std::optional<Dtype> type = find_scalar_type(node.qualname);
    const TypeClass found = array.header.dtype.type_class();
    const bool fits = type                             ? *type == array.header.dtype
                      : node.qualname == "str_"        ? found == TypeClass::unicode
                      : node.qualname == "bytes_"      ? found == TypeClass::bytes
                      : node.qualname == "datetime64"  ? found == TypeClass::datetime
                      : node.qualname == "timedelta64" ? found == TypeClass::timedelta
                                                       : found == TypeClass::raw || found == TypeClass::record;
    if (!fits) fail(node, "a numpy." + std::string(node.qualname) + " of type " + array.header.dtype.to_text());
    return graph_.scalar(array.header.dtype, array.data.bytes);
  }
  const NodeId made = add_array(array);
  if (form_of(node) == Form::plain) return made;
  return make_array_subclass(node, made, array.header.shape, array.header.fortran);
}

// Elements stand in lists as deep as the array has dimensions.
NodeId Builder::make_object_array(const SchemaNode& node) {
  if (is_numpy_scalar(node)) fail(node, "a scalar of an object");
  const auto parts = schema_.parts(node);
  const NodeId shape_node = nodes_[parts.back()];
  if (graph_.kind(shape_node) != Kind::tuple) fail(node, "a shape that is no tuple");
  std::vector<std::int64_t> shape;
  Size product = 1;
  for (const NodeId dim : graph_.members(shape_node)) {
    if (graph_.kind(dim) != Kind::integer) fail(node, "a dimension that is no integer");
    shape.push_back(graph_.integer_value(dim));
    product = product * Size::from_signed(shape.back());
  }
  if (shape.empty() || shape.size() > kMaxDims) fail(node, "an array of objects of no dimension, or of more than 64");
  // Lists that are shared could stand for any number of elements.
  if (!product.fits(json_.size())) fail(node, "an array of more objects than the file holds");
  std::vector<SchemaId> elements(parts.begin(), parts.end() - 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::uint64_t wanted = 1;
    for (std::size_t k = 0; k <= i; ++k) wanted *= static_cast<std::uint64_t>(shape[k]);
    if (elements.size() != wanted) fail(node, "an array of objects that does not have its shape");
    if (i + 1 == shape.size()) break;
    std::vector<SchemaId> inner;
    for (const SchemaId id : elements) {
      const SchemaNode& list = schema_.nodes()[id];
      if (list.loader != Loader::list || list.part_count != static_cast<std::uint64_t>(shape[i + 1])) {
        fail(node, "an array of objects that does not have its shape");
      }
      const auto members = schema_.parts(list);
      inner.insert(inner.end(), members.begin(), members.end());
    }
    elements = std::move(inner);
  }
  std::vector<NodeId> ids;
  for (const SchemaId id : elements) ids.push_back(nodes_[id]);
  const NodeId array = graph_.object_array(shape, ids);
  return form_of(node) == Form::plain ? array : make_array_subclass(node, array, shape, false);
}

NodeId Builder::make_array_subclass(const SchemaNode& node, NodeId array, const std::vector<std::int64_t>& shape,
                                    bool fortran) {
  constexpr std::byte kKind{'b'};
  const NodeId args = tuple({class_of(node), tuple({graph_.integer(0)}), graph_.bytes(std::span(&kKind, 1))});
  const NodeId state =
      tuple({graph_.integer(1), dims(shape), graph_.dtype(graph_.dtype_value(array)), graph_.boolean(fortran), array});
  return graph_.object(ObjectForm::call, {.type = name(kReconstruct), .args = args, .state = state});
}

NodeId Builder::make_masked_array(const SchemaNode& node) {
  const SchemaNode &data = part_node(node, 0), &mask = part_node(node, 1);
  if (data.loader != Loader::array || mask.loader != Loader::array || form_of(data) != Form::plain ||
      is_numpy_scalar(data)) {
    fail(node, "a masked array whose data or mask is no array");
  }
  std::vector<std::int64_t> shape;
  bool fortran = false;
  if (data.content) {
    for (const NodeId dim : graph_.members(nodes_[schema_.parts(data).back()]))
      shape.push_back(graph_.integer_value(dim));
  } else {
    const MemberArray array = files_.array(data.file);
    shape = array.header.shape;
    fortran = array.header.fortran;
  }
  const NodeId array = part(node, 0);
  const NodeId args = tuple({class_of(node), name(kNdarray), tuple({graph_.integer(0)}), graph_.text("b")});
  const NodeId state = tuple({graph_.integer(1), dims(shape), graph_.dtype(graph_.dtype_value(array)),
                              graph_.boolean(fortran), array, make_mask(node, mask, shape), graph_.null()});
  return graph_.object(ObjectForm::call, {.type = name(kMaskedReconstruct), .args = args, .state = state});
}

// A mask that masks nothing is one False; pickle writes it out.
NodeId Builder::make_mask(const SchemaNode& node, const SchemaNode& mask, const std::vector<std::int64_t>& shape) {
  if (mask.content) fail(node, "a mask of objects");
  const MemberArray array = files_.array(mask.file);
  if (!is_numpy_scalar(mask)) {
    if (form_of(mask) != Form::plain || array.header.shape != shape) fail(node, "a mask of another shape");
    return part(node, 1);
  }
  if (array.header.dtype.type_class() != TypeClass::boolean || !array.header.shape.empty()) {
    fail(node, "a mask that is no bool");
  }
  Size size = 1;
  for (const std::int64_t n : shape) size = size * Size::from_signed(n);
  // The data are there, so that this is no more than they are; a record of no bytes could be any number of them.
  const std::uint64_t count = size.get("mask");
  const NodeId data = part(node, 0);
  if (graph_.dtype_value(data).itemsize() == 0 && count > json_.size()) fail(node, "a mask of elements of no bytes");
  auto bytes = std::make_shared<const std::vector<std::byte>>(count, array.data.bytes[0]);
  return graph_.array(Dtype::of<bool>(), shape, Graph::Order::c, {bytes->data(), bytes});
}

NodeId Builder::make_sparse_matrix(const SchemaNode& node) {
  std::optional<MemberArray> format, shape;
  std::vector<std::pair<std::string, NodeId>> arrays;
  bool is_array = false;
  for (auto& [key, array] : files_.archive(node.file)) {
    if (key == "format") {
      format = std::move(array);
    } else if (key == "shape") {
      shape = std::move(array);
    } else if (key == "_is_array") {
      is_array = true;
    } else {
      arrays.emplace_back(key, add_array(array));
    }
  }
  if (!format || !shape) fail(node, "a sparse matrix without format or shape");
  // A text or bytes of three letters.
  std::string layout;
  for (const std::byte byte : format->data.bytes) {
    if (byte != std::byte{0}) layout += static_cast<char>(byte);
  }
  // scipy builds by the format what the node only shows. Before 1.11 it did not say of an array that it is one.
  if (node.qualname != layout + "_array" && (is_array || node.qualname != layout + "_matrix")) {
    fail(node, "a sparse matrix of format '" + layout.substr(0, 40) + "' shown as " + std::string(node.qualname));
  }
  std::vector<std::string_view> wanted;
  if (layout == "csr" || layout == "csc" || layout == "bsr") wanted = {"indices", "indptr", "data"};
  if (layout == "coo") wanted = {"row", "col", "data"};
  if (layout == "dia") wanted = {"data", "offsets"};
  if (wanted.empty() || wanted.size() != arrays.size())
    fail(node, "a sparse matrix of other parts than its format has");
  if (!(shape->header.dtype == Dtype::of<std::int64_t>()) || shape->header.shape != std::vector<std::int64_t>{2}) {
    fail(node, "a sparse matrix whose shape is not two integers");
  }
  std::vector<std::pair<NodeId, NodeId>> state;
  const auto dim = [&](std::size_t i) {
    return detail::load_value<std::int64_t>(shape->data.bytes.data() + 8 * i, false);
  };
  state.emplace_back(graph_.text("_shape"), dims(std::array{dim(0), dim(1)}));
  state.emplace_back(graph_.text("maxprint"), graph_.integer(kMaxPrint));
  for (const std::string_view key : wanted) {
    const auto found =
        std::find_if(arrays.begin(), arrays.end(), [&](const auto& entry) { return entry.first == key; });
    if (found == arrays.end()) fail(node, "a sparse matrix without " + std::string(key));
    state.emplace_back(graph_.text(key), found->second);
  }
  return graph_.object(ObjectForm::construct, {.type = class_of(node), .state = graph_.dict(state)});
}

// The name that a bit generator's state gives; NumPy would look it up, so that only its own are let through.
std::string Builder::bit_generator_of(const SchemaNode& node, NodeId state) const {
  if (graph_.kind(state) == Kind::dict) {
    const auto members = graph_.members(state);
    for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
      if (graph_.kind(members[i]) != Kind::text || graph_.text_value(members[i]) != "bit_generator") continue;
      if (graph_.kind(members[i + 1]) != Kind::text) break;
      std::string found(graph_.text_value(members[i + 1]));
      if (std::find(std::begin(kBitGenerators), std::end(kBitGenerators), found) != std::end(kBitGenerators))
        return found;
      fail(node, "'" + found.substr(0, 100) + "' is no bit generator of NumPy");
    }
  }
  fail(node, "a random state that names no bit generator");
}

NodeId Builder::make_random_state(const SchemaNode& node) {
  const NodeId state = part(node, 0);
  const NodeId args = tuple({graph_.text(bit_generator_of(node, state))});
  return graph_.object(ObjectForm::call, {.type = name(kRandomState), .args = args, .state = state});
}

NodeId Builder::make_generator(const SchemaNode& node) {
  const NodeId state =
      node.part_count > 0 ? part(node, 0) : graph_of_json(graph_, json_, json_.get(*node.content, "bit_generator"));
  const NodeId word = graph_.text(bit_generator_of(node, state));
  if (node.part_count < 2) {
    return graph_.object(ObjectForm::call, {.type = name(kGenerator), .args = tuple({word}), .state = state});
  }
  const NodeId seed =
      graph_.object(ObjectForm::call, {.type = name(kSeedSequence), .kwargs = expect(node, 1, Kind::dict)});
  const NodeId bit_generator = graph_.object(
      ObjectForm::call, {.type = name(kBitGenerator), .args = tuple({word}), .state = tuple({state, seed})});
  return graph_.object(ObjectForm::call, {.type = name(kGenerator), .args = tuple({bit_generator})});
}

// A call of the class with what __reduce__ gave; a state only if there is one.
NodeId Builder::make_reduced(const SchemaNode& node) {
  const NodeId args = expect(node, 0, Kind::tuple), state = part(node, 1);
  const Kind kind = graph_.kind(state);
  const bool empty =
      kind == Kind::null || ((kind == Kind::dict || kind == Kind::tuple) && graph_.members(state).empty());
  return graph_.object(ObjectForm::call,
                       {.type = class_of(node), .args = unless_empty(args), .state = empty ? kNoNode : state});
}

NodeId Builder::make_constructed(const SchemaNode& node) {
  const NodeId args = expect(node, 0, Kind::tuple);
  if (form_of(node) == Form::of_class) {
    return graph_.object(ObjectForm::call, {.type = class_of(node), .args = unless_empty(args)});
  }
  const auto members = graph_.members(args);
  if (node.qualname == "range") {
    const std::array<NodeId, 3> ends = members.size() == 3 ? std::array{members[0], members[1], members[2]}
                                                           : std::array<NodeId, 3>{kNoNode, kNoNode, kNoNode};
    for (const NodeId end : ends) {
      if (end == kNoNode || graph_.kind(end) != Kind::integer) fail(node, "a range that is not three integers");
    }
    return graph_.range(ends[0], ends[1], ends[2]);
  }
  if (members.empty()) return graph_.frozenset({});
  if (members.size() != 1 || graph_.kind(members[0]) != Kind::list) fail(node, "a frozenset that is not of one list");
  const auto inner = graph_.members(members[0]);
  const std::vector<NodeId> copy(inner.begin(), inner.end());
  return graph_.frozenset(copy);
}

NodeId Builder::make_object(const SchemaNode& node) {
  NodeId state = node.part_count == 0 ? kNoNode : part(node, 0);
  if (state != kNoNode && graph_.kind(state) == Kind::null) state = kNoNode;
  if (form_of(node) == Form::reader_object) {
    const NodeId args = tuple({class_of(node)});
    return graph_.object(ObjectForm::call, {.type = name({node.module, "newObj"}), .args = args, .state = state});
  }
  return graph_.object(ObjectForm::construct, {.type = class_of(node), .state = state});
}

}  // namespace

Graph build_graph(const Schema& schema, const MemberFiles& files) {
  return Builder(schema, files).build();
}

}  // namespace mere::importers::skops
