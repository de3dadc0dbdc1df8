#include "importers/pickle/numpy_types.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <mere/array.hpp>
#include <mere/size.hpp>

#include "format/text_form.hpp"
#include "importers/pickle/literals.hpp"

namespace mere::importers::pickle {

namespace {

constexpr int kMostDepth = 32;                  // records in records; NumPy itself has no use for more
constexpr std::uint64_t kMostFields = 100'000;  // of one type, written out: shared parts cannot multiply
constexpr std::int64_t kAlignedFlag = 0x80;     // NPY_ALIGNED_STRUCT

[[noreturn]] void fail(Reason reason, std::uint64_t offset, const std::string& what) {
  throw Error(reason, "byte " + std::to_string(offset) + " of the pickle: dtype: " + what);
}

constexpr std::array<std::pair<std::string_view, TimeUnit>, 14> kUnits{{
    {"Y", TimeUnit::year},
    {"M", TimeUnit::month},
    {"W", TimeUnit::week},
    {"D", TimeUnit::day},
    {"h", TimeUnit::hour},
    {"m", TimeUnit::minute},
    {"s", TimeUnit::second},
    {"ms", TimeUnit::millisecond},
    {"us", TimeUnit::microsecond},
    {"ns", TimeUnit::nanosecond},
    {"ps", TimeUnit::picosecond},
    {"fs", TimeUnit::femtosecond},
    {"as", TimeUnit::attosecond},
    {"generic", TimeUnit::generic},
}};

// A text, or the bytes that Python 2 and NumPy's datetime state use for one.
std::string_view text_or_bytes(const Values& values, ValueId id, std::uint64_t offset) {
  const ValueKind kind = values.kind(id);
  if (kind == ValueKind::text) return values.text_of(id);
  if (kind == ValueKind::bytes) {
    if (format::text_form(values.text_of(id)) == format::TextForm::broken)
      fail(Reason::bad_text, offset, "a name that is not UTF-8");
    return values.text_of(id);
  }
  // Protocol 2 spells bytes as a call.
  if (values.is_call(id) && values.call_of(id).known == Known::codecs_encode) {
    const auto args = values.members(values.call_of(id).args);
    if (!args.empty() && values.kind(args[0]) == ValueKind::text) return values.text_of(args[0]);
  }
  fail(Reason::bad_record, offset, "a part that must be a text is none");
}

// ({}, (unit, multiple, 1, 1)): the metadata of datetime64 and timedelta64.
std::pair<TimeUnit, std::uint32_t> read_unit(const Values& values, ValueId metadata, std::uint64_t offset) {
  if (values.kind(metadata) != ValueKind::tuple || values.members(metadata).size() != 2) {
    fail(Reason::bad_record, offset, "datetime metadata of another form");
  }
  const ValueId parts = values.members(metadata)[1];
  if (values.kind(parts) != ValueKind::tuple || values.members(parts).size() < 2) {
    fail(Reason::bad_record, offset, "datetime metadata of another form");
  }
  const std::string_view word = text_or_bytes(values, values.members(parts)[0], offset);
  const ValueId count = values.members(parts)[1];
  if (values.kind(count) != ValueKind::integer || values.integer_of(count) < 1 ||
      values.integer_of(count) > 0x7fffffff) {
    fail(Reason::bad_record, offset, "a datetime unit's multiple is out of range");
  }
  for (const auto& [name, unit] : kUnits) {
    if (name == word) return {unit, static_cast<std::uint32_t>(values.integer_of(count))};
  }
  fail(Reason::unknown_type, offset, "datetime unit '" + std::string(word) + "'");
}

std::uint64_t read_itemsize(const Values& values, ValueId value, std::uint64_t offset) {
  if (values.kind(value) != ValueKind::integer || values.integer_of(value) < 0 ||
      values.integer_of(value) > 0x7fffffff) {
    fail(Reason::bad_type, offset, "an item size outside 0 to 2^31 - 1");
  }
  return static_cast<std::uint64_t>(values.integer_of(value));
}

}  // namespace

bool NumpyTypes::is_dtype(ValueId value) const {
  if (!values_.is_call(value) || values_.call_of(value).known != Known::numpy_dtype) return false;
  const auto args = values_.members(values_.call_of(value).args);
  return !args.empty() && values_.kind(args[0]) != ValueKind::global;
}

bool NumpyTypes::is_readable(ValueId value) const {
  if (is_dtype(value)) return true;
  if (!values_.is_call(value) || values_.call_of(value).known != Known::numpy_dtype) return false;
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  if (args.empty() || values_.known(args[0]) != Known::numpy_record) return false;
  if (call.state == kNoValue || values_.kind(call.state) != ValueKind::tuple) return false;
  const auto state = values_.members(call.state);
  return state.size() >= 8 && values_.kind(state[4]) == ValueKind::dict;
}

Dtype NumpyTypes::dtype(ValueId value, std::uint64_t offset) {
  return read(value, offset, 0).type;
}

NumpyTypes::ReadType NumpyTypes::read(ValueId value, std::uint64_t offset, int depth) {
  if (const auto found = done_.find(value); found != done_.end()) return found->second;
  if (depth > kMostDepth) fail(Reason::too_deep, offset, "more than 32 types inside each other");
  if (!is_readable(value)) fail(Reason::unknown_type, offset, "it is not made by numpy.dtype from a text");
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  const bool is_record_class = values_.kind(args[0]) == ValueKind::global;
  const std::string code(is_record_class ? "V" : text_or_bytes(values_, args[0], offset));
  if (code.empty() || code.size() > 32) fail(Reason::unknown_type, offset, "'" + code + "'");

  // (version, byte order, subarray, names, fields, item size, alignment, flags, metadata if version 4)
  std::span<const ValueId> state;
  if (call.state != kNoValue) {
    if (values_.kind(call.state) != ValueKind::tuple) fail(Reason::bad_record, offset, "its state is no tuple");
    state = values_.members(call.state);
    if (state.size() < 8 || state.size() > 9) {
      fail(Reason::bad_record, offset, "a state of " + std::to_string(state.size()) + " parts, expected 8 or 9");
    }
  }
  char order = '=';
  if (!state.empty()) {
    const std::string_view text = text_or_bytes(values_, state[1], offset);
    if (text != "<" && text != ">" && text != "|" && text != "=")
      fail(Reason::bad_record, offset, "byte order '" + std::string(text) + "'");
    order = text[0];
  }
  const bool has_subarray = !state.empty() && values_.kind(state[2]) != ValueKind::none;
  const bool has_fields = !state.empty() && values_.kind(state[4]) != ValueKind::none;

  ReadType result;
  if (has_subarray) {
    const ValueId pair = state[2];
    if (values_.kind(pair) != ValueKind::tuple || values_.members(pair).size() != 2) {
      fail(Reason::bad_record, offset, "a subarray that is no pair");
    }
    const ReadType base = read(values_.members(pair)[0], offset, depth + 1);
    result.fields = base.fields;
    result.type = Dtype::subarray(base.type, read_shape(values_, values_.members(pair)[1], offset));
  } else if (has_fields) {
    result = read_record(state, offset, depth);
  } else if (code[0] == 'M' || code[0] == 'm') {
    std::pair<TimeUnit, std::uint32_t> unit{TimeUnit::generic, 1};
    if (state.size() == 9) unit = read_unit(values_, state[8], offset);
    result.type = Dtype::time(code[0] == 'M' ? TypeClass::datetime : TypeClass::timedelta, unit.first, unit.second,
                              order == '>' ? ByteOrder::big : ByteOrder::little);
  } else if (code[0] == 'O') {
    result.type = Dtype::parse("|O");
  } else {
    result.type = Dtype::parse((order == '=' ? '<' : order) + code);
  }
  if (result.fields > kMostFields) fail(Reason::too_large, offset, "more than 100000 fields");
  done_.emplace(value, result);
  return result;
}

NumpyTypes::ReadType NumpyTypes::read_record(std::span<const ValueId> state, std::uint64_t offset, int depth) {
  if (values_.kind(state[3]) != ValueKind::tuple || values_.kind(state[4]) != ValueKind::dict) {
    fail(Reason::bad_record, offset, "names that are no tuple, or fields that are no dict");
  }
  const auto names = values_.members(state[3]);
  const auto entries = values_.members(state[4]);
  std::unordered_map<std::string_view, ValueId> by_name;
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    by_name.insert_or_assign(text_or_bytes(values_, entries[i], offset), entries[i + 1]);
  }
  ReadType result;
  std::vector<Field> fields;
  fields.reserve(names.size());
  for (const ValueId name_value : names) {
    Field field;
    field.name = text_or_bytes(values_, name_value, offset);
    const auto found = by_name.find(field.name);
    if (found == by_name.end()) fail(Reason::bad_record, offset, "no field of the name '" + field.name + "'");
    // (dtype, offset) or (dtype, offset, title)
    if (values_.kind(found->second) != ValueKind::tuple) fail(Reason::bad_record, offset, "a field that is no tuple");
    const auto parts = values_.members(found->second);
    if (parts.size() < 2 || parts.size() > 3 || values_.kind(parts[1]) != ValueKind::integer ||
        values_.integer_of(parts[1]) < 0) {
      fail(Reason::bad_record, offset, "field '" + field.name + "' is not (dtype, offset)");
    }
    if (parts.size() == 3) field.title = text_or_bytes(values_, parts[2], offset);
    field.offset = static_cast<std::uint64_t>(values_.integer_of(parts[1]));
    const ReadType type = read(parts[0], offset, depth + 1);
    field.type = type.type;
    result.fields += type.fields;
    if (result.fields > kMostFields) fail(Reason::too_large, offset, "more than 100000 fields");
    fields.push_back(std::move(field));
  }
  const bool aligned =
      values_.kind(state[7]) == ValueKind::integer && (values_.integer_of(state[7]) & kAlignedFlag) != 0;
  result.type = Dtype::record(std::move(fields), read_itemsize(values_, state[5], offset), aligned);
  return result;
}

std::vector<std::int64_t> read_shape(const Values& values, ValueId value, std::uint64_t offset) {
  const std::string where = "byte " + std::to_string(offset) + " of the pickle: ";
  // A subarray's shape may be a number alone.
  const bool number = values.kind(value) == ValueKind::integer;
  if (!number && values.kind(value) != ValueKind::tuple)
    throw Error(Reason::bad_record, where + "a shape that is no tuple");
  const std::span<const ValueId> dims = number ? std::span<const ValueId>(&value, 1) : values.members(value);
  if (dims.size() > kMaxDims) {
    throw Error(Reason::shape_overflow,
                where + "a shape of " + std::to_string(dims.size()) + " dimensions, at most 64 are possible");
  }
  std::vector<std::int64_t> shape;
  for (const ValueId dim : dims) {
    if (values.kind(dim) != ValueKind::integer)
      throw Error(Reason::bad_record, where + "a dimension that is no number");
    if (values.integer_of(dim) < 0) {
      throw Error(Reason::shape_overflow, where + "a dimension of " + std::to_string(values.integer_of(dim)));
    }
    shape.push_back(values.integer_of(dim));
  }
  return shape;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::optional<RawBytes> find_raw_bytes(const Values& values, ValueId value) {
  const ValueKind kind = values.kind(value);
  if (kind == ValueKind::bytes || kind == ValueKind::bytearray) return RawBytes{values.bytes_of(value), nullptr};
  return kind == ValueKind::call ? raw_bytes_of_call(values, values.call_of(value)) : std::nullopt;
}

std::optional<RawBytes> raw_bytes_of_call(const Values& values, const Call& call) {
  if (call.form != Call::Form::reduce || call.state != kNoValue || call.items != kNoValue || call.entries != kNoValue) {
    return std::nullopt;
  }
  const auto args = values.members(call.args);
  const auto encoded = [&]() -> std::optional<RawBytes> {
    auto bytes = encode_latin1(values.text_of(args[0]));
    if (!bytes) {
      throw Error(Reason::bad_text,
                  "byte " + std::to_string(call.offset) + " of the pickle: bytes spelled as a text that Latin-1 lacks");
    }
    auto owner = std::make_shared<const std::vector<std::byte>>(std::move(*bytes));
    const std::span<const std::byte> span(*owner);
    return RawBytes{span, std::move(owner)};
  };
  const auto is_latin1 = [&](ValueId name) {
    if (values.kind(name) != ValueKind::text) return false;
    const std::string_view text = values.text_of(name);
    return text == "latin1" || text == "latin-1";
  };
  switch (call.known) {
    case Known::codecs_encode:
    case Known::bytearray:
      if (args.size() == 2 && values.kind(args[0]) == ValueKind::text && is_latin1(args[1])) return encoded();
      if (call.known == Known::bytearray && args.empty()) return RawBytes{};
      if (call.known != Known::bytearray || args.size() != 1) return std::nullopt;
      // Of bytes, which protocols 0 to 2 spell as a call; not of another bytearray, so that this goes one step deep.
      if (values.is_call(args[0]) && values.call_of(args[0]).known == Known::bytearray) return std::nullopt;
      return find_raw_bytes(values, args[0]);
    case Known::bytes: return args.empty() ? std::optional<RawBytes>(RawBytes{}) : std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<RawBytes> find_meant_bytes(const Values& values, ValueId value) {
  if (values.kind(value) != ValueKind::text) return find_raw_bytes(values, value);
  auto bytes = encode_latin1(values.text_of(value));
  if (!bytes) return std::nullopt;
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(*bytes));
  const std::span<const std::byte> span(*owner);
  return RawBytes{span, std::move(owner)};
}

Dtype mask_type(const Dtype& type) {
  if (type.type_class() == TypeClass::subarray) return Dtype::subarray(mask_type(type.base()), type.shape());
  if (type.type_class() != TypeClass::record) return Dtype::of<bool>();
  std::vector<Field> fields;
  std::uint64_t size = 0;
  for (const Field& field : type.fields()) {
    Dtype mask = mask_type(field.type);
    const std::uint64_t bytes = mask.itemsize();
    fields.push_back({field.name, std::move(mask), size, field.title});
    size += bytes;  // 100,000 fields of 2^31 bytes at most: no overflow
  }
  return Dtype::record(std::move(fields), size);
}

}  // namespace mere::importers::pickle
