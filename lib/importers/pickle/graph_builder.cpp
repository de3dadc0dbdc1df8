#include "importers/pickle/graph_builder.hpp"

#include <algorithm>
#include <complex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mere/size.hpp>

#include "importers/pickle/literals.hpp"
#include "importers/pickle/numpy_types.hpp"

namespace mere::importers::pickle {

namespace {

// What a call stands for.
enum class Meaning : std::uint8_t {
  plain_call,     // type(*args)
  plain_object,   // an instance of a class
  reconstructed,  // copyreg._reconstructor(C, object, None) or copyreg.__newobj__(C, ...): an instance too
  array,
  frombuffer,
  object_array,
  array_subclass,
  dtype,
  scalar,
  bytes,
  bytearray,
  set,
  frozenset,
  complex,
  slice,
  range,
};

class Builder {
 public:
  Builder(const Values& values, std::shared_ptr<const void> owner)
      : values_(values), types_(values), owner_(std::move(owner)) {}

  Graph build(ValueId root) {
    find_reached(root);
    for (const ValueId value : reached_) {
      if (!is_late(value)) nodes_[value] = make(value);
    }
    for (const ValueId value : reached_) {
      if (is_late(value) && nodes_[value] == kNoNode) {
        being_made_[value] = true;
        make_late(value);
      }
    }
    for (const ValueId value : reached_) fill(value);
    graph_.model_root = nodes_[root];
    return std::move(graph_);
  }

 private:
  [[noreturn]] static void fail(const Call& call, Reason reason, const std::string& what) {
    throw Error(reason, "byte " + std::to_string(call.offset) + " of the pickle: " + what);
  }

  void find_reached(ValueId root);
  // Calls `visit` for every value that the node of `value` refers to.
  template <class Visit>
  void for_each_part(ValueId value, const Visit& visit) const;
  Meaning meaning_of(const Call& call);
  Meaning meaning_of_array(const Call& call, std::span<const ValueId> args);

  NodeId make(ValueId value);
  NodeId make_call(ValueId value);
  NodeId make_array(const Call& call);
  NodeId make_frombuffer(const Call& call);
  RawBytes array_bytes(const Call& call, const Dtype& type, std::span<const std::int64_t> shape, ValueId data) const;

  bool is_late(ValueId value) const;
  void make_late(ValueId first);
  std::span<const ValueId> late_parts(ValueId value) const;
  NodeId make_late_one(ValueId value, std::span<const ValueId> parts);
  NodeId make_object_array(const Call& call, std::span<const NodeId> elements);

  void fill(ValueId value);
  void fill_call(ValueId value);
  NodeId node(ValueId value) const { return value == kNoValue ? kNoNode : nodes_[value]; }
  std::span<const NodeId> nodes_of(std::span<const ValueId> values);  // until the next call
  NodeId unless_empty(ValueId container) const;

  const Values& values_;
  NumpyTypes types_;
  std::shared_ptr<const void> owner_;
  Graph graph_;
  std::vector<ValueId> reached_;   // ascending
  std::vector<Meaning> meanings_;  // of calls, by value
  std::vector<NodeId> nodes_;      // by value
  std::vector<bool> data_used_;    // bytes that an array lies in already, by value
  std::vector<bool> being_made_;   // by value
  std::vector<NodeId> scratch_;
};

// numpy.ndarray.__setstate__: (version, shape, dtype, fortran, data), in very old files without the version.
struct ArrayState {
  ValueId shape, dtype, fortran, data;
};

std::optional<ArrayState> find_array_state(const Values& values, const Call& call) {
  if (call.state == kNoValue || values.kind(call.state) != ValueKind::tuple) return std::nullopt;
  const auto parts = values.members(call.state);
  if (parts.size() != 4 && parts.size() != 5) return std::nullopt;
  const auto last = parts.last(4);
  return ArrayState{last[0], last[1], last[2], last[3]};
}

Meaning Builder::meaning_of_array(const Call& call, std::span<const ValueId> args) {
  if (args.size() != 3 || call.items != kNoValue || call.entries != kNoValue) return Meaning::plain_call;
  const bool plain =
      values_.kind(args[0]) == ValueKind::global && values_.global_of(args[0]).known == Known::numpy_ndarray;
  const auto state = find_array_state(values_, call);
  if (!state) return plain ? Meaning::array : Meaning::plain_call;
  // Of a type that is not understood: bytes and shape stay as they are.
  if (!types_.is_dtype(state->dtype)) return Meaning::plain_call;
  if (values_.kind(state->data) != ValueKind::list) return plain ? Meaning::array : Meaning::array_subclass;
  // Records with objects in them list their records as tuples: they stay as they are.
  const bool objects = types_.dtype(state->dtype, call.offset).type_class() == TypeClass::object;
  if (!objects || values_.kind(state->fortran) == ValueKind::none) return Meaning::plain_call;
  return plain ? Meaning::object_array : Meaning::array_subclass;
}

Meaning Builder::meaning_of(const Call& call) {
  if (call.form == Call::Form::construct) return Meaning::plain_object;
  const auto args = values_.members(call.args);
  const auto is_kind = [&](std::size_t i, ValueKind kind) { return i < args.size() && values_.kind(args[i]) == kind; };
  const auto all_kind = [&](ValueKind kind) {
    return std::all_of(args.begin(), args.end(), [&](ValueId id) { return values_.kind(id) == kind; });
  };
  switch (call.known) {
    case Known::numpy_reconstruct: return meaning_of_array(call, args);
    case Known::numpy_dtype:
      // Types that are given by a class stay as they are.
      if (call.items != kNoValue || call.entries != kNoValue || args.empty() || is_kind(0, ValueKind::global)) break;
      return Meaning::dtype;
    case Known::reconstructor:
      if (args.size() == 3 && is_kind(0, ValueKind::global) && is_kind(1, ValueKind::global) &&
          values_.global_of(args[1]).known == Known::object && is_kind(2, ValueKind::none)) {
        return Meaning::reconstructed;
      }
      break;
    case Known::newobj:
      if (is_kind(0, ValueKind::global)) return Meaning::reconstructed;
      break;
    case Known::newobj_ex:
      if (args.size() == 3 && is_kind(0, ValueKind::global) && is_kind(1, ValueKind::tuple) &&
          is_kind(2, ValueKind::dict)) {
        return Meaning::reconstructed;
      }
      break;
    default: break;
  }
  if (call.kwargs != kNoValue || call.state != kNoValue || call.items != kNoValue || call.entries != kNoValue) {
    return Meaning::plain_call;
  }
  const auto if_true = [](bool condition, Meaning meaning) { return condition ? meaning : Meaning::plain_call; };
  const bool one_sequence =
      args.empty() || (args.size() == 1 && (is_kind(0, ValueKind::list) || is_kind(0, ValueKind::tuple)));
  switch (call.known) {
    case Known::numpy_frombuffer:
      return if_true((args.size() == 4 || args.size() == 5) && types_.is_dtype(args[1]), Meaning::frombuffer);
    case Known::numpy_scalar: {
      if (args.size() != 2 || !types_.is_dtype(args[0]) || !find_raw_bytes(values_, args[1]))
        return Meaning::plain_call;
      return if_true(!types_.dtype(args[0], call.offset).has_objects(), Meaning::scalar);
    }
    case Known::set: return if_true(one_sequence, Meaning::set);
    case Known::frozenset: return if_true(one_sequence, Meaning::frozenset);
    case Known::codecs_encode:
    case Known::bytes:
    case Known::bytearray: {
      if (!raw_bytes_of_call(values_, call)) return Meaning::plain_call;
      return call.known == Known::bytearray ? Meaning::bytearray : Meaning::bytes;
    }
    case Known::complex: return if_true(args.size() == 2 && all_kind(ValueKind::real), Meaning::complex);
    case Known::slice: return if_true(args.size() == 3, Meaning::slice);
    case Known::range:
      return if_true(args.size() == 3 && std::all_of(args.begin(), args.end(),
                                                     [&](ValueId id) {
                                                       return values_.kind(id) == ValueKind::integer ||
                                                              values_.kind(id) == ValueKind::big_integer;
                                                     }),
                     Meaning::range);
    default: return Meaning::plain_call;
  }
}

template <class Visit>
void Builder::for_each_part(ValueId value, const Visit& visit) const {
  const auto visit_all = [&](std::span<const ValueId> all) { std::for_each(all.begin(), all.end(), visit); };
  switch (values_.kind(value)) {
    case ValueKind::list:
    case ValueKind::tuple:
    case ValueKind::set:
    case ValueKind::frozenset:
    case ValueKind::dict: visit_all(values_.members(value)); return;
    case ValueKind::call: break;
    default: return;
  }
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  switch (meanings_[value]) {
    case Meaning::dtype:
    case Meaning::scalar:
    case Meaning::bytes:
    case Meaning::bytearray:
    case Meaning::complex: return;
    case Meaning::set:
    case Meaning::frozenset:
      if (!args.empty()) visit_all(values_.members(args[0]));
      return;
    case Meaning::slice:
    case Meaning::range: visit_all(args); return;
    case Meaning::array:
    case Meaning::frombuffer: return;
    case Meaning::object_array: visit_all(values_.members(find_array_state(values_, call)->data)); return;
    case Meaning::array_subclass: {
      const ArrayState state = *find_array_state(values_, call);
      visit(call.callable);
      visit(call.args);
      const auto parts = values_.members(call.state);
      visit_all(parts.first(parts.size() - 1));
      if (values_.kind(state.data) == ValueKind::list) visit_all(values_.members(state.data));
      if (values_.kind(state.data) == ValueKind::array) visit(state.data);
      return;
    }
    case Meaning::reconstructed:
      if (call.known == Known::newobj_ex) {
        visit(args[0]);
        visit(args[1]);
        visit(args[2]);
      } else if (call.known == Known::newobj) {
        visit_all(args);
      } else {
        visit(args[0]);
      }
      break;
    case Meaning::plain_call:
    case Meaning::plain_object:
      visit(call.callable);
      visit(call.args);
      break;
  }
  for (const ValueId part : {call.kwargs, call.state, call.items, call.entries, call.setter}) {
    if (part != kNoValue) visit(part);
  }
}

void Builder::find_reached(ValueId root) {
  std::vector<bool> seen(values_.size());
  meanings_.resize(values_.size());
  std::vector<ValueId> waiting{root};
  seen[root] = true;
  while (!waiting.empty()) {
    const ValueId value = waiting.back();
    waiting.pop_back();
    reached_.push_back(value);
    if (values_.kind(value) == ValueKind::call) meanings_[value] = meaning_of(values_.call_of(value));
    for_each_part(value, [&](ValueId part) {
      if (seen[part]) return;
      seen[part] = true;
      waiting.push_back(part);
    });
  }
  std::sort(reached_.begin(), reached_.end());
  nodes_.assign(values_.size(), kNoNode);
  data_used_.assign(values_.size(), false);
  being_made_.assign(values_.size(), false);
}

bool Builder::is_late(ValueId value) const {
  if (values_.kind(value) != ValueKind::call) return false;
  const Meaning meaning = meanings_[value];
  return meaning == Meaning::slice || meaning == Meaning::range || meaning == Meaning::object_array;
}

NodeId Builder::make(ValueId value) {
  switch (values_.kind(value)) {
    case ValueKind::none: return graph_.null();
    case ValueKind::boolean: return graph_.boolean(values_.integer_of(value) != 0);
    case ValueKind::integer: return graph_.integer(values_.integer_of(value));
    case ValueKind::big_integer: return graph_.big_integer(values_.bytes_of(value));
    case ValueKind::real: return graph_.real(values_.real_of(value));
    case ValueKind::text: return graph_.text(values_.text_of(value));
    case ValueKind::bytes: return graph_.bytes(values_.bytes_of(value));
    case ValueKind::bytearray: return graph_.bytearray(values_.bytes_of(value));
    case ValueKind::list: return graph_.reserve(Kind::list);
    case ValueKind::tuple: return graph_.reserve(Kind::tuple);
    case ValueKind::set: return graph_.reserve(Kind::set);
    case ValueKind::frozenset: return graph_.reserve(Kind::frozenset);
    case ValueKind::dict: return graph_.reserve(Kind::dict);
    case ValueKind::global: {
      const Global& global = values_.global_of(value);
      if (global.known == Known::ellipsis) return graph_.ellipsis();
      return graph_.name(global.name.module, global.name.qualname);
    }
    case ValueKind::array: {
      const RawArray& array = values_.array_of(value);
      return graph_.array(array.dtype, array.shape, array.fortran ? Graph::Order::fortran : Graph::Order::c,
                          {array.bytes.data(), owner_});
    }
    case ValueKind::call: return make_call(value);
  }
  return kNoNode;
}

NodeId Builder::make_call(ValueId value) {
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  switch (meanings_[value]) {
    case Meaning::array: return make_array(call);
    case Meaning::frombuffer: return make_frombuffer(call);
    case Meaning::dtype: return graph_.dtype(types_.dtype(value, call.offset));
    case Meaning::scalar: {
      const Dtype type = types_.dtype(args[0], call.offset);
      const RawBytes raw = *find_raw_bytes(values_, args[1]);
      if (raw.bytes.size() != type.itemsize()) {
        fail(call, Reason::bad_record,
             "a scalar of " + type.to_text() + " from " + std::to_string(raw.bytes.size()) + " bytes");
      }
      return graph_.scalar(type, raw.bytes);
    }
    case Meaning::bytes: return graph_.bytes(find_raw_bytes(values_, value)->bytes);
    case Meaning::bytearray: return graph_.bytearray(find_raw_bytes(values_, value)->bytes);
    case Meaning::complex: return graph_.complex({values_.real_of(args[0]), values_.real_of(args[1])});
    case Meaning::set: return graph_.reserve(Kind::set);
    case Meaning::frozenset: return graph_.reserve(Kind::frozenset);
    default: return graph_.reserve_object();
  }
}

// numpy.ndarray from its state, or from _reconstruct alone, which makes an array of no elements.
NodeId Builder::make_array(const Call& call) {
  const auto state = find_array_state(values_, call);
  if (!state) {
    if (call.state != kNoValue)
      fail(call, Reason::bad_record, "an array whose state is not (version, shape, dtype, order, data)");
    const std::vector<std::int64_t> shape = read_shape(values_, values_.members(call.args)[1], call.offset);
    if (std::find(shape.begin(), shape.end(), 0) == shape.end())
      fail(call, Reason::bad_record, "an array without a state");
    return graph_.array(Dtype::of<std::int8_t>(), shape, Graph::Order::c, {});
  }
  if (values_.kind(state->fortran) != ValueKind::boolean && values_.kind(state->fortran) != ValueKind::integer) {
    fail(call, Reason::bad_record, "an array whose order is no bool");
  }
  const Dtype type = types_.dtype(state->dtype, call.offset);
  const std::vector<std::int64_t> shape = read_shape(values_, state->shape, call.offset);
  const auto order = values_.integer_of(state->fortran) != 0 ? Graph::Order::fortran : Graph::Order::c;
  RawBytes raw = array_bytes(call, type, shape, state->data);
  // Python caches bytes of length one, so that two arrays of one byte have the same bytes object in a stream. Each
  // array had memory of its own all the same.
  if (!raw.owner && raw.bytes.size() > 0) {
    if (data_used_[state->data]) {
      auto copy = std::make_shared<const std::vector<std::byte>>(raw.bytes.begin(), raw.bytes.end());
      raw = {std::span<const std::byte>(*copy), copy};
    }
    data_used_[state->data] = true;
  }
  return graph_.array(type, shape, order, {raw.bytes.data(), raw.owner ? raw.owner : owner_});
}

// numpy.core.numeric._frombuffer(buffer, dtype, shape, order) of protocol 5, with axis_order from NumPy 2.3 on. Arrays
// over one buffer share it.
NodeId Builder::make_frombuffer(const Call& call) {
  const auto args = values_.members(call.args);
  const Dtype type = types_.dtype(args[1], call.offset);
  std::vector<std::int64_t> shape = read_shape(values_, args[2], call.offset);
  const RawBytes raw = array_bytes(call, type, shape, args[0]);
  const ArraySource source{raw.bytes.data(), raw.owner ? raw.owner : owner_};
  const std::string_view order =
      values_.kind(args[3]) == ValueKind::text ? values_.text_of(args[3]) : std::string_view();
  if (order == "C" || order == "A") return graph_.array(type, shape, Graph::Order::c, source);
  if (order == "F") return graph_.array(type, shape, Graph::Order::fortran, source);
  if (order != "K" || args.size() != 5) fail(call, Reason::bad_record, "an array in an order other than C, F and K");
  // Order K: the buffer holds `shape` in C order, and the axes are then permuted.
  const std::vector<std::int64_t> axes = read_shape(values_, args[4], call.offset);
  if (axes.size() != shape.size()) fail(call, Reason::bad_record, "an axis order of another length than the shape");
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t step = static_cast<std::int64_t>(type.itemsize());
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);  // array_bytes held the product against the bytes there are
  }
  std::vector<std::int64_t> permuted_shape, permuted_strides;
  std::vector<bool> used(axes.size());
  for (const std::int64_t axis : axes) {
    const auto a = static_cast<std::size_t>(axis);
    if (a >= axes.size() || used[a]) fail(call, Reason::bad_record, "an axis order that is no permutation");
    used[a] = true;
    permuted_shape.push_back(shape[a]);
    permuted_strides.push_back(strides[a]);
  }
  return graph_.array(type, permuted_shape, permuted_strides, source);
}

// The bytes of an array, exactly as many as its type and shape need.
RawBytes Builder::array_bytes(const Call& call, const Dtype& type, std::span<const std::int64_t> shape,
                              ValueId data) const {
  if (type.has_objects()) fail(call, Reason::bad_record, "an array of objects from raw bytes");
  std::optional<RawBytes> raw = find_raw_bytes(values_, data);
  if (!raw && values_.kind(data) == ValueKind::array) raw = RawBytes{values_.array_of(data).bytes, nullptr};
  if (!raw && values_.kind(data) == ValueKind::text) {
    // Python 2 kept an array's bytes in a str.
    if (auto bytes = encode_latin1(values_.text_of(data))) {
      auto owner = std::make_shared<const std::vector<std::byte>>(std::move(*bytes));
      raw = RawBytes{std::span<const std::byte>(*owner), owner};
    }
  }
  if (!raw) fail(call, Reason::bad_record, "an array whose data is no bytes");
  Size size = type.itemsize();
  for (const std::int64_t n : shape) {
    // A dimension of 0 makes all others possible, but not those that no address can reach.
    size = size * Size::from_signed(n);
  }
  const std::uint64_t wanted = size.get("array of shape " + shape_text(shape));
  if (wanted != raw->bytes.size()) {
    fail(call, Reason::out_of_bounds,
         "an array of shape " + shape_text(shape) + " and type " + type.to_text() + " needs " + std::to_string(wanted) +
             " bytes, found " + std::to_string(raw->bytes.size()));
  }
  return *raw;
}

// Slices, ranges and arrays of objects are made whole, after what they hold; only these can hold each other, so that
// the order is found by a search among them.
void Builder::make_late(ValueId first) {
  struct Step {
    ValueId value;
    std::size_t next;
  };
  std::vector<Step> steps{{first, 0}};
  while (!steps.empty()) {
    const ValueId value = steps.back().value;
    const auto parts = late_parts(value);
    ValueId inner = kNoValue;
    while (inner == kNoValue && steps.back().next < parts.size()) {
      const ValueId part = parts[steps.back().next++];
      if (is_late(part) && nodes_[part] == kNoNode) inner = part;
    }
    if (inner != kNoValue) {
      if (being_made_[inner])
        fail(values_.call_of(inner), Reason::bad_record, "an array of objects that is an element of itself");
      being_made_[inner] = true;
      steps.push_back({inner, 0});
      continue;
    }
    nodes_[value] = make_late_one(value, parts);
    steps.pop_back();
  }
}

std::span<const ValueId> Builder::late_parts(ValueId value) const {
  const Call& call = values_.call_of(value);
  if (meanings_[value] == Meaning::object_array) return values_.members(find_array_state(values_, call)->data);
  return values_.members(call.args);
}

NodeId Builder::make_late_one(ValueId value, std::span<const ValueId> parts) {
  const Call& call = values_.call_of(value);
  const std::span<const NodeId> ids = nodes_of(parts);
  if (meanings_[value] == Meaning::slice) return graph_.slice(ids[0], ids[1], ids[2]);
  if (meanings_[value] == Meaning::range) return graph_.range(ids[0], ids[1], ids[2]);
  return make_object_array(call, ids);
}

// NumPy lists the elements in C order, also of an array in Fortran order.
NodeId Builder::make_object_array(const Call& call, std::span<const NodeId> elements) {
  const ArrayState state = *find_array_state(values_, call);
  const std::vector<std::int64_t> shape = read_shape(values_, state.shape, call.offset);
  Size size = 1;
  for (const std::int64_t n : shape) size = size * Size::from_signed(n);
  if (size.get("array of shape " + shape_text(shape)) != elements.size()) {
    fail(call, Reason::out_of_bounds,
         "an array of shape " + shape_text(shape) + " with " + std::to_string(elements.size()) + " elements");
  }
  return graph_.object_array(shape, elements);
}

void Builder::fill(ValueId value) {
  switch (values_.kind(value)) {
    case ValueKind::list:
    case ValueKind::tuple:
    case ValueKind::set:
    case ValueKind::frozenset:
    case ValueKind::dict: {
      const auto members = values_.members(value);
      if (!members.empty()) graph_.fill(nodes_[value], nodes_of(members));
      return;
    }
    case ValueKind::call: fill_call(value); return;
    default: return;
  }
}

void Builder::fill_call(ValueId value) {
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  ObjectParts parts{.kwargs = unless_empty(call.kwargs),
                    .state = node(call.state),
                    .items = node(call.items),
                    .entries = node(call.entries),
                    .setter = node(call.setter)};
  ObjectForm form = ObjectForm::construct;
  switch (meanings_[value]) {
    case Meaning::set:
    case Meaning::frozenset:
      if (!args.empty()) graph_.fill(nodes_[value], nodes_of(values_.members(args[0])));
      return;
    case Meaning::plain_call: form = ObjectForm::call; [[fallthrough]];
    case Meaning::plain_object:
      parts.type = node(call.callable);
      parts.args = unless_empty(call.args);
      break;
    case Meaning::reconstructed:
      parts.type = node(args[0]);
      if (call.known == Known::newobj && args.size() > 1) parts.args = graph_.tuple(nodes_of(args.subspan(1)));
      if (call.known == Known::newobj_ex) {
        parts.args = unless_empty(args[1]);
        parts.kwargs = unless_empty(args[2]);
      }
      break;
    case Meaning::array_subclass: {
      const ArrayState state = *find_array_state(values_, call);
      const auto state_parts = values_.members(call.state);
      const bool objects = values_.kind(state.data) == ValueKind::list;
      const NodeId array = values_.kind(state.data) == ValueKind::array ? node(state.data)
                           : objects ? make_object_array(call, nodes_of(values_.members(state.data)))
                                     : make_array(call);
      std::vector<NodeId> ids;
      for (const ValueId part : state_parts.first(state_parts.size() - 1)) ids.push_back(node(part));
      ids.push_back(array);
      form = ObjectForm::call;
      parts.type = node(call.callable);
      parts.args = unless_empty(call.args);
      parts.state = graph_.tuple(ids);
      break;
    }
    default: return;
  }
  graph_.fill_object(nodes_[value], form, parts);
}

std::span<const NodeId> Builder::nodes_of(std::span<const ValueId> values) {
  scratch_.clear();
  for (const ValueId value : values) scratch_.push_back(nodes_[value]);
  return scratch_;
}

// Empty arguments are as good as none.
NodeId Builder::unless_empty(ValueId container) const {
  return container == kNoValue || values_.members(container).empty() ? kNoNode : nodes_[container];
}

}  // namespace

Graph build_graph(const Values& values, ValueId root, std::shared_ptr<const void> owner) {
  return Builder(values, std::move(owner)).build(root);
}

}  // namespace mere::importers::pickle
