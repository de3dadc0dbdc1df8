#include "importers/pickle/meanings.hpp"

#include <algorithm>

namespace mere::importers::pickle {

namespace {

// A call with all that its shape is told by.
struct Case {
  const Values& values;
  NumpyTypes& types;
  const Call& call;
  std::span<const ValueId> args;

  bool is(std::size_t i, ValueKind kind) const { return i < args.size() && values.kind(args[i]) == kind; }
  bool is_number(std::size_t i) const { return is(i, ValueKind::integer) || is(i, ValueKind::big_integer); }
  Known known(std::size_t i) const { return i < args.size() ? values.known(args[i]) : Known::nothing; }
  bool has_members() const { return call.items != kNoValue || call.entries != kNoValue; }
  // Nothing but arguments.
  bool is_bare() const {
    return call.kwargs == kNoValue && call.state == kNoValue && call.setter == kNoValue && !has_members();
  }
  // No argument, or one list or tuple.
  bool has_one_sequence() const {
    return args.empty() || (args.size() == 1 && (is(0, ValueKind::list) || is(0, ValueKind::tuple)));
  }
};

using Meant = std::optional<Meaning>;

Meant if_true(bool condition, Meaning meaning) {
  return condition ? Meant(meaning) : std::nullopt;
}

bool is_object_type(const Case& c, const ArrayState& state) {
  return c.types.dtype(state.dtype, c.call.offset).type_class() == TypeClass::object;
}

Meant as_array(const Case& c) {
  if (c.args.size() != 3 || c.has_members() || c.call.setter != kNoValue) return std::nullopt;
  // A memmap says where its bytes were, not what it is.
  const bool plain = c.known(0) == Known::numpy_ndarray || c.known(0) == Known::numpy_memmap;
  const auto state = find_array_state(c.values, c.call);
  if (!state || c.values.members(c.call.state).size() > 5) return if_true(plain, Meaning::array);
  // Of a type that is not understood: bytes and shape stay as they are.
  if (!c.types.is_readable(state->dtype)) return std::nullopt;
  const Meaning subclass = Meaning::array_subclass;
  if (c.values.kind(state->data) != ValueKind::list) {
    return plain && c.types.is_dtype(state->dtype) ? Meaning::array : subclass;
  }
  // Records with objects in them list their records as tuples: they stay as they are.
  if (!is_object_type(c, *state) || c.values.kind(state->fortran) == ValueKind::none) return std::nullopt;
  return plain ? Meaning::object_array : subclass;
}

Meant as_masked_array(const Case& c) {
  if (c.has_members() || c.call.setter != kNoValue) return std::nullopt;
  const auto state = find_array_state(c.values, c.call);
  if (!state || c.values.members(c.call.state).size() != 7 || !c.types.is_readable(state->dtype)) return std::nullopt;
  const ValueKind fortran = c.values.kind(state->fortran);
  if (fortran != ValueKind::boolean && fortran != ValueKind::integer) return std::nullopt;
  if (c.values.kind(state->data) == ValueKind::list) return if_true(is_object_type(c, *state), Meaning::masked_array);
  return if_true(!c.types.dtype(state->dtype, c.call.offset).has_objects(), Meaning::masked_array);
}

Meant as_dtype(const Case& c) {
  // Types that are given by a class stay as they are.
  return if_true(!c.has_members() && !c.args.empty() && !c.is(0, ValueKind::global), Meaning::dtype);
}

Meant as_reconstructed(const Case& c) {
  return if_true(
      c.args.size() == 3 && c.is(0, ValueKind::global) && c.known(1) == Known::object && c.is(2, ValueKind::none),
      Meaning::reconstructed);
}
Meant as_newobj(const Case& c) {
  return if_true(c.is(0, ValueKind::global), Meaning::reconstructed);
}
Meant as_newobj_ex(const Case& c) {
  return if_true(
      c.args.size() == 3 && c.is(0, ValueKind::global) && c.is(1, ValueKind::tuple) && c.is(2, ValueKind::dict),
      Meaning::reconstructed);
}

Meant as_frombuffer(const Case& c) {
  if (!c.is_bare() || (c.args.size() != 4 && c.args.size() != 5)) return std::nullopt;
  if (c.types.is_dtype(c.args[1])) return Meaning::frombuffer;
  return if_true(c.types.is_readable(c.args[1]) && c.args.size() == 4 && c.is(2, ValueKind::tuple),
                 Meaning::record_buffer);
}

Meant as_scalar(const Case& c) {
  if (!c.is_bare() || c.args.size() != 2 || !c.types.is_dtype(c.args[0]) || !find_meant_bytes(c.values, c.args[1]))
    return std::nullopt;
  return if_true(!c.types.dtype(c.args[0], c.call.offset).has_objects(), Meaning::scalar);
}

Meant as_set(const Case& c) {
  return if_true(c.is_bare() && c.has_one_sequence(), Meaning::set);
}
Meant as_frozenset(const Case& c) {
  return if_true(c.is_bare() && c.has_one_sequence(), Meaning::frozenset);
}
Meant as_bytes(const Case& c) {
  return if_true(c.is_bare() && raw_bytes_of_call(c.values, c.call), Meaning::bytes);
}
Meant as_bytearray(const Case& c) {
  return if_true(c.is_bare() && raw_bytes_of_call(c.values, c.call), Meaning::bytearray);
}
Meant as_complex(const Case& c) {
  return if_true(c.is_bare() && c.args.size() == 2 && c.is(0, ValueKind::real) && c.is(1, ValueKind::real),
                 Meaning::complex);
}
Meant as_slice(const Case& c) {
  return if_true(c.is_bare() && c.args.size() == 3, Meaning::slice);
}
Meant as_range(const Case& c) {
  return if_true(c.is_bare() && c.args.size() == 3 && c.is_number(0) && c.is_number(1) && c.is_number(2),
                 Meaning::range);
}

Meant as_datetime(const Case& c) {
  return if_true(c.is(0, ValueKind::text) && find_meant_bytes(c.values, c.args[0]), Meaning::datetime_call);
}

// A class statement carried out: type(name, bases, namespace).
Meant as_class(const Case& c) {
  return if_true(c.args.size() == 3 && c.is(0, ValueKind::text) && c.is(1, ValueKind::tuple), Meaning::opaque);
}
Meant as_opaque(const Case&) {
  return Meaning::opaque;
}

struct Shape {
  Known known;
  Meant (*find)(const Case& c);
};

// Each name has one row. Where its function finds nothing, the call is a plain one.
constexpr Shape kShapes[] = {
    {Known::numpy_reconstruct, as_array},
    {Known::numpy_mareconstruct, as_masked_array},
    {Known::numpy_frombuffer, as_frombuffer},
    {Known::numpy_dtype, as_dtype},
    {Known::numpy_scalar, as_scalar},
    {Known::reconstructor, as_reconstructed},
    {Known::newobj, as_newobj},
    {Known::newobj_ex, as_newobj_ex},
    {Known::set, as_set},
    {Known::frozenset, as_frozenset},
    {Known::bytes, as_bytes},
    {Known::bytearray, as_bytearray},
    {Known::codecs_encode, as_bytes},
    {Known::complex, as_complex},
    {Known::slice, as_slice},
    {Known::range, as_range},
    {Known::datetime, as_datetime},
    {Known::type_of, as_class},
    {Known::cloud_function, as_opaque},
    {Known::cloud_class, as_opaque},
    {Known::cloud_code, as_opaque},
    {Known::cloud_cell, as_opaque},
};

bool is_filled_by_cloudpickle(const Values& values, const Call& call) {
  if (call.setter == kNoValue) return false;
  const Known known = values.known(call.setter);
  return known == Known::cloud_function_setter || known == Known::cloud_class_setter;
}

}  // namespace

std::optional<ArrayState> find_array_state(const Values& values, const Call& call) {
  if (call.state == kNoValue || values.kind(call.state) != ValueKind::tuple) return std::nullopt;
  const auto parts = values.members(call.state);
  if (parts.size() == 4) return ArrayState{parts[0], parts[1], parts[2], parts[3]};
  if (parts.size() == 5 || parts.size() == 7) return ArrayState{parts[1], parts[2], parts[3], parts[4]};
  return std::nullopt;
}

Meaning meaning_of(const Values& values, NumpyTypes& types, const Call& call) {
  if (is_filled_by_cloudpickle(values, call)) return Meaning::opaque;
  if (call.form == Call::Form::construct) return Meaning::plain_object;
  if (call.known == Known::nothing) return Meaning::plain_call;
  const auto* shape =
      std::find_if(std::begin(kShapes), std::end(kShapes), [&](const Shape& row) { return row.known == call.known; });
  if (shape == std::end(kShapes)) return Meaning::plain_call;
  return shape->find({values, types, call, values.members(call.args)}).value_or(Meaning::plain_call);
}

}  // namespace mere::importers::pickle
