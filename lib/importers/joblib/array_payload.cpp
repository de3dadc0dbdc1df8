#include "importers/joblib/array_payload.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <mere/size.hpp>

#include "importers/joblib/wrapper.hpp"
#include "importers/pickle/machine.hpp"
#include "importers/pickle/numpy_types.hpp"

namespace mere::importers::joblib {

namespace {

using pickle::kNoValue;
using pickle::Known;
using pickle::ValueId;
using pickle::ValueKind;
using pickle::Values;

constexpr std::string_view kWhat = "joblib array";
constexpr std::int64_t kMostAlignment = 128;  // joblib writes 16; its padding length is one byte

constexpr std::uint64_t kSmallBytes = 256;
constexpr std::size_t kMostCopying = 1 << 20;  // values so far: where there are more, small arrays stay in the stream

[[noreturn]] void fail(Reason reason, std::uint64_t position, const std::string& what) {
  fail_wrapper(reason, kWhat, position, what);
}

// The attributes of a wrapper. joblib before 1.2 has no alignment.
struct Wrapper {
  ValueId subclass = kNoValue, shape = kNoValue, order = kNoValue, dtype = kNoValue, alignment = kNoValue;
};

Wrapper read_array_wrapper(const Values& values, ValueId state, std::uint64_t position) {
  Wrapper wrapper;
  const WrapperAttribute attributes[] = {
      {"subclass", &wrapper.subclass},
      {"shape", &wrapper.shape},
      {"order", &wrapper.order},
      {"dtype", &wrapper.dtype},
      {"allow_mmap", nullptr},  // what the writer's file object was, wrongly for compressed files
      {"numpy_array_alignment_bytes", &wrapper.alignment}};
  read_wrapper(values, state, attributes, kWhat, position);
  if (wrapper.subclass == kNoValue || wrapper.shape == kNoValue || wrapper.order == kNoValue ||
      wrapper.dtype == kNoValue) {
    fail(Reason::bad_record, position, "its wrapper lacks one of subclass, shape, order, dtype");
  }
  if (values.kind(wrapper.subclass) != ValueKind::global) fail(Reason::bad_record, position, "subclass is no class");
  return wrapper;
}

// One byte that says how many bytes of 0xff follow, so that the data lies at a multiple of the alignment.
std::uint64_t skip_padding(const Values& values, ValueId alignment, std::span<const std::byte> bytes,
                           std::uint64_t position) {
  if (alignment == kNoValue || values.kind(alignment) == ValueKind::none) return position;
  if (values.kind(alignment) != ValueKind::integer) fail(Reason::bad_record, position, "its alignment is no number");
  const std::int64_t unit = values.integer_of(alignment);
  if (unit < 1 || unit > kMostAlignment) {
    fail(Reason::bad_record, position, "an alignment of " + std::to_string(unit) + " bytes, expected 1 to 128");
  }
  if (position == bytes.size()) fail(Reason::truncated, position, "no bytes are left");
  const auto length = static_cast<std::uint64_t>(bytes[position]);
  if (length > static_cast<std::uint64_t>(unit)) {
    fail(Reason::bad_record, position,
         "padding of " + std::to_string(length) + " bytes for an alignment of " + std::to_string(unit));
  }
  if (!range_fits(position + 1, length, bytes.size()))
    fail(Reason::truncated, position, "padding past the end of the file");
  const auto padding = bytes.subspan(position + 1, length);
  if (!std::all_of(padding.begin(), padding.end(), [](std::byte b) { return b == std::byte{0xff}; })) {
    fail(Reason::bad_record, position, "padding that is not 0xff");
  }
  return position + 1 + length;
}

}  // namespace

ValueId as_subclass(Values& values, ValueId subclass, ValueId shape, ValueId dtype, ValueId array, bool fortran,
                    std::uint64_t position) {
  const ValueId zero = values.integer(0);
  const ValueId args[] = {subclass, values.tuple({&zero, 1}), values.bytes(std::as_bytes(std::span("b", 1)))};
  const ValueId state[] = {values.integer(1), shape, dtype, values.boolean(fortran), array};
  const ValueId made = values.call({.form = pickle::Call::Form::reduce,
                                    .callable = values.global("numpy.core.multiarray", "_reconstruct", position),
                                    .args = values.tuple(args),
                                    .offset = position});
  values.call_of(made).state = values.tuple(state);
  return made;
}

ArrayPayload read_array(Values& values, ValueId wrapper_call, std::span<const std::byte> bytes,
                        std::uint64_t position) {
  const Wrapper wrapper = read_array_wrapper(values, values.call_of(wrapper_call).state, position);
  pickle::NumpyTypes types(values);
  const Dtype dtype = types.dtype(wrapper.dtype, position);
  const std::vector<std::int64_t> shape = pickle::read_shape(values, wrapper.shape, position);
  const auto order = values.kind(wrapper.order) == ValueKind::text ? values.text_of(wrapper.order) : std::string_view();
  if (order != "C" && order != "F") fail(Reason::bad_record, position, "order is neither 'C' nor 'F'");

  if (dtype.has_objects()) {
    pickle::Budget::spend(values.budget().streams, 1, "nested streams", position);
    pickle::Machine machine(bytes, position, values, true);
    const pickle::Outcome outcome = machine.run();
    ++values.budget().streams;
    if (!values.is_call(outcome.root) || values.call_of(outcome.root).known != Known::numpy_reconstruct) {
      fail(Reason::bad_record, position, "the nested pickle holds no array");
    }
    return {outcome.root, outcome.end, outcome.dropped_call};
  }

  position = skip_padding(values, wrapper.alignment, bytes, position);
  Size size = dtype.itemsize();
  for (const std::int64_t n : shape) size = size * Size::from_signed(n);
  const std::uint64_t length = size.get("joblib array: shape " + pickle::shape_text(shape));
  if (!range_fits(position, length, bytes.size())) {
    fail(Reason::out_of_bounds, position,
         "shape and dtype ask for " + std::to_string(length) + " bytes, " + std::to_string(bytes.size() - position) +
             " remain");
  }
  const bool fortran = order == "F";
  std::span<const std::byte> data = bytes.subspan(position, length);
  // A look at a small array maps pages of the large ones around it: it is copied now, while it is looked past anyway.
  if (length > 0 && length <= kSmallBytes && values.size() < kMostCopying) {
    data = std::as_bytes(std::span(values.own(std::string(reinterpret_cast<const char*>(data.data()), data.size()))));
  }
  const ValueId array = values.array({.dtype = dtype, .shape = shape, .fortran = fortran, .bytes = data});
  const Known subclass = values.global_of(wrapper.subclass).known;
  // joblib gives a plain array back for a memmap. A type that says more than its bytes (numpy.record) is kept beside.
  const bool plain =
      (subclass == Known::numpy_ndarray || subclass == Known::numpy_memmap) && types.is_dtype(wrapper.dtype);
  const ValueId result =
      plain ? array : as_subclass(values, wrapper.subclass, wrapper.shape, wrapper.dtype, array, fortran, position);
  return {result, position + length, std::nullopt};
}

}  // namespace mere::importers::joblib
