#include "lower/estimator.hpp"

#include <charconv>
#include <cmath>

#include <mere/error.hpp>
#include <mere/size.hpp>

#include "program/unicode/characters.hpp"

namespace mere::lower {

namespace {

// A view may repeat few bytes many times; what it becomes in memory is held against what there is to read.
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kGrowth = 16;

template <class To, class From>
std::vector<To> converted(const graph::ArrayState& array) {
  const bool swap = array.dtype.byte_order() == ByteOrder::big;
  const Values<From> values(array.first, array.shape, array.strides, swap);
  std::vector<To> out(static_cast<std::size_t>(array.elements));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<To>(values[i]);
  return out;
}

template <class To>
std::optional<std::vector<To>> convert_numbers(const graph::ArrayState& array) {
  const std::uint64_t size = array.dtype.itemsize();
  switch (array.dtype.type_class()) {
    case TypeClass::boolean: return converted<To, bool>(array);
    case TypeClass::integer:
      if (size == 1) return converted<To, std::int8_t>(array);
      if (size == 2) return converted<To, std::int16_t>(array);
      if (size == 4) return converted<To, std::int32_t>(array);
      if (size == 8) return converted<To, std::int64_t>(array);
      break;
    case TypeClass::unsigned_integer:
      if (size == 1) return converted<To, std::uint8_t>(array);
      if (size == 2) return converted<To, std::uint16_t>(array);
      if (size == 4) return converted<To, std::uint32_t>(array);
      if (size == 8) return converted<To, std::uint64_t>(array);
      break;
    case TypeClass::real:
      if constexpr (std::is_floating_point_v<To>) {
        if (size == 4) return converted<To, float>(array);
        if (size == 8) return converted<To, double>(array);
      }
      break;
    default: break;
  }
  return std::nullopt;
}

bool is_c_order(const graph::ArrayState& array) {
  std::int64_t expected = static_cast<std::int64_t>(array.dtype.itemsize());
  for (std::size_t i = array.shape.size(); i-- > 0;) {
    if (array.shape[i] != 1 && array.strides[i] != expected) return false;
    expected *= array.shape[i];
  }
  return true;
}

template <class T>
Array<T> numbers(const Estimator& of, NodeId id, std::string_view what, std::size_t ndim) {
  const graph::NodeReader& reader = of.reader();
  if (reader.kind(id) != Kind::array || reader.is_object_array(id)) {
    of.fail(std::string(what) + " is no array of numbers");
  }
  const graph::ArrayState array = reader.array(id);
  if (array.shape.size() != ndim) {
    of.fail(std::string(what) + " has shape " + array.shape.to_text() + ", expected " + std::to_string(ndim) +
            " dimensions");
  }
  if (array.elements == 0) return Array<T>(std::vector<T>(), array.shape);
  if (array.dtype == Dtype::of<T>() && is_c_order(array) &&
      reinterpret_cast<std::uintptr_t>(array.first) % alignof(T) == 0) {
    return Array<T>::borrow({reinterpret_cast<const T*>(array.first), static_cast<std::size_t>(array.elements)},
                            array.shape, array.held);
  }
  of.require_memory((Size(array.elements) * Size(sizeof(T))).get(what, Reason::too_large), what);
  std::optional<std::vector<T>> values = convert_numbers<T>(array);
  if (!values) of.fail(std::string(what) + " has elements of type " + array.dtype.to_text());
  return Array<T>(std::move(*values), array.shape);
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  Version version;
  const char* end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, version.major);
  if (error != std::errc() || dot == end || *dot != '.') return std::nullopt;
  if (std::from_chars(dot + 1, end, version.minor).ec != std::errc()) return std::nullopt;
  return version;
}

Estimator::Estimator(const graph::NodeReader& reader, NodeId node) : reader_(&reader), node_(node) {
  if (reader.kind(node) != Kind::object) {
    throw Error(Reason::not_lowerable, "what is at '" + reader.path(node) + "' is no estimator but of kind " +
                                           std::string(to_text(reader.kind(node))));
  }
  class_name_ = reader.full_name(node);
  const NodeId state = reader.parts(node).state;
  if (state == kNoNode) return;
  if (reader.kind(state) == Kind::dict) dicts_.push_back(state);
  if (reader.kind(state) != Kind::tuple) return;
  for (std::uint64_t i = 0; i < reader.child_count(state); ++i) {
    if (reader.kind(reader.child(state, i)) == Kind::dict) dicts_.push_back(reader.child(state, i));
  }
}

std::string Estimator::path() const {
  const std::string path = reader_->path(node_);
  return (path.empty() ? "the model" : path) + " (" + class_name_ + ")";
}

void Estimator::require_memory(std::uint64_t bytes, std::string_view what) const {
  if (bytes <= kFreeBytes + kGrowth * reader_->payload_bytes()) return;
  throw Error(Reason::too_large, path() + ": " + std::string(what) + " would take " + std::to_string(bytes) +
                                     " bytes, more than those of the file account for");
}

void Estimator::fail(const std::string& what) const {
  throw Error(Reason::schema, path() + ": " + what);
}

void Estimator::refuse(const std::string& why) const {
  throw Error(Reason::not_lowerable, path() + ": " + why);
}

bool Estimator::has(std::string_view attribute) const {
  for (const NodeId dict : dicts_) {
    if (reader_->find(dict, attribute) != kNoNode) return true;
  }
  return false;
}

NodeId Estimator::find(std::string_view attribute) const {
  for (const NodeId dict : dicts_) {
    const NodeId found = reader_->find(dict, attribute);
    if (found != kNoNode) return reader_->kind(found) == Kind::null ? kNoNode : found;
  }
  return kNoNode;
}

NodeId Estimator::need(std::string_view attribute) const {
  for (const NodeId dict : dicts_) {
    const NodeId found = reader_->find(dict, attribute);
    if (found != kNoNode) return found;
  }
  fail("has no " + std::string(attribute) + ": is it fitted?");
}

Estimator Estimator::child(std::string_view attribute) const {
  return Estimator(*reader_, need(attribute));
}

std::int64_t Estimator::integer(std::string_view attribute) const {
  const std::optional<std::int64_t> value = reader_->find_integer(need(attribute));
  if (!value) fail(std::string(attribute) + " is no whole number");
  return *value;
}

std::int64_t Estimator::integer_or(std::string_view attribute, std::int64_t otherwise) const {
  return find(attribute) == kNoNode ? otherwise : integer(attribute);
}

double Estimator::real(std::string_view attribute) const {
  const NodeId id = need(attribute);
  // Some attributes are arrays of one number.
  if (reader_->kind(id) == Kind::array && !reader_->is_object_array(id)) {
    const Array<double> array = reals_of(id, attribute, reader_->array(id).shape.size());
    if (array.size() == 1) return array[0];
  }
  const std::optional<double> value = reader_->find_real(id);
  if (!value) fail(std::string(attribute) + " is no number");
  return *value;
}

bool Estimator::boolean(std::string_view attribute) const {
  const std::int64_t value = integer(attribute);
  if (value != 0 && value != 1) fail(std::string(attribute) + " is neither true nor false");
  return value == 1;
}

bool Estimator::boolean_or(std::string_view attribute, bool otherwise) const {
  return find(attribute) == kNoNode ? otherwise : boolean(attribute);
}

std::string Estimator::text(std::string_view attribute) const {
  const NodeId id = need(attribute);
  if (reader_->kind(id) != Kind::text) fail(std::string(attribute) + " is no text");
  return std::string(reader_->text(id));
}

bool Estimator::is_text(std::string_view attribute, std::string_view value) const {
  const NodeId id = find(attribute);
  return id != kNoNode && reader_->kind(id) == Kind::text && reader_->text(id) == value;
}

Array<double> Estimator::reals(std::string_view attribute, std::size_t ndim) const {
  return reals_of(need(attribute), attribute, ndim);
}

Array<double> Estimator::reals_of(NodeId id, std::string_view what, std::size_t ndim) const {
  return numbers<double>(*this, id, what, ndim);
}

Array<std::int64_t> Estimator::integers_of(NodeId id, std::string_view what, std::size_t ndim) const {
  return numbers<std::int64_t>(*this, id, what, ndim);
}

Array<std::int64_t> Estimator::integers(std::string_view attribute, std::size_t ndim) const {
  return integers_of(need(attribute), attribute, ndim);
}

bool Estimator::is_array(std::string_view attribute) const {
  const NodeId id = find(attribute);
  return id != kNoNode && reader_->kind(id) == Kind::array;
}

bool Estimator::is_single(std::string_view attribute) const {
  const NodeId id = find(attribute);
  return id != kNoNode && reader_->kind(id) == Kind::array && reader_->dtype(id) == Dtype::of<float>();
}

std::vector<NodeId> Estimator::members_of(NodeId id, std::string_view what) const {
  const Kind kind = reader_->kind(id);
  if (kind != Kind::list && kind != Kind::tuple && !reader_->is_object_array(id)) {
    fail(std::string(what) + " is no list");
  }
  std::vector<NodeId> out;
  for (std::uint64_t i = 0; i < reader_->child_count(id); ++i) out.push_back(reader_->child(id, i));
  return out;
}

std::vector<NodeId> Estimator::members(std::string_view attribute) const {
  return members_of(need(attribute), attribute);
}

std::vector<std::string> Estimator::texts(std::string_view attribute) const {
  std::vector<std::string> out;
  for (const NodeId id : members(attribute)) {
    if (reader_->kind(id) != Kind::text) fail(std::string(attribute) + " has a member that is no text");
    out.emplace_back(reader_->text(id));
  }
  return out;
}

namespace {

// A fixed-size text of NumPy: code points of 4 bytes, zeros behind.
std::string fixed_text(const std::byte* at, std::uint64_t size, bool swap) {
  std::string out;
  std::uint64_t count = size / 4;
  const auto load = [&](std::uint64_t i) { return mere::detail::load_value<std::uint32_t>(at + 4 * i, swap); };
  while (count > 0 && load(count - 1) == 0) --count;
  for (std::uint64_t i = 0; i < count; ++i) program::append_utf8(load(i), out);
  return out;
}

}  // namespace

std::optional<std::vector<std::string>> Estimator::find_texts_of(NodeId id, std::optional<std::size_t>* missing) const {
  std::vector<std::string> out;
  const Kind kind = reader_->kind(id);
  if (kind == Kind::array && !reader_->is_object_array(id)) {
    const graph::ArrayState array = reader_->array(id);
    if (array.dtype.type_class() != TypeClass::unicode || array.shape.size() != 1) return std::nullopt;
    require_memory((Size(array.elements) * Size(array.dtype.itemsize())).get("texts", Reason::too_large), "texts");
    for (std::uint64_t i = 0; i < array.elements; ++i) {
      out.push_back(fixed_text(array.first + static_cast<std::int64_t>(i) * array.strides[0], array.dtype.itemsize(),
                               array.dtype.byte_order() == ByteOrder::big));
    }
    return out;
  }
  if (kind != Kind::list && kind != Kind::tuple && kind != Kind::set && kind != Kind::frozenset &&
      kind != Kind::array) {
    return std::nullopt;
  }
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < reader_->child_count(id); ++i) {
    const NodeId member = reader_->child(id, i);
    if (reader_->kind(member) == Kind::text) {
      bytes += reader_->text(member).size();
      require_memory(bytes, "texts");
      out.emplace_back(reader_->text(member));
      continue;
    }
    const std::optional<double> number = reader_->find_real(member);
    const bool is_missing = reader_->kind(member) == Kind::null || (number && std::isnan(*number));
    if (!is_missing || !missing) return std::nullopt;
    if (!*missing) *missing = static_cast<std::size_t>(i);
    out.emplace_back();
  }
  return out;
}

program::Labels Estimator::labels_of(NodeId id, std::string_view what) const {
  program::Labels labels;
  if (reader_->kind(id) != Kind::array) fail(std::string(what) + " is no array");
  if (reader_->is_object_array(id)) {
    labels.dtype = Dtype(TypeClass::object, 8);
    for (const NodeId member : members_of(id, what)) {
      if (reader_->kind(member) != Kind::text) refuse(std::string(what) + " holds objects that are no texts");
      labels.texts.emplace_back(reader_->text(member));
    }
    labels.count = labels.texts.size();
    return labels;
  }
  graph::ArrayState array = reader_->array(id);
  if (array.shape.size() != 1 || array.elements == 0) {
    fail(std::string(what) + " has shape " + array.shape.to_text());
  }
  if (!is_c_order(array)) refuse(std::string(what) + " does not lie without gaps");
  labels.dtype = array.dtype;
  labels.count = array.elements;
  labels.bytes = {array.first, static_cast<std::size_t>(array.elements * array.dtype.itemsize())};
  labels.owner = array.held;
  return labels;
}

}  // namespace mere::lower
