#include "importers/pickle/array_nodes.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <mere/size.hpp>

namespace mere::importers::pickle {

namespace {

[[noreturn]] void fail(const Call& call, Reason reason, const std::string& what) {
  throw Error(reason, "byte " + std::to_string(call.offset) + " of the pickle: " + what);
}

}  // namespace

NodeId ArrayNodes::from_state(const Call& call) {
  const auto state = find_array_state(values_, call);
  if (!state) {
    if (call.state != kNoValue)
      fail(call, Reason::bad_record, "an array whose state is not (version, shape, dtype, order, data)");
    const std::vector<std::int64_t> shape = read_shape(values_, values_.members(call.args)[1], call.offset);
    if (std::find(shape.begin(), shape.end(), 0) == shape.end())
      fail(call, Reason::bad_record, "an array without a state");
    return graph_.array(Dtype::of<std::int8_t>(), shape, Graph::Order::c, {});
  }
  const std::vector<std::int64_t> shape = read_shape(values_, state->shape, call.offset);
  return over(call, types_.dtype(state->dtype, call.offset), shape, state->fortran, state->data);
}

NodeId ArrayNodes::mask(const Call& call) {
  const ArrayState state = *find_array_state(values_, call);
  const std::vector<std::int64_t> shape = read_shape(values_, state.shape, call.offset);
  const Dtype type = mask_type(types_.dtype(state.dtype, call.offset));
  return over(call, type, shape, state.fortran, values_.members(call.state)[5]);
}

NodeId ArrayNodes::over(const Call& call, const Dtype& type, std::span<const std::int64_t> shape, ValueId fortran,
                        ValueId data) {
  if (values_.kind(fortran) != ValueKind::boolean && values_.kind(fortran) != ValueKind::integer) {
    fail(call, Reason::bad_record, "an array whose order is no bool");
  }
  const auto order = values_.integer_of(fortran) != 0 ? Graph::Order::fortran : Graph::Order::c;
  RawBytes raw = bytes_of(call, type, shape, data);
  // Python caches bytes of length one, so that two arrays of one byte have the same bytes object in a stream. Each
  // array had memory of its own all the same.
  if (!raw.owner && raw.bytes.size() > 0) {
    if (data_used_[data]) {
      auto copy = std::make_shared<const std::vector<std::byte>>(raw.bytes.begin(), raw.bytes.end());
      raw = {std::span<const std::byte>(*copy), copy};
    }
    data_used_[data] = true;
  }
  return graph_.array(type, shape, order, {raw.bytes.data(), raw.owner ? raw.owner : owner_});
}

NodeId ArrayNodes::from_buffer(const Call& call) {
  const auto args = values_.members(call.args);
  const Dtype type = types_.dtype(args[1], call.offset);
  const std::vector<std::int64_t> shape = read_shape(values_, args[2], call.offset);
  const RawBytes raw = bytes_of(call, type, shape, args[0]);
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
  // bytes_of held the product against the bytes there are; only an array without elements can make it wrap.
  std::uint64_t step = type.itemsize();
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = static_cast<std::int64_t>(step);
    step *= static_cast<std::uint64_t>(std::max<std::int64_t>(shape[i], 1));
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

NodeId ArrayNodes::from_raw(const RawArray& array) {
  const ArraySource source{array.bytes.data(), array.owner ? array.owner : owner_};
  if (!array.strides.empty()) return graph_.array(array.dtype, array.shape, array.strides, source);
  return graph_.array(array.dtype, array.shape, array.fortran ? Graph::Order::fortran : Graph::Order::c, source);
}

// The bytes of an array, exactly as many as its type and shape need.
RawBytes ArrayNodes::bytes_of(const Call& call, const Dtype& type, std::span<const std::int64_t> shape,
                              ValueId data) const {
  if (type.has_objects()) fail(call, Reason::bad_record, "an array of objects from raw bytes");
  std::optional<RawBytes> raw = find_meant_bytes(values_, data);
  if (!raw && values_.kind(data) == ValueKind::array) raw = RawBytes{values_.array_of(data).bytes, nullptr};
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

NodeId ArrayNodes::of_objects(const Call& call, std::span<const NodeId> elements) {
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

}  // namespace mere::importers::pickle
