// Arrays of other classes than ndarray, dtypes that are objects, and objects that hold nothing but numbers.

#include <algorithm>

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

std::int64_t product_of(const ObjectState& state, NodeId shape) {
  Size product = 1;
  for (const NodeId member : state.members_of(shape, "the shape")) {
    const std::int64_t n = state.integer_of(member, "a dimension");
    state.require_range(n, 0, INT64_MAX, "a dimension");
    product = product * Size::from_signed(n);
  }
  if (!product.fits(INT64_MAX)) state.fail("the shape has too many elements");
  return static_cast<std::int64_t>(product.get("shape"));
}

// Elements of an array of any kind, or nothing if it is no array.
std::optional<std::int64_t> elements_of(const ObjectState& state, NodeId id) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) != Kind::array) return std::nullopt;
  if (reader.is_object_array(id)) return static_cast<std::int64_t>(reader.child_count(id));
  return static_cast<std::int64_t>(reader.array(id).elements);
}

std::optional<std::int64_t> item_size_of(const ObjectState& state, NodeId dtype) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(dtype) == Kind::dtype) return static_cast<std::int64_t>(reader.dtype(dtype).itemsize());
  // A record type of a class (numpy.record) is an object, with its item size in the state.
  if (reader.kind(dtype) != Kind::object) return std::nullopt;
  const NodeId held = reader.parts(dtype).state;
  if (held == kNoNode || reader.kind(held) != Kind::tuple || reader.child_count(held) < 6) return std::nullopt;
  return reader.find_integer(reader.child(held, 5));
}

bool holds_objects(const graph::NodeReader& reader, NodeId dtype) {
  return reader.kind(dtype) == Kind::dtype && reader.dtype(dtype).type_class() == TypeClass::object;
}

// Data as an array, or as the bytes of one.
void check_data(const ObjectState& state, NodeId data, NodeId dtype, std::int64_t elements, std::string_view what) {
  const graph::NodeReader& reader = state.reader();
  if (const auto held = elements_of(state, data)) {
    state.require_equal(*held, elements, "the number of elements of " + std::string(what));
    return;
  }
  if (reader.kind(data) == Kind::list || holds_objects(reader, dtype)) {
    state.require_equal(static_cast<std::int64_t>(state.members_of(data, what).size()), elements,
                        "the number of elements of " + std::string(what));
    return;
  }
  if (reader.kind(data) != Kind::bytes && reader.kind(data) != Kind::bytearray)
    state.fail_schema(std::string(what) + " is " + std::string(to_text(reader.kind(data))));
  const auto item = item_size_of(state, dtype);
  if (!item || *item < 0) state.fail_schema("its dtype is " + std::string(to_text(reader.kind(dtype))));
  const Size bytes = Size::from_signed(*item) * Size::from_signed(elements);
  if (!bytes.fits(INT64_MAX)) state.fail("the shape has too many bytes");
  state.require_equal(static_cast<std::int64_t>(reader.text(data).size()), static_cast<std::int64_t>(bytes.get("data")),
                      "the number of bytes of " + std::string(what));
}

}  // namespace

// numpy.core.multiarray._reconstruct(class, (0,), b"b") with the state (version, shape, dtype, fortran, data).
void validate_reconstructed(const ObjectState& state) {
  const NodeId held = state.parts().state;
  if (held == kNoNode || state.reader().kind(held) == Kind::null) return;
  if (state.state_members() < 4) state.fail_schema("its state is no tuple of shape, dtype and data");
  const std::uint64_t first = state.state_members() >= 5 ? 1 : 0;  // the oldest have no version
  const std::int64_t elements = product_of(state, state.state_member(first, "shape"));
  check_data(state, state.state_member(first + 3, "data"), state.state_member(first + 1, "dtype"), elements,
             "its data");
}

// numpy.ma.core._mareconstruct(class, base, (0,), "b") with the state (1, shape, dtype, fortran, data, mask, fill).
void validate_masked(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  const NodeId held = state.parts().state;
  if (held == kNoNode || reader.kind(held) == Kind::null) return;
  if (state.state_members() < 6) state.fail_schema("its state is no tuple of shape, dtype, data and mask");
  const std::int64_t elements = product_of(state, state.state_member(1, "shape"));
  const NodeId dtype = state.state_member(2, "dtype");
  check_data(state, state.state_member(4, "data"), dtype, elements, "its data");
  const NodeId mask = state.state_member(5, "mask");
  if (const auto masked = elements_of(state, mask))
    return state.require_equal(*masked, elements, "the number of elements of its mask");
  if (reader.kind(mask) != Kind::bytes && reader.kind(mask) != Kind::bytearray)
    state.fail_schema("its mask is " + std::string(to_text(reader.kind(mask))));
  // A flag for each element, or for each field of each.
  const auto bytes = static_cast<std::int64_t>(reader.text(mask).size());
  std::int64_t flags = 1;
  if (reader.kind(dtype) == Kind::dtype && reader.dtype(dtype).type_class() == TypeClass::record)
    flags = std::max<std::int64_t>(1, elements == 0 ? 1 : bytes / elements);
  const Size expected = Size::from_signed(elements) * Size::from_signed(flags);
  if (!expected.fits(INT64_MAX)) state.fail("the shape has too many elements");
  state.require_equal(bytes, static_cast<std::int64_t>(expected.get("mask")), "the number of bytes of its mask");
}

// numpy.dtype(class, align, copy) with the state (version, order, subarray, names, fields, size, alignment, flags).
void validate_dtype(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  const NodeId held = state.parts().state;
  if (held == kNoNode || reader.kind(held) == Kind::null) return;
  if (state.state_members() < 8)
    state.fail_schema("its state has " + std::to_string(state.state_members()) + " members, expected 8");
  constexpr std::int64_t kHasObject = 1;
  const std::int64_t size = state.integer_of(state.state_member(5, "size"), "its size");
  const std::int64_t flags = state.integer_of(state.state_member(7, "flags"), "its flags");
  state.require_range(size, 0, INT32_MAX, "its size");
  const NodeId fields = state.state_member(4, "fields");
  if (reader.kind(fields) != Kind::dict) state.fail_schema("it has no fields");
  const std::vector<NodeId> names = state.members_of(state.state_member(3, "names"), "its names");
  for (const NodeId name : names) {
    if (reader.kind(name) != Kind::text) state.fail_schema("a name of a field is no text");
    state.spend(reader.child_count(fields));
    const NodeId field = reader.find(fields, reader.text(name));
    if (field == kNoNode) state.fail("a name without a field");
    const std::vector<NodeId> parts = state.members_of(field, "a field");
    if (parts.size() < 2) state.fail_schema("a field without offset");
    const auto item = item_size_of(state, parts[0]);
    if (!item) state.fail_schema("the type of a field is " + std::string(to_text(reader.kind(parts[0]))));
    state.require_range(*item, 0, size, "the size of a field");
    state.require_range(state.integer_of(parts[1], "an offset"), 0, size - *item, "the offset of a field");
    if (holds_objects(reader, parts[0]) && (flags & kHasObject) == 0)
      state.fail("a field of objects that its flags hide");
  }
  if ((flags & kHasObject) != 0) {
    const bool any = std::any_of(names.begin(), names.end(), [&](NodeId name) {
      return holds_objects(reader, reader.child(reader.find(fields, reader.text(name)), 0));
    });
    if (!any) state.fail("its flags tell of objects, and no field holds any");
  }
}

// An array class that is not made by _reconstruct: nothing sets the state of one in another way.
void validate_array_class(const ObjectState& state) {
  const NodeId held = state.parts().state;
  if (held != kNoNode && state.reader().kind(held) != Kind::null)
    state.fail_schema("an array with a state of its own, expected one made by _reconstruct");
}

// Losses and other objects of compiled code that hold numbers alone: nothing they are made of may be anything else.
void validate_plain(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  const auto check = [&](NodeId id, const auto& again, int depth) -> void {
    if (id == kNoNode) return;
    switch (reader.kind(id)) {
      case Kind::null:
      case Kind::boolean:
      case Kind::integer:
      case Kind::real:
      case Kind::scalar:
      case Kind::name: return;
      case Kind::tuple:
        if (depth < 3) {
          for (const NodeId member : state.members_of(id, "a part")) again(member, again, depth + 1);
          return;
        }
        break;
      default: break;
    }
    state.fail_schema("it holds " + std::string(to_text(reader.kind(id))) + ", expected numbers alone");
  };
  check(state.parts().args, check, 0);
  if (state.parts().state == kNoNode) return;
  if (reader.kind(state.parts().state) != Kind::dict) return check(state.parts().state, check, 0);
  const std::uint64_t children = reader.child_count(state.parts().state);
  state.spend(children);
  for (std::uint64_t i = 1; i < children; i += 2) check(reader.child(state.parts().state, i), check, 0);
}

}  // namespace mere::trust
