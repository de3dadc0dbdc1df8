// The indices of pandas: what labels rows and columns. All are made by functions from a class and a dict
// (pandas/core/indexes/base.py, _new_Index).

#include "trust/pandas_parts.hpp"

namespace mere::trust {

namespace {

struct IndexParts {
  std::string_view class_name;
  NodeId named = kNoNode;  // dict
};

IndexParts parts_of(const ObjectState& index) {
  const graph::NodeReader& reader = index.reader();
  if (!is_of_pandas(index.module()) || !index.qualname().starts_with("_new_"))
    index.fail_schema("expected an index of pandas, made by one of its functions");
  if (index.argument_count() != 2 || index.parts().kwargs != kNoNode)
    index.fail_schema("made from " + std::to_string(index.argument_count()) +
                      " arguments, expected a class and a dict");
  const NodeId cls = index.argument(0, "class"), named = index.argument(1, "dict");
  if (reader.kind(cls) != Kind::name) index.fail_schema("its class is " + std::string(to_text(reader.kind(cls))));
  const auto [module, name] = reader.name(cls);
  if (!is_of_pandas(module) || !name.ends_with("Index"))
    index.fail_schema("its class is " + std::string(module) + "." + std::string(name) +
                      ", expected an index of pandas");
  if (reader.kind(named) != Kind::dict) index.fail_schema("its parts are no dict");
  index.spend(reader.child_count(named) > 64 ? reader.child_count(named) : 8);
  return {name, named};
}

NodeId need(const ObjectState& index, const IndexParts& parts, std::string_view key) {
  const NodeId value = index.reader().find(parts.named, key);
  if (value == kNoNode) index.fail_schema("no \"" + std::string(key) + "\" in its parts");
  return value;
}

std::int64_t range_length(const ObjectState& index, const IndexParts& parts) {
  const auto number = [&](std::string_view key) { return index.integer_of(need(index, parts, key), key); };
  const std::int64_t start = number("start"), stop = number("stop"), step = number("step");
  if (step == 0) index.fail("step is 0");
  const __int128 way = step > 0 ? static_cast<__int128>(stop) - start : static_cast<__int128>(start) - stop;
  const __int128 stride = step > 0 ? static_cast<__int128>(step) : -static_cast<__int128>(step);
  if (way <= 0) return 0;
  const __int128 length = (way + stride - 1) / stride;
  if (length > INT64_MAX) index.fail("it has more labels than 64 bits can count");
  return static_cast<std::int64_t>(length);
}

// Positions in the levels, a list for each level; older releases call them labels.
std::vector<NodeId> codes_of(const ObjectState& index, const IndexParts& parts) {
  NodeId codes = index.reader().find(parts.named, "codes");
  if (codes == kNoNode) codes = need(index, parts, "labels");
  return index.members_of(codes, "its codes");
}

std::optional<std::int64_t> length_of(const ObjectState& index, NodeId values, std::string_view what, int depth) {
  const auto shape = column_shape(index, values, what, depth);
  if (!shape) return std::nullopt;
  if (shape->size() != 1) index.fail(std::string(what) + " has shape " + shape->to_text() + ", expected one dimension");
  return (*shape)[0];
}

std::optional<std::int64_t> length_in(const ObjectState& index, const IndexParts& parts, int depth) {
  if (parts.class_name == "RangeIndex") return range_length(index, parts);
  if (parts.class_name == "MultiIndex") {
    const std::vector<NodeId> codes = codes_of(index, parts);
    if (codes.empty()) index.fail("it has no levels");
    return static_cast<std::int64_t>(column_integers(index, codes[0], "codes[0]").size());
  }
  const NodeId left = index.reader().find(parts.named, "left");
  if (parts.class_name == "IntervalIndex" && left != kNoNode) return length_of(index, left, "left", depth);
  return length_of(index, need(index, parts, "data"), "data", depth);
}

void check_levels(const ObjectState& index, const IndexParts& parts) {
  const std::vector<NodeId> levels = index.members_of(need(index, parts, "levels"), "its levels");
  const std::vector<NodeId> codes = codes_of(index, parts);
  index.require_equal(static_cast<std::int64_t>(codes.size()), static_cast<std::int64_t>(levels.size()),
                      "the number of its codes");
  std::int64_t length = -1;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const std::string what = "codes[" + std::to_string(level) + "]";
    const std::string name = "levels[" + std::to_string(level) + "]";
    const std::int64_t labels = index_length(index, levels[level], name).value_or(INT64_MAX);
    const Integers numbers = column_integers(index, codes[level], what);
    if (numbers.shape().size() != 1) index.fail(what + " has shape " + numbers.shape().to_text());
    if (length < 0) length = static_cast<std::int64_t>(numbers.size());
    index.require_equal(static_cast<std::int64_t>(numbers.size()), length, "the length of " + what);
    for (std::uint64_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] < -1 || numbers[i] >= labels) [[unlikely]] {
        index.fail(what + "[" + std::to_string(i) + "] is " + std::to_string(numbers[i]) + ", expected -1 to " +
                   std::to_string(labels - 1));
      }
    }
  }
}

}  // namespace

std::optional<std::int64_t> index_length(const ObjectState& state, NodeId id, std::string_view what, int depth) {
  if (state.reader().kind(id) != Kind::object)
    state.fail_schema(std::string(what) + " is " + std::string(to_text(state.reader().kind(id))) +
                      ", expected an index");
  const ObjectState index = state.at(id);
  return length_in(index, parts_of(index), depth + 1);
}

void validate_index(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  if (state.parts().state != kNoNode && reader.kind(state.parts().state) != Kind::null)
    state.fail_schema("an index with a state, expected a class and a dict alone");
  const IndexParts parts = parts_of(state);
  const auto length = length_in(state, parts, 0);
  if (parts.class_name == "MultiIndex") check_levels(state, parts);
  if (parts.class_name == "IntervalIndex" && reader.find(parts.named, "left") != kNoNode) {
    const auto right = length_of(state, need(state, parts, "right"), "right", 0);
    if (length && right) state.require_equal(*right, *length, "the length of right");
  }
  if (parts.class_name == "DatetimeIndex" || parts.class_name == "TimedeltaIndex") {
    const NodeId data = need(state, parts, "data");
    if (reader.kind(data) != Kind::array) return;
    const Dtype dtype = state.array_of(data, "data").dtype;
    const TypeClass kind = dtype.type_class();
    if ((kind != TypeClass::datetime && kind != TypeClass::timedelta && kind != TypeClass::integer) ||
        dtype.itemsize() != 8)
      state.fail("data holds " + dtype.to_text() + ", expected ticks of 64 bits");
  }
}

// Nothing but these functions makes an index: a state set on one would go past what its class checks.
void validate_index_class(const ObjectState& state) {
  state.fail_schema("an index that is not made by a function of pandas");
}

}  // namespace mere::trust
