#include "trust/object_state.hpp"

#include <limits>

#include <mere/error.hpp>

namespace mere::trust {

namespace {

// How often over, on average, the checks of one graph may read its nodes and bytes.
constexpr std::uint64_t kTimes = 16;
constexpr std::uint64_t kFreeSteps = 1 << 20;

bool is_maker(std::string_view qualname) {
  return qualname == "newObj" || qualname == "_reconstructor" || qualname.starts_with("__newobj") ||
         qualname.starts_with("__pyx_unpickle_");
}

}  // namespace

WorkBudget::WorkBudget(const graph::NodeReader& reader) {
  const Size steps = (Size(reader.payload_bytes()) + Size(reader.node_count()) * 64) * kTimes + kFreeSteps;
  left_ = steps.valid() ? steps.get("work") : std::numeric_limits<std::uint64_t>::max();
}

void WorkBudget::spend(std::uint64_t steps) {
  if (steps > left_) {
    throw Error(Reason::too_large,
                "the states of this model repeat the same parts more than " + std::to_string(kTimes) + " times");
  }
  left_ -= steps;
}

std::int64_t Integers::load_swapped(const std::byte* p) const {
  switch (dtype_.itemsize()) {
    case 2:
      return dtype_.type_class() == TypeClass::integer ? std::int64_t{detail::load_value<std::int16_t>(p, true)}
                                                       : detail::load_value<std::uint16_t>(p, true);
    case 4:
      return dtype_.type_class() == TypeClass::integer ? std::int64_t{detail::load_value<std::int32_t>(p, true)}
                                                       : detail::load_value<std::uint32_t>(p, true);
    default: return detail::load_value<std::int64_t>(p, true);
  }
}

std::pair<std::string_view, std::string_view> class_of(const graph::NodeReader& reader, const ObjectParts& parts) {
  if (parts.type == kNoNode || reader.kind(parts.type) != Kind::name) return {};
  const auto [module, qualname] = reader.name(parts.type);
  if (!is_maker(qualname) || parts.args == kNoNode || reader.child_count(parts.args) == 0) return {module, qualname};
  const NodeId first = reader.child(parts.args, 0);
  if (reader.kind(first) != Kind::name) return {module, qualname};
  return reader.name(first);
}

ObjectState::ObjectState(const graph::NodeReader& reader, NodeId object, WorkBudget& budget, std::string_view name)
    : reader_(reader), object_(object), budget_(budget), name_(name), parts_(reader.parts(object)) {
  const auto [module, qualname] = class_of(reader, parts_);
  module_ = module;
  qualname_ = qualname;
  budget_.spend(16);
  if (parts_.state == kNoNode) return;
  if (reader.kind(parts_.state) == Kind::dict) dicts_.push_back(parts_.state);
  if (reader.kind(parts_.state) == Kind::tuple && reader.child_count(parts_.state) <= 2) {
    for (std::uint64_t i = 0; i < reader.child_count(parts_.state); ++i) {
      const NodeId member = reader.child(parts_.state, i);
      if (reader.kind(member) == Kind::dict) dicts_.push_back(member);
    }
  }
}

bool ObjectState::is_made_by_function() const {
  const auto [module, qualname] = reader_.name(parts_.type);
  return qualname != qualname_ || module != module_;
}

std::string ObjectState::where() const {
  const std::string path = reader_.path(object_);
  return (name_.empty() ? std::string() : std::string(name_) + ": ") + (path.empty() ? "the root" : path) + " (" +
         module_ + "." + qualname_ + "): ";
}

void ObjectState::fail(const std::string& what) const {
  throw Error(Reason::bad_record, where() + what);
}
void ObjectState::fail_schema(const std::string& what) const {
  throw Error(Reason::schema, where() + what);
}

void ObjectState::require_equal(std::int64_t found, std::int64_t expected, std::string_view what) const {
  if (found != expected)
    fail(std::string(what) + " is " + std::to_string(found) + ", expected " + std::to_string(expected));
}

void ObjectState::require_range(std::int64_t found, std::int64_t low, std::int64_t high, std::string_view what) const {
  if (found < low || found > high) {
    fail(std::string(what) + " is " + std::to_string(found) + ", expected " + std::to_string(low) + " to " +
         std::to_string(high));
  }
}

NodeId ObjectState::find(std::string_view attribute) const {
  for (const NodeId dict : dicts_) {
    spend(reader_.child_count(dict) > 64 ? reader_.child_count(dict) : 8);
    const NodeId value = reader_.find(dict, attribute);
    if (value != kNoNode) return reader_.kind(value) == Kind::null ? kNoNode : value;
  }
  return kNoNode;
}

void ObjectState::refuse_none(std::string_view attribute) const {
  for (const NodeId dict : dicts_) {
    spend(reader_.child_count(dict) > 64 ? reader_.child_count(dict) : 8);
    const NodeId value = reader_.find(dict, attribute);
    if (value != kNoNode && reader_.kind(value) == Kind::null) fail_schema(std::string(attribute) + " is None");
  }
}

NodeId ObjectState::need(std::string_view attribute) const {
  const NodeId value = find(attribute);
  if (value == kNoNode) fail_schema("no \"" + std::string(attribute) + "\" in its state");
  return value;
}

std::optional<std::int64_t> ObjectState::find_integer(std::string_view attribute) const {
  const NodeId value = find(attribute);
  if (value == kNoNode) return std::nullopt;
  return integer_of(value, attribute);
}

std::int64_t ObjectState::integer(std::string_view attribute) const {
  return integer_of(need(attribute), attribute);
}

std::int64_t ObjectState::integer_of(NodeId id, std::string_view what) const {
  if (const auto value = reader_.find_integer(id)) return *value;
  fail_schema(std::string(what) + " is " + std::string(to_text(reader_.kind(id))) + ", expected an int of 64 bits");
}

double ObjectState::real_of(NodeId id, std::string_view what) const {
  if (const auto value = reader_.find_real(id)) return *value;
  fail_schema(std::string(what) + " is " + std::string(to_text(reader_.kind(id))) + ", expected a number");
}

std::vector<NodeId> ObjectState::members_of(NodeId id, std::string_view what) const {
  const Kind kind = reader_.kind(id);
  if (kind != Kind::list && kind != Kind::tuple && !reader_.is_object_array(id))
    fail_schema(std::string(what) + " is " + std::string(to_text(kind)) + ", expected a list");
  const std::uint64_t count = reader_.child_count(id);
  spend(count);
  std::vector<NodeId> members(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) members[static_cast<std::size_t>(i)] = reader_.child(id, i);
  return members;
}

std::uint64_t ObjectState::state_members() const {
  if (parts_.state == kNoNode || reader_.kind(parts_.state) != Kind::tuple) return 0;
  return reader_.child_count(parts_.state);
}

NodeId ObjectState::state_member(std::uint64_t index, std::string_view what) const {
  if (index >= state_members()) {
    fail_schema("its state has " + std::to_string(state_members()) + " members, expected " + std::string(what) +
                " at " + std::to_string(index));
  }
  return reader_.child(parts_.state, index);
}

std::uint64_t ObjectState::argument_count() const {
  return parts_.args == kNoNode ? 0 : reader_.child_count(parts_.args);
}

NodeId ObjectState::argument(std::uint64_t index, std::string_view what) const {
  if (index >= argument_count()) {
    fail_schema("made from " + std::to_string(argument_count()) + " arguments, expected " + std::string(what) + " at " +
                std::to_string(index));
  }
  return reader_.child(parts_.args, index);
}

graph::ArrayState ObjectState::array_of(NodeId id, std::string_view what, int ndim) const {
  if (reader_.kind(id) != Kind::array || reader_.is_object_array(id)) {
    fail_schema(std::string(what) + " is " + std::string(to_text(reader_.kind(id))) + ", expected an array of numbers");
  }
  graph::ArrayState array = reader_.array(id);
  if (ndim >= 0 && array.shape.size() != static_cast<std::size_t>(ndim)) {
    fail(std::string(what) + " has shape " + array.shape.to_text() + ", expected " + std::to_string(ndim) +
         " dimensions");
  }
  return array;
}

Integers ObjectState::integers_in(const graph::ArrayState& array, const Dtype& dtype, std::uint64_t offset,
                                  std::string_view what) const {
  Integers numbers;
  numbers.shape_ = array.shape;
  numbers.size_ = array.elements;
  numbers.dtype_ = dtype;
  numbers.held_ = array.held;
  numbers.first_ = array.first == nullptr ? nullptr : array.first + offset;
  const bool is_signed = dtype.type_class() == TypeClass::integer;
  const bool whole =
      is_signed || dtype.type_class() == TypeClass::unsigned_integer || dtype.type_class() == TypeClass::boolean;
  if (!whole) fail_schema(std::string(what) + " holds " + dtype.to_text() + ", expected whole numbers");
  using Form = Integers::Form;
  switch (dtype.itemsize()) {
    case 1: numbers.form_ = is_signed ? Form::i8 : Form::u8; break;
    case 2: numbers.form_ = is_signed ? Form::i16 : Form::u16; break;
    case 4: numbers.form_ = is_signed ? Form::i32 : Form::u32; break;
    // Of unsigned ones, those beyond the signed range come out negative, which no check lets pass.
    default: numbers.form_ = Form::i64;
  }
  if (dtype.byte_order() == ByteOrder::big && dtype.itemsize() > 1) numbers.form_ = Form::swapped;
  // One stride for all elements: one dimension, or several without gaps.
  numbers.stride_ = static_cast<std::int64_t>(array.dtype.itemsize());
  if (array.shape.size() == 1) {
    numbers.stride_ = array.strides[0];
  } else if (array.elements > 1) {
    std::int64_t step = numbers.stride_;
    for (std::size_t d = array.shape.size(); d-- > 0;) {
      if (array.shape[d] > 1 && array.strides[d] != step)
        fail(std::string(what) + " of shape " + array.shape.to_text() + " is not in C order");
      step *= array.shape[d];
    }
  }
  spend(array.elements);
  return numbers;
}

Integers ObjectState::integers_of(NodeId id, std::string_view what) const {
  const graph::ArrayState array = array_of(id, what);
  return integers_in(array, array.dtype, 0, what);
}

Integers ObjectState::field_of(const graph::ArrayState& records, std::string_view field, std::string_view what) const {
  if (records.dtype.type_class() != TypeClass::record)
    fail_schema(std::string(what) + " holds " + records.dtype.to_text() + ", expected records");
  for (const Field& candidate : records.dtype.fields()) {
    if (candidate.name != field) continue;
    return integers_in(records, candidate.type, candidate.offset, std::string(what) + "." + std::string(field));
  }
  fail_schema(std::string(what) + " has no field \"" + std::string(field) + "\"");
}

}  // namespace mere::trust
