// What pandas keeps the values of a column or an index in: extension arrays. Its compiled code takes elements of
// categories by code, and values of a sparse column by position, without looking whether they are there
// (pandas/_libs/algos.pyx, sparse.pyx, arrays.pyx).

#include "trust/pandas_parts.hpp"
#include "trust/policy.hpp"

namespace mere::trust {

namespace {

constexpr int kDepth = 4;

constexpr std::string_view kBacked[] = {"Categorical", "DatetimeArray", "TimedeltaArray",     "PeriodArray",
                                        "StringArray", "PandasArray",   "NumpyExtensionArray"};
constexpr std::string_view kMasked[] = {"IntegerArray", "BooleanArray", "FloatingArray"};

template <std::size_t n>
bool is_one_of(std::string_view name, const std::string_view (&names)[n]) {
  for (const std::string_view known : names) {
    if (known == name) return true;
  }
  return false;
}

// The array and the type behind a column: (type, array) or (array, type) and perhaps further attributes, or a dict.
struct Backing {
  NodeId values = kNoNode, type = kNoNode;
};

Backing backing_of(const ObjectState& column) {
  const graph::NodeReader& reader = column.reader();
  if (column.has_attributes()) {
    Backing found{kNoNode, column.need("_dtype")};
    for (const char* name : {"_ndarray", "_data", "_codes"}) {
      const NodeId values = column.find(name);
      if (values == kNoNode) continue;
      if (found.values != kNoNode) column.fail(std::string("its values twice, also as ") + name);
      found.values = values;
    }
    if (found.values == kNoNode) column.fail_schema("no values in its state");
    return found;
  }
  const NodeId first = column.state_member(0, "type"), second = column.state_member(1, "values");
  const bool turned = is_column(column, first) && !is_column(column, second);
  if (column.state_members() > 3) column.fail_schema("its state has more than 3 members");
  if (column.state_members() == 3) {
    const NodeId more = column.state_member(2, "attributes");
    if (reader.kind(more) != Kind::dict) column.fail_schema("its attributes are no dict");
    for (const char* name : {"_ndarray", "_data", "_codes", "_dtype"}) {
      if (reader.find(more, name) != kNoNode) column.fail(std::string("its values or type twice, also as ") + name);
    }
  }
  return turned ? Backing{first, second} : Backing{second, first};
}

std::optional<std::int64_t> category_count(const ObjectState& column, NodeId type) {
  if (column.reader().kind(type) != Kind::object) column.fail_schema("its type is no CategoricalDtype");
  const ObjectState dtype = column.at(type);
  if (dtype.qualname() != "CategoricalDtype") column.fail_schema("its type is " + dtype.qualname());
  const NodeId categories = dtype.find("categories");
  if (categories == kNoNode) return 0;
  return index_length(column, categories, "its categories");
}

// Days, hours and other ticks: 64 bits each.
void check_ticks(const ObjectState& column, NodeId values, std::string_view what) {
  const Dtype dtype = column.array_of(values, what).dtype;
  const TypeClass kind = dtype.type_class();
  const bool dated =
      column.qualname() != "PeriodArray" && (kind == TypeClass::datetime || kind == TypeClass::timedelta);
  if ((!dated && kind != TypeClass::integer) || dtype.itemsize() != 8)
    column.fail(std::string(what) + " are " + dtype.to_text() + ", expected ticks of 64 bits");
}

void check_texts(const ObjectState& column, NodeId values) {
  const graph::NodeReader& reader = column.reader();
  if (!reader.is_object_array(values)) column.fail_schema("its values are no array of texts");
  const std::uint64_t count = reader.child_count(values);
  column.spend(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Kind kind = reader.kind(reader.child(values, i));
    // None, nan, NaT or pandas.NA stand for what is missing.
    if (kind != Kind::text && kind != Kind::null && kind != Kind::real && kind != Kind::name && kind != Kind::scalar)
      column.fail("value " + std::to_string(i) + " is " + std::string(to_text(kind)) + ", expected text");
  }
}

// The positions of a sparse column that have a value, in order: (length, indices) or (length, starts, lengths).
struct Positions {
  std::int64_t length = 0, values = 0;
};

Positions positions_in(const ObjectState& index) {
  Positions found;
  found.length = index.integer_of(index.argument(0, "length"), "its length");
  index.require_range(found.length, 0, INT32_MAX, "its length");
  const bool blocks = index.qualname() == "BlockIndex";
  if (!blocks && index.qualname() != "IntIndex") index.fail_schema("it is no IntIndex or BlockIndex");
  const Integers starts = index.integers_of(index.argument(1, "positions"), "its positions");
  if (starts.shape().size() != 1) index.fail("its positions have shape " + starts.shape().to_text());
  if (!blocks) {
    found.values = static_cast<std::int64_t>(starts.size());
    return found;
  }
  const Integers lengths = index.integers_of(index.argument(2, "lengths of blocks"), "its lengths of blocks");
  index.require_equal(static_cast<std::int64_t>(lengths.size()), static_cast<std::int64_t>(starts.size()),
                      "the number of its lengths of blocks");
  for (std::uint64_t i = 0; i < lengths.size(); ++i) {
    index.require_range(lengths[i], 0, found.length - found.values, "the length of block " + std::to_string(i));
    found.values += lengths[i];
  }
  return found;
}

}  // namespace

bool is_of_pandas(std::string_view module) {
  return module == "pandas" || module.starts_with("pandas.");
}

bool is_column(const ObjectState& state, NodeId id) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) == Kind::array) return true;
  if (reader.kind(id) != Kind::object) return false;
  const auto [module, name] = class_of(reader, reader.parts(id));
  return name == "_reconstruct" || (is_of_pandas(module) && (name.ends_with("Array") || name == "Categorical"));
}

void require_made_bare(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  if (state.parts().kwargs != kNoNode) state.fail_schema("made from named arguments, expected a state");
  const std::uint64_t count = state.argument_count();
  if (!state.is_made_by_function()) {
    if (count != 0) state.fail_schema("made from " + std::to_string(count) + " arguments, expected a state");
    return;
  }
  // (class, checksum, state) or (class, base, its state).
  for (std::uint64_t i = 2; i < count; ++i) {
    if (reader.kind(state.argument(i, "state")) != Kind::null)
      state.fail_schema("made from a state that its function takes, expected one that is set");
  }
}

Integers column_integers(const ObjectState& state, NodeId id, std::string_view what) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) != Kind::object) return state.integers_of(id, what);
  // An array class of older releases, made by numpy's _reconstruct: its validator has compared shape and data.
  const ObjectState array = state.at(id);
  if (array.qualname() != "_reconstruct" || array.state_members() < 5)
    state.fail_schema(std::string(what) + " is no array");
  return state.integers_of(array.state_member(4, "data"), what);
}

std::optional<Dims> column_shape(const ObjectState& state, NodeId id, std::string_view what, int depth) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) == Kind::array)
    return reader.is_object_array(id) ? reader.object_array_shape(id) : reader.array(id).shape;
  if (reader.kind(id) != Kind::object)
    state.fail_schema(std::string(what) + " is " + std::string(to_text(reader.kind(id))) + ", expected values");
  if (depth >= kDepth) state.fail(std::string(what) + " lies in more than " + std::to_string(kDepth) + " others");
  const ObjectState column = state.at(id);
  const auto one = [](std::optional<std::int64_t> length) -> std::optional<Dims> {
    if (!length) return std::nullopt;
    Dims shape(1);
    shape[0] = *length;
    return shape;
  };
  if (column.qualname() == "_reconstruct" && column.module().starts_with("numpy") && column.state_members() >= 5) {
    const std::vector<NodeId> members = column.members_of(column.state_member(1, "shape"), "its shape");
    if (members.size() > 2) state.fail(std::string(what) + " has more than two dimensions");
    Dims shape(members.size());
    for (std::size_t d = 0; d < members.size(); ++d) shape[d] = column.integer_of(members[d], "a dimension");
    return shape;
  }
  if (is_of_pandas(column.module())) {
    if (is_one_of(column.qualname(), kBacked)) return column_shape(state, backing_of(column).values, what, depth + 1);
    if (is_one_of(column.qualname(), kMasked)) return column_shape(state, column.need("_data"), what, depth + 1);
    if (column.qualname() == "IntervalArray") return column_shape(state, column.need("_left"), what, depth + 1);
    if (column.qualname() == "SparseArray") {
      const NodeId positions = column.need("_sparse_index");
      if (reader.kind(positions) != Kind::object) column.fail_schema("its positions are no object");
      return one(positions_in(column.at(positions)).length);
    }
    if (column.qualname().starts_with("_new_")) return one(index_length(state, id, what, depth + 1));
  }
  if (is_on_lists(column.module(), column.qualname()))
    state.fail_schema(std::string(what) + " is a " + column.module() + "." + column.qualname() + ", expected values");
  return std::nullopt;
}

// Categorical, DatetimeArray and others over one array of NumPy (pandas/core/arrays/_mixins.py).
void validate_backed_column(const ObjectState& state) {
  require_made_bare(state);
  if (state.parts().state == kNoNode) state.fail_schema("it has no state");
  const Backing backing = backing_of(state);
  const std::optional<Dims> shape = column_shape(state, backing.values, "its values");
  if (!shape) state.fail_schema("its values are no array");
  if (shape->size() != 1 && shape->size() != 2) state.fail("its values have shape " + shape->to_text());
  if (state.qualname() == "Categorical") {
    const std::int64_t categories = category_count(state, backing.type).value_or(INT64_MAX);
    const Integers codes = column_integers(state, backing.values, "its codes");
    for (std::uint64_t i = 0; i < codes.size(); ++i) {
      if (codes[i] < -1 || codes[i] >= categories) [[unlikely]] {
        state.fail("code " + std::to_string(i) + " is " + std::to_string(codes[i]) + ", expected -1 to " +
                   std::to_string(categories - 1));
      }
    }
  } else if (state.qualname() == "StringArray") {
    check_texts(state, backing.values);
  } else if (state.qualname() != "PandasArray" && state.qualname() != "NumpyExtensionArray") {
    check_ticks(state, backing.values, "its values");
  }
}

// Values, and a mask that tells which of them are missing (pandas/core/arrays/masked.py).
void validate_masked_column(const ObjectState& state) {
  require_made_bare(state);
  const graph::ArrayState data = state.array_of(state.need("_data"), "_data");
  const graph::ArrayState mask = state.array_of(state.need("_mask"), "_mask");
  if (mask.dtype.type_class() != TypeClass::boolean) state.fail("_mask holds " + mask.dtype.to_text() + ", not bool");
  const TypeClass kind = data.dtype.type_class();
  const bool fits = state.qualname() == "BooleanArray" ? kind == TypeClass::boolean
                    : state.qualname() == "FloatingArray"
                        ? kind == TypeClass::real
                        : kind == TypeClass::integer || kind == TypeClass::unsigned_integer;
  if (!fits) state.fail("_data holds " + data.dtype.to_text());
  if (data.shape.size() < 1 || data.shape.size() > 2 || !(data.shape == mask.shape))
    state.fail("_mask has shape " + mask.shape.to_text() + ", _data " + data.shape.to_text());
}

void validate_interval_column(const ObjectState& state) {
  require_made_bare(state);
  const auto left = column_shape(state, state.need("_left"), "_left");
  const auto right = column_shape(state, state.need("_right"), "_right");
  if (left && right && (left->size() != 1 || !(*left == *right)))
    state.fail("_left has shape " + left->to_text() + ", _right " + right->to_text());
}

void validate_sparse_column(const ObjectState& state) {
  require_made_bare(state);
  const NodeId index = state.need("_sparse_index");
  if (state.reader().kind(index) != Kind::object) state.fail_schema("its positions are no object");
  const auto values = column_shape(state, state.need("_sparse_values"), "_sparse_values");
  if (!values) state.fail_schema("_sparse_values is no array");
  if (values->size() != 1) state.fail("_sparse_values has shape " + values->to_text());
  state.require_equal((*values)[0], positions_in(state.at(index)).values, "the length of _sparse_values");
}

// IntIndex(length, positions), BlockIndex(length, starts, lengths): 32 bits each, whose sums pandas lets wrap around.
void validate_sparse_positions(const ObjectState& state) {
  if (state.parts().state != kNoNode && state.reader().kind(state.parts().state) != Kind::null)
    state.fail_schema("a state, expected arguments alone");
  const Positions positions = positions_in(state);
  const Integers starts = state.integers_of(state.argument(1, "positions"), "its positions");
  Integers lengths;
  if (state.qualname() == "BlockIndex") lengths = state.integers_of(state.argument(2, "lengths"), "its lengths");
  std::int64_t next = 0;
  for (std::uint64_t i = 0; i < starts.size(); ++i) {
    const std::int64_t count = lengths.size() == 0 ? 1 : lengths[i];
    state.require_range(starts[i], next, positions.length - count, "position " + std::to_string(i));
    next = starts[i] + count;
  }
}

}  // namespace mere::trust
