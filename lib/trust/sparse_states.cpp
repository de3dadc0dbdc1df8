// SciPy's sparse matrices: the routines behind them (scipy/sparse/sparsetools) follow every index.

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

std::vector<std::int64_t> shape_of(const ObjectState& state) {
  NodeId id = state.find("_shape");
  if (id == kNoNode) id = state.need("shape");
  const std::vector<NodeId> members = state.members_of(id, "its shape");
  if (members.empty() || members.size() > 2) {
    state.fail("its shape has " + std::to_string(members.size()) + " dimensions, expected 1 or 2");
  }
  std::vector<std::int64_t> shape;
  for (const NodeId member : members) {
    shape.push_back(state.integer_of(member, "a dimension"));
    state.require_range(shape.back(), 0, INT64_MAX, "a dimension");
  }
  return shape;
}

void check_indices(const ObjectState& state, const Integers& indices, std::int64_t bound, std::string_view what) {
  if (indices.shape().size() != 1) state.fail(std::string(what) + " has shape " + indices.shape().to_text());
  for (std::uint64_t i = 0; i < indices.size(); ++i) {
    const std::int64_t index = indices[i];
    if (index < 0 || index >= bound) [[unlikely]] {
      state.fail(std::string(what) + "[" + std::to_string(i) + "] is " + std::to_string(index) + ", expected 0 to " +
                 std::to_string(bound - 1));
    }
  }
}

}  // namespace

std::optional<MatrixShape> matrix_shape(const ObjectState& state, NodeId id) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) == Kind::array && !reader.is_object_array(id)) {
    const graph::ArrayState array = reader.array(id);
    if (array.shape.size() == 1) return MatrixShape{1, array.shape[0]};
    if (array.shape.size() == 2) return MatrixShape{array.shape[0], array.shape[1]};
    return std::nullopt;
  }
  if (reader.kind(id) != Kind::object) return std::nullopt;
  const NodeId held = reader.parts(id).state;
  if (held == kNoNode || reader.kind(held) != Kind::dict) return std::nullopt;
  state.spend(reader.child_count(held));
  NodeId shape = reader.find(held, "_shape");
  if (shape == kNoNode) shape = reader.find(held, "shape");
  if (shape == kNoNode || reader.kind(shape) != Kind::tuple || reader.child_count(shape) != 2) return std::nullopt;
  const auto rows = reader.find_integer(reader.child(shape, 0)), columns = reader.find_integer(reader.child(shape, 1));
  if (!rows || !columns) return std::nullopt;
  return MatrixShape{*rows, *columns};
}

// csr, csc, bsr.
void validate_compressed_sparse(const ObjectState& state) {
  if (!state.has_attributes()) return;
  const std::vector<std::int64_t> shape = shape_of(state);
  const Integers indptr = state.integers_of(state.need("indptr"), "indptr");
  const Integers indices = state.integers_of(state.need("indices"), "indices");
  const bool blocks = state.qualname().starts_with("bsr");
  const graph::ArrayState data = state.array_of(state.need("data"), "data", blocks ? 3 : 1);
  // One dimension since SciPy 1.13: a single row.
  std::int64_t major = shape.size() == 1 ? 1 : shape[0], minor = shape.back();
  if (state.qualname().starts_with("csc")) std::swap(major, minor);
  if (blocks) {
    for (std::size_t d = 1; d < 3; ++d) state.require_range(data.shape[d], 1, INT64_MAX, "a side of a block");
    if (major % data.shape[1] != 0 || minor % data.shape[2] != 0)
      state.fail("blocks of " + data.shape.to_text() + " do not fill its shape");
    major /= data.shape[1];
    minor /= data.shape[2];
  }
  if (indptr.shape().size() != 1) state.fail("indptr has shape " + indptr.shape().to_text());
  if (indptr.size() == 0 || static_cast<std::int64_t>(indptr.size()) - 1 != major) {
    state.fail("indptr has " + std::to_string(indptr.size()) + " entries, expected one more than " +
               std::to_string(major));
  }
  state.require_equal(data.shape[0], static_cast<std::int64_t>(indices.size()), "the length of data");
  state.require_equal(indptr[0], 0, "indptr[0]");
  std::int64_t before = 0;
  for (std::uint64_t i = 1; i < indptr.size(); ++i) {
    const std::int64_t at = indptr[i];
    if (at < before) [[unlikely]]
      state.fail("indptr[" + std::to_string(i) + "] is " + std::to_string(at) + ", expected at least " +
                 std::to_string(before));
    before = at;
  }
  // Room that is not used may follow.
  state.require_range(before, 0, static_cast<std::int64_t>(indices.size()), "the end of indptr");
  check_indices(state, indices, minor, "indices");
}

void validate_coo(const ObjectState& state) {
  if (!state.has_attributes()) return;
  const std::vector<std::int64_t> shape = shape_of(state);
  const graph::ArrayState data = state.array_of(state.need("data"), "data", 1);
  std::vector<NodeId> axes;
  if (const NodeId coords = state.find("coords"); coords != kNoNode) {
    axes = state.members_of(coords, "coords");
  } else {
    axes = {state.need("row"), state.need("col")};
  }
  state.require_equal(static_cast<std::int64_t>(axes.size()), static_cast<std::int64_t>(shape.size()),
                      "the number of coordinates");
  for (std::size_t d = 0; d < axes.size(); ++d) {
    const Integers indices = state.integers_of(axes[d], "a coordinate");
    state.require_equal(static_cast<std::int64_t>(indices.size()), data.shape[0], "the length of a coordinate");
    check_indices(state, indices, shape[d], d == 0 ? "row" : "col");
  }
}

void validate_dia(const ObjectState& state) {
  if (!state.has_attributes()) return;
  const std::vector<std::int64_t> shape = shape_of(state);
  const graph::ArrayState data = state.array_of(state.need("data"), "data", 2);
  const Integers offsets = state.integers_of(state.need("offsets"), "offsets");
  if (shape.size() != 2) state.fail("its shape has one dimension, expected 2");
  state.require_equal(static_cast<std::int64_t>(offsets.size()), data.shape[0], "the length of offsets");
  for (std::uint64_t i = 0; i < offsets.size(); ++i)
    state.require_range(offsets[i], -shape[0], shape[1], "offsets[" + std::to_string(i) + "]");
}

// Rows of lists: an index list and a data list for each row, in arrays of objects.
void validate_lil(const ObjectState& state) {
  if (!state.has_attributes()) return;
  const std::vector<std::int64_t> shape = shape_of(state);
  const std::vector<NodeId> rows = state.members_of(state.need("rows"), "rows");
  const std::vector<NodeId> data = state.members_of(state.need("data"), "data");
  state.require_equal(static_cast<std::int64_t>(rows.size()), shape.size() == 1 ? 1 : shape[0], "the length of rows");
  state.require_equal(static_cast<std::int64_t>(data.size()), static_cast<std::int64_t>(rows.size()),
                      "the length of data");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::vector<NodeId> columns = state.members_of(rows[i], "a row");
    state.require_equal(static_cast<std::int64_t>(state.members_of(data[i], "the data of a row").size()),
                        static_cast<std::int64_t>(columns.size()), "the length of a row's data");
    for (const NodeId column : columns)
      state.require_range(state.integer_of(column, "a column"), 0, shape.back() - 1, "a column");
  }
}

// A dict from coordinates to values: in the entries, or (since SciPy 1.13) in the attribute _dict.
void validate_dok(const ObjectState& state) {
  if (!state.has_attributes()) return;
  const std::vector<std::int64_t> shape = shape_of(state);
  NodeId dict = state.find("_dict");
  if (dict == kNoNode) dict = state.parts().entries;
  if (dict == kNoNode) return;
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(dict) != Kind::dict) state.fail_schema("its entries are no dict");
  const std::uint64_t children = reader.child_count(dict);
  state.spend(children);
  for (std::uint64_t i = 0; i + 1 < children; i += 2) {
    const NodeId key = reader.child(dict, i);
    if (reader.kind(key) != Kind::tuple) {
      state.require_range(state.integer_of(key, "a coordinate"), 0, shape.back() - 1, "a coordinate");
      continue;
    }
    const std::vector<NodeId> place = state.members_of(key, "a coordinate");
    state.require_equal(static_cast<std::int64_t>(place.size()), static_cast<std::int64_t>(shape.size()),
                        "the length of a coordinate");
    for (std::size_t d = 0; d < place.size(); ++d)
      state.require_range(state.integer_of(place[d], "a coordinate"), 0, shape[d] - 1, "a coordinate");
  }
}

}  // namespace mere::trust
