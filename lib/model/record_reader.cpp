#include <mere/record_reader.hpp>

#include <cmath>
#include <unordered_map>

#include "format/expand.hpp"
#include "format/image.hpp"

namespace mere {

namespace {

// What a walk over an honest file never needs: more members than there are nodes and links, unless small containers are
// shared by value. A graph of 2^40 paths passes it soon.
constexpr std::uint64_t kSpareMembers = 1 << 20;
constexpr std::uint64_t kSpareCopy = 64 << 20;
constexpr std::uint64_t kCopyRatio = 16;

std::uint64_t member_limit(const format::Image& image) {
  const Size sum =
      Size(image.section(format::Section::nodes).count) + image.section(format::Section::links).count + kSpareMembers;
  return sum.valid() ? sum.get("members") : kSpareMembers;
}

std::uint64_t copy_limit(const format::Image& image, std::uint64_t asked) {
  if (asked != 0) return asked;
  const std::uint64_t raw = image.has_encoded_blocks() ? format::expanded_bytes(image) : image.bytes().size();
  const Size sum = Size(raw) * kCopyRatio + kSpareCopy;
  return sum.valid() ? sum.get("bytes") : UINT64_MAX;
}

// A scalar's value in native byte order.
template <class T>
T scalar_value(const Node& node, const Dtype& type) {
  return detail::load_value<T>(node.scalar_bytes().data(), type.byte_order() == ByteOrder::big);
}

std::int64_t scalar_signed(const Node& node, const Dtype& type) {
  switch (type.itemsize()) {
    case 1: return scalar_value<std::int8_t>(node, type);
    case 2: return scalar_value<std::int16_t>(node, type);
    case 4: return scalar_value<std::int32_t>(node, type);
    default: return scalar_value<std::int64_t>(node, type);
  }
}

std::uint64_t scalar_unsigned(const Node& node, const Dtype& type) {
  switch (type.itemsize()) {
    case 1: return scalar_value<std::uint8_t>(node, type);
    case 2: return scalar_value<std::uint16_t>(node, type);
    case 4: return scalar_value<std::uint32_t>(node, type);
    default: return scalar_value<std::uint64_t>(node, type);
  }
}

// The same type, whatever its byte order.
bool same_but_order(const Dtype& a, const Dtype& b) {
  if (a == b) return true;
  switch (a.type_class()) {
    case TypeClass::integer:
    case TypeClass::unsigned_integer:
    case TypeClass::real:
    case TypeClass::complex: return a.type_class() == b.type_class() && a.itemsize() == b.itemsize();
    default: return false;
  }
}

}  // namespace

struct RecordReader::Tables {
  struct Key {
    NodeId node;
    const void* type_tag;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return key.node * 0x9e3779b97f4a7c15ULL ^ std::hash<const void*>()(key.type_tag);
    }
  };
  std::unordered_map<Key, std::shared_ptr<void>, Hash> shared;
};

RecordReader::RecordReader(const Model& model, const LoadOptions& options)
    : model_(model),
      ignore_unknown_(options.ignore_unknown),
      depth_limit_(options.open.limits.depth),
      tables_(std::make_unique<Tables>()) {
  const format::Image& image = *model_.root().image();
  members_left_ = member_limit(image);
  copy_left_ = copy_limit(image, options.copied_bytes);
}

RecordReader::~RecordReader() = default;

void RecordReader::fail(Reason reason, const Node& node, std::string_view message) const {
  std::string place;
  try {
    place = node.path();
  } catch (const Error&) {
    place = "node " + std::to_string(node.id());
  }
  if (place.empty()) place = "the root";
  throw Error(reason, model_.name() + ": " + place + ": " + std::string(message));
}

void RecordReader::fail_kind(const Node& node, std::string_view expected) const {
  std::string found(to_text(node.kind()));
  if (node.kind() == Kind::object) found += " " + std::string(node.type_name());
  fail(Reason::wrong_kind, node, found + " found, " + std::string(expected) + " expected");
}

bool RecordReader::boolean(const Node& node) const {
  const Kind kind = node.kind();
  if (kind == Kind::boolean) return node.boolean();
  if (kind == Kind::scalar && node.dtype().type_class() == TypeClass::boolean) {
    return node.scalar_bytes()[0] != std::byte{0};
  }
  fail_kind(node, "bool");
}

std::int64_t RecordReader::signed_integer(const Node& node, std::int64_t least, std::int64_t most) const {
  const auto checked = [&](std::int64_t value) {
    if (value < least || value > most) {
      fail(Reason::out_of_range, node,
           std::to_string(value) + " is outside " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value;
  };
  const Kind kind = node.kind();
  if (kind == Kind::integer) {
    if (node.is_big()) {
      fail(Reason::out_of_range, node,
           node.integer_text() + " is outside " + std::to_string(least) + " to " + std::to_string(most));
    }
    return checked(node.integer());
  }
  if (kind == Kind::scalar) {
    const Dtype type = node.dtype();
    if (type.type_class() == TypeClass::integer) return checked(scalar_signed(node, type));
    if (type.type_class() == TypeClass::unsigned_integer) {
      const std::uint64_t value = scalar_unsigned(node, type);
      if (value > static_cast<std::uint64_t>(INT64_MAX))
        fail(Reason::out_of_range, node,
             std::to_string(value) + " is outside " + std::to_string(least) + " to " + std::to_string(most));
      return checked(static_cast<std::int64_t>(value));
    }
  }
  fail_kind(node, "int");
}

std::uint64_t RecordReader::unsigned_integer(const Node& node, std::uint64_t most) const {
  const auto outside = [&](const std::string& value) {
    fail(Reason::out_of_range, node, value + " is outside 0 to " + std::to_string(most));
  };
  const auto checked = [&](std::uint64_t value) {
    if (value > most) outside(std::to_string(value));
    return value;
  };
  const Kind kind = node.kind();
  if (kind == Kind::integer && node.is_big()) {
    // Two's complement, as few bytes as hold it: 2^63 to 2^64 - 1 are nine, the last of them zero.
    const std::span<const std::byte> bytes = node.integer_bytes();
    if (bytes.size() != 9 || bytes[8] != std::byte{0}) outside(node.integer_text());
    return checked(detail::load_value<std::uint64_t>(bytes.data(), false));
  }
  if (kind == Kind::scalar && node.dtype().type_class() == TypeClass::unsigned_integer) {
    return checked(scalar_unsigned(node, node.dtype()));
  }
  const std::int64_t value = signed_integer(node, INT64_MIN, INT64_MAX);
  if (value < 0) outside(std::to_string(value));
  return checked(static_cast<std::uint64_t>(value));
}

double RecordReader::real(const Node& node) const {
  const Kind kind = node.kind();
  if (kind == Kind::scalar) {
    const Dtype type = node.dtype();
    if (type.type_class() == TypeClass::real && type.itemsize() == 8) return scalar_value<double>(node, type);
    if (type.type_class() == TypeClass::real && type.itemsize() == 4)
      return static_cast<double>(scalar_value<float>(node, type));
  }
  if (kind != Kind::real && kind != Kind::integer) fail_kind(node, "float");
  return node.real();
}

float RecordReader::real32(const Node& node) const {
  const double wide = real(node);
  const float narrow = static_cast<float>(wide);
  if (!detail::same_number(narrow, wide)) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", wide);
    fail(Reason::out_of_range, node, std::string(text) + " is not exactly a float of 32 bits");
  }
  return narrow;
}

std::complex<double> RecordReader::complex(const Node& node) const {
  if (node.kind() == Kind::complex) return node.complex();
  return {real(node), 0.0};
}

void RecordReader::scalar(const Node& node, const Dtype& type, std::span<std::byte> out) const {
  if (node.kind() != Kind::scalar || !(node.dtype() == type)) fail_kind(node, "a scalar of type " + type.to_text());
  const std::span<const std::byte> bytes = node.scalar_bytes();
  if (bytes.size() != out.size()) fail_kind(node, "a scalar of " + std::to_string(out.size()) + " bytes");
  std::memcpy(out.data(), bytes.data(), out.size());
}

std::string_view RecordReader::text(const Node& node) {
  const Kind kind = node.kind();
  std::string_view value;
  if (kind == Kind::text) {
    value = node.text();
  } else if (kind == Kind::bytes) {
    const std::span<const std::byte> bytes = node.bytes();
    value = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  } else {
    fail_kind(node, "str");
  }
  charge_copy(node, value.size());
  return value;
}

std::span<const std::byte> RecordReader::bytes(const Node& node) {
  const Kind kind = node.kind();
  if (kind != Kind::bytes && kind != Kind::bytearray) fail_kind(node, "bytes");
  const std::span<const std::byte> value = node.bytes();
  charge_copy(node, value.size());
  return value;
}

void RecordReader::charge_members(const Node& node, std::uint64_t count) {
  // One more for the container itself: an empty one costs too.
  if (count >= members_left_) {
    fail(Reason::too_large, node,
         "more members in all than this file has nodes for: it repeats itself without end, or the count of " +
             std::to_string(count) + " here is wrong");
  }
  members_left_ -= count + 1;
}

void RecordReader::charge_copy(const Node& node, std::uint64_t bytes) {
  if (bytes > copy_left_) {
    fail(Reason::too_large, node,
         "copying " + std::to_string(bytes) + " bytes more passes the limit (LoadOptions::copied_bytes)");
  }
  copy_left_ -= bytes;
}

std::uint64_t RecordReader::enter_sequence(const Node& node) {
  const Kind kind = node.kind();
  const bool objects = kind == Kind::array && node.dtype().type_class() == TypeClass::object;
  if (kind != Kind::list && kind != Kind::tuple && !objects) fail_kind(node, "list");
  const std::uint64_t count = node.size();
  charge_members(node, count);
  return count;
}

std::uint64_t RecordReader::enter_set(const Node& node) {
  const Kind kind = node.kind();
  if (kind != Kind::set && kind != Kind::frozenset) fail_kind(node, "set");
  const std::uint64_t count = node.size();
  charge_members(node, count);
  return count;
}

std::uint64_t RecordReader::enter_dict(const Node& node) {
  if (node.kind() != Kind::dict) fail_kind(node, "dict");
  const std::uint64_t count = node.size();
  charge_members(node, count);
  return count;
}

void RecordReader::expect_size(const Node& node, std::uint64_t found, std::uint64_t expected) const {
  if (found != expected) {
    fail(Reason::wrong_shape, node,
         std::to_string(found) + " members found, " + std::to_string(expected) + " expected");
  }
}

ArrayView RecordReader::array(const Node& node, const Dtype& type) const {
  if (node.kind() != Kind::array) fail_kind(node, "array");
  const ArrayView view = node.array();
  const Dtype found = view.dtype();
  if (!same_but_order(found, type)) {
    fail(Reason::wrong_type, node, "an array of " + found.to_text() + " found, one of " + type.to_text() + " expected");
  }
  return view;
}

void RecordReader::copy_array(const ArrayView& view, std::span<std::byte> out) const {
  view.copy_to(out);
  const Dtype type = view.dtype();
  if (type.native()) return;
  const std::size_t item =
      static_cast<std::size_t>(type.type_class() == TypeClass::complex ? type.itemsize() / 2 : type.itemsize());
  for (std::size_t at = 0; at + item <= out.size(); at += item)
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(at + item));
}

const std::byte* RecordReader::find_in_place(const ArrayView& view, const Dtype& type, std::size_t alignment) const {
  if (view.size() == 0 || !(view.dtype() == type) || !view.c_contiguous() || !view.is_mapped()) return nullptr;
  const std::byte* first = view.data();
  return reinterpret_cast<std::uintptr_t>(first) % alignment == 0 ? first : nullptr;
}

RecordReader::Fields::Fields(RecordReader& reader, const Node& node, std::string_view type_name)
    : reader_(reader), node_(node), dict_(node), type_name_(type_name) {
  if (node.kind() == Kind::object) {
    if (node.type_name() != type_name) reader.fail_kind(node, "object " + std::string(type_name));
    const std::optional<Node> state = node.state();
    if (!state || state->kind() != Kind::dict)
      reader.fail(Reason::wrong_kind, node, "an object without a dict of fields");
    dict_ = *state;
  } else if (node.kind() != Kind::dict) {
    reader.fail_kind(node, "object " + std::string(type_name));
  }
  size_ = reader.enter_dict(dict_);
}

std::optional<Node> RecordReader::Fields::find(std::string_view name) {
  if (next_ < size_) {
    const Node key = dict_.key(static_cast<std::size_t>(next_));
    if (key.kind() == Kind::text && key.text() == name) {
      ++found_;
      return dict_.value(static_cast<std::size_t>(next_++));
    }
  }
  std::optional<Node> value = dict_.find(name);
  if (value) ++found_;
  return value;
}

Node RecordReader::Fields::get(std::string_view name) {
  const std::optional<Node> value = find(name);
  if (!value)
    reader_.fail(Reason::missing_field, node_, std::string(type_name_) + " has no field \"" + std::string(name) + "\"");
  return *value;
}

std::string RecordReader::Fields::key(std::uint64_t index) const {
  const Node key = dict_.key(static_cast<std::size_t>(index));
  if (key.kind() != Kind::text) reader_.fail_kind(key, "str");
  return std::string(key.text());
}

void RecordReader::Fields::fail_unknown(std::string_view field) const {
  reader_.fail(Reason::unknown_field, node_,
               "the struct " + std::string(type_name_) + " has no member \"" + std::string(field) +
                   "\" (LoadOptions::ignore_unknown skips such fields)");
}

std::shared_ptr<void> RecordReader::find_shared(const Node& node, const void* type_tag) const {
  const auto found = tables_->shared.find({node.id(), type_tag});
  return found == tables_->shared.end() ? nullptr : found->second;
}

void RecordReader::keep_shared(const Node& node, const void* type_tag, std::shared_ptr<void> object) {
  tables_->shared.emplace(Tables::Key{node.id(), type_tag}, std::move(object));
}

void RecordReader::throw_depth(const Node& node) const {
  fail(Reason::too_deep, node, "nested deeper than " + std::to_string(depth_limit_) + " levels (Limits::depth)");
}

void RecordReader::finish() const {
  model_.root().image()->check_faults();
}

}  // namespace mere
