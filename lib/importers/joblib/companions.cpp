#include "importers/joblib/companions.hpp"

#include <algorithm>

#include <mere/size.hpp>

#include "container/expanded_file.hpp"
#include "container/npy.hpp"
#include "importers/joblib/wrapper.hpp"
#include "importers/joblib/zf_stream.hpp"
#include "importers/pickle/machine.hpp"
#include "importers/pickle/numpy_types.hpp"

namespace mere::importers::joblib {

namespace {

using pickle::kNoValue;
using pickle::Known;
using pickle::ValueId;
using pickle::ValueKind;
using pickle::Values;

constexpr std::string_view kWhat = "joblib array in a file of its own";
constexpr std::uint64_t kSmallBytes = std::uint64_t{64} << 10;  // expanded into memory, as there may be thousands

[[noreturn]] void fail(Reason reason, std::uint64_t position, const std::string& what) {
  fail_wrapper(reason, kWhat, position, what);
}

struct Wrapper {
  ValueId filename = kNoValue, subclass = kNoValue, init_args = kNoValue, state = kNoValue;
};

Wrapper read_companion_wrapper(const Values& values, ValueId state, std::uint64_t position) {
  Wrapper wrapper;
  const WrapperAttribute attributes[] = {{"filename", &wrapper.filename},
                                         {"subclass", &wrapper.subclass},
                                         {"init_args", &wrapper.init_args},
                                         {"state", &wrapper.state},
                                         {"allow_mmap", nullptr}};  // how joblib would read the file
  read_wrapper(values, state, attributes, kWhat, position);
  return wrapper;
}

std::string read_name(const Values& values, ValueId filename, std::uint64_t position) {
  // Python 2 gives bytes for a name beyond ASCII.
  if (filename == kNoValue || (values.kind(filename) != ValueKind::text && values.kind(filename) != ValueKind::bytes)) {
    fail(Reason::bad_record, position, "its wrapper names no file");
  }
  return std::string(values.text_of(filename));
}

// A numpy.dtype as the stream would have it. The types of matrices are simple ones.
ValueId dtype_value(Values& values, const container::NpyHeader& header, std::uint64_t position) {
  const TypeClass kind = header.dtype.type_class();
  const std::string& text = header.descr;
  const bool ordered = !text.empty() && (text[0] == '<' || text[0] == '>' || text[0] == '|');
  if (!ordered || kind == TypeClass::datetime || kind == TypeClass::timedelta) {
    fail(Reason::not_supported, position, "a subclass of ndarray with elements of type " + header.dtype.to_text());
  }
  const std::string_view code = values.own(text.substr(1));
  const std::string_view order = values.own(text.substr(0, 1));
  const ValueId args[] = {values.text(code), values.boolean(false), values.boolean(true)};
  const ValueId minus = values.integer(-1);
  const ValueId state[] = {
      values.integer(3), values.text(order), values.none(), values.none(), values.none(), minus, minus,
      values.integer(0)};
  const ValueId made = values.call({.form = pickle::Call::Form::reduce,
                                    .callable = values.global("numpy", "dtype", position),
                                    .args = values.tuple(args),
                                    .offset = position});
  values.call_of(made).state = values.tuple(state);
  return made;
}

// The bytes of the .npy, as an array or as the pickle of one.
ArrayPayload read_npy(Values& values, const Wrapper& wrapper, std::span<const std::byte> bytes,
                      std::uint64_t position) {
  if (!container::is_npy(bytes)) throw Error(Reason::bad_record, "it does not begin as a .npy file");
  const container::NpyHeader header = container::read_npy_header(bytes, true);
  const Known subclass = values.global_of(wrapper.subclass).known;
  const bool plain = subclass == Known::numpy_ndarray || subclass == Known::numpy_memmap;
  if (header.dtype.has_objects()) {
    pickle::Budget::spend(values.budget().streams, 1, "nested streams", position);
    pickle::Machine machine(bytes, header.data_offset, values, true);
    const pickle::Outcome outcome = machine.run();
    ++values.budget().streams;
    if (outcome.end != bytes.size()) {
      throw Error(Reason::trailing_bytes, "byte " + std::to_string(outcome.end) + ": " +
                                              std::to_string(bytes.size() - outcome.end) +
                                              " bytes follow the end of the pickle");
    }
    if (!values.is_call(outcome.root) || values.call_of(outcome.root).known != Known::numpy_reconstruct) {
      throw Error(Reason::bad_record, "the pickle holds no array");
    }
    return {outcome.root, position, outcome.dropped_call};
  }
  const ValueId array = values.array({.dtype = header.dtype,
                                      .shape = header.shape,
                                      .fortran = header.fortran,
                                      .bytes = bytes.subspan(header.data_offset, header.data_bytes)});
  if (plain) return {array, position, std::nullopt};
  std::vector<ValueId> dims;
  for (const std::int64_t n : header.shape) dims.push_back(values.integer(n));
  const ValueId dtype = dtype_value(values, header, position);
  return {as_subclass(values, wrapper.subclass, values.tuple(dims), dtype, array, header.fortran, position), position,
          std::nullopt};
}

// init_args and state as ndarray.__reduce__ gives them; the file holds the bytes that the state lacks.
ValueId read_packed(Values& values, const Wrapper& wrapper, Companions& companions, const std::string& name,
                    std::uint64_t position) {
  if (wrapper.state == kNoValue || values.kind(wrapper.state) != ValueKind::tuple ||
      values.members(wrapper.state).size() != 4) {
    fail(Reason::bad_record, position, "a state that is no tuple of 4");
  }
  if (wrapper.init_args == kNoValue || values.kind(wrapper.init_args) != ValueKind::tuple) {
    fail(Reason::bad_record, position, "init_args that are no tuple");
  }
  const auto given = values.members(wrapper.state);
  const ValueId shape = given[1], type = given[2];
  std::vector<ValueId> state(given.begin(), given.end());
  pickle::NumpyTypes types(values);
  if (!types.is_dtype(type)) fail(Reason::bad_record, position, "its element type is no numpy.dtype");
  const Dtype dtype = types.dtype(type, position);
  if (dtype.has_objects()) fail(Reason::bad_record, position, "objects as raw bytes");
  const std::vector<std::int64_t> dims = pickle::read_shape(values, shape, position);
  Size size = dtype.itemsize();
  for (const std::int64_t n : dims) size = size * Size::from_signed(n);
  const std::uint64_t length = size.get("joblib array: shape " + pickle::shape_text(dims));
  std::span<const std::byte> bytes;
  try {
    bytes = companions.open_expanded(name, length);
  } catch (const Error& error) {
    throw error.with_context("companion file '" + name + "'");
  }
  state.push_back(values.bytes(bytes));
  const ValueId made = values.call({.form = pickle::Call::Form::reduce,
                                    .callable = values.global("numpy.core.multiarray", "_reconstruct", position),
                                    .args = wrapper.init_args,
                                    .offset = position});
  values.call_of(made).state = values.tuple(state);
  return made;
}

}  // namespace

std::span<const std::byte> Companions::open(const std::string& name) {
  const std::size_t before = files_.opened().size();
  const container::HeldBytes& held = files_.open(name);
  if (files_.opened().size() != before) keep(held);
  return held.bytes;
}

std::span<const std::byte> Companions::open_expanded(const std::string& name, std::uint64_t length) {
  const std::span<const std::byte> packed = open(name);
  if (!is_zf(packed)) throw Error(Reason::bad_record, "it does not begin with ZF");
  if (zf_length(packed) != length) {
    throw Error(Reason::bad_record, "holds " + std::to_string(zf_length(packed)) + " bytes, shape and dtype need " +
                                        std::to_string(length));
  }
  container::ExpandedFile expanded(kSmallBytes);
  const std::uint64_t used =
      decode_zf(packed, expanding_, [&](std::span<const std::byte> piece) { expanded.append(piece); });
  if (used != packed.size()) {
    throw Error(Reason::trailing_bytes, "byte " + std::to_string(used) + ": " + std::to_string(packed.size() - used) +
                                            " bytes follow the end of the stream");
  }
  expanding_.most_bytes -= length;
  const container::HeldBytes held = expanded.map();
  keep(held);
  return held.bytes;
}

void Companions::keep(const container::HeldBytes& held) {
  owners_.push_back(held.owner);
  if (held.mapping) held_.emplace(held.bytes.data(), held);
}

ArrayPayload read_companion_array(Values& values, ValueId wrapper_call, std::uint64_t position) {
  const pickle::Call& call = values.call_of(wrapper_call);
  const Wrapper wrapper = read_companion_wrapper(values, call.state, position);
  const bool packed = call.known == Known::joblib_packed_companion;
  const std::string name = read_name(values, wrapper.filename, position);
  Companions* const companions = values.companions();
  if (companions == nullptr) fail(Reason::no_file, position, "'" + name + "', which cannot be had here");
  if (packed) {
    if (wrapper.subclass != kNoValue) fail(Reason::bad_record, position, "attribute 'subclass' does not belong here");
    return {read_packed(values, wrapper, *companions, name, position), position, std::nullopt};
  }
  if (wrapper.init_args != kNoValue || wrapper.state != kNoValue) {
    fail(Reason::bad_record, position, "attributes 'init_args' and 'state' do not belong here");
  }
  if (wrapper.subclass == kNoValue || values.kind(wrapper.subclass) != ValueKind::global) {
    fail(Reason::bad_record, position, "subclass is no class");
  }
  const std::span<const std::byte> bytes = companions->open(name);
  try {
    return read_npy(values, wrapper, bytes, position);
  } catch (const Error& error) {
    throw error.with_context("companion file '" + name + "'");
  }
}

}  // namespace mere::importers::joblib
