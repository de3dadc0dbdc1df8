#include "container/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include <mere/array.hpp>
#include <mere/size.hpp>

#include "container/json.hpp"
#include "format/text_form.hpp"

namespace mere::container {

namespace {

constexpr std::uint64_t kMostHeaderBytes = 100'000'000;
constexpr std::uint64_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";
// Three brackets inside each other are what the format needs.
constexpr std::uint32_t kMostDepth = 4;

struct TypeWord {
  std::string_view word;
  TypeClass type_class;
  std::uint64_t itemsize;
  std::int64_t packed;         // elements of the format in one of ours
  std::string_view name = {};  // TypeClass::other
};

// In the library's own order, from the type that comes last in a file to the one that comes first.
constexpr TypeWord kWords[] = {
    {"BOOL", TypeClass::boolean, 1, 1},
    {"F4", TypeClass::other, 1, 2, "float4_e2m1fn_x2"},
    {"F6_E2M3", TypeClass::other, 3, 4, "float6_e2m3fn_x4"},
    {"F6_E3M2", TypeClass::other, 3, 4, "float6_e3m2fn_x4"},
    {"U8", TypeClass::unsigned_integer, 1, 1},
    {"I8", TypeClass::integer, 1, 1},
    {"F8_E5M2", TypeClass::float8_e5m2, 1, 1},
    {"F8_E4M3", TypeClass::float8_e4m3fn, 1, 1},
    {"F8_E8M0", TypeClass::float8_e8m0fnu, 1, 1},
    {"F8_E4M3FNUZ", TypeClass::float8_e4m3fnuz, 1, 1},
    {"F8_E5M2FNUZ", TypeClass::float8_e5m2fnuz, 1, 1},
    {"I16", TypeClass::integer, 2, 1},
    {"U16", TypeClass::unsigned_integer, 2, 1},
    {"F16", TypeClass::real, 2, 1},
    {"BF16", TypeClass::bfloat16, 2, 1},
    {"I32", TypeClass::integer, 4, 1},
    {"U32", TypeClass::unsigned_integer, 4, 1},
    {"F32", TypeClass::real, 4, 1},
    {"C64", TypeClass::complex, 8, 1},
    {"F64", TypeClass::real, 8, 1},
    {"I64", TypeClass::integer, 8, 1},
    {"U64", TypeClass::unsigned_integer, 8, 1},
};

const TypeWord* find_word(const Dtype& dtype) noexcept {
  if (dtype.byte_order() == ByteOrder::big && dtype.itemsize() > 1) return nullptr;
  const auto* found = std::find_if(std::begin(kWords), std::end(kWords), [&](const TypeWord& row) {
    return row.type_class == dtype.type_class() && row.itemsize == dtype.itemsize() &&
           (row.type_class != TypeClass::other || row.name == dtype.name());
  });
  return found == std::end(kWords) ? nullptr : found;
}

[[noreturn]] void fail(Reason reason, const std::string& what) {
  throw Error(reason, "safetensors header: " + what);
}

std::uint64_t read_length(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

std::string quoted(std::string_view name) {
  return "tensor '" + std::string(name.substr(0, 100)) + "'";
}

// The bytes that `shape` of `dtype` takes.
std::uint64_t size_of(const Dtype& dtype, std::span<const std::int64_t> shape, std::string_view name) {
  Size size = dtype.itemsize();
  for (const std::int64_t n : shape) size = size * Size::from_signed(n);
  return size.get("safetensors header: " + quoted(name));
}

std::vector<std::int64_t> read_shape(const Json& json, JsonId id, std::string_view name) {
  if (json.kind(id) != JsonKind::list) fail(Reason::bad_record, quoted(name) + " has a shape that is no list");
  if (json.member_count(id) > kMaxDims) {
    fail(Reason::shape_overflow,
         quoted(name) + " has " + std::to_string(json.member_count(id)) + " dimensions, at most 64 are possible");
  }
  std::vector<std::int64_t> shape;
  for (JsonId dim = json.first_of(id); dim < json.end_of(id); dim = json.end_of(dim)) {
    if (json.kind(dim) == JsonKind::big_integer) fail(Reason::shape_overflow, quoted(name) + ": a dimension too large");
    const std::int64_t n = json.integer(dim);
    if (n < 0) fail(Reason::shape_overflow, quoted(name) + " has a dimension of " + std::to_string(n));
    shape.push_back(n);
  }
  return shape;
}

// Both ends of a tensor's bytes, counted from the first tensor's.
std::pair<std::uint64_t, std::uint64_t> read_offsets(const Json& json, JsonId id, std::string_view name) {
  if (json.kind(id) != JsonKind::list || json.member_count(id) != 2) {
    fail(Reason::bad_record, quoted(name) + " has data_offsets that are no list of two");
  }
  std::uint64_t ends[2];
  JsonId member = json.first_of(id);
  for (std::uint64_t& end : ends) {
    if (json.kind(member) == JsonKind::big_integer) fail(Reason::out_of_bounds, quoted(name) + ": an offset too large");
    const std::int64_t value = json.integer(member);
    if (value < 0) fail(Reason::out_of_bounds, quoted(name) + ": an offset of " + std::to_string(value));
    end = static_cast<std::uint64_t>(value);
    member = json.end_of(member);
  }
  if (ends[0] > ends[1]) fail(Reason::out_of_bounds, quoted(name) + " ends before it begins");
  return {ends[0], ends[1]};
}

SafetensorsTensor read_tensor(const Json& json, JsonId id) {
  SafetensorsTensor tensor;
  tensor.name = json.key(id);
  if (json.kind(id) != JsonKind::object) fail(Reason::bad_record, quoted(tensor.name) + " is no object");
  std::optional<JsonId> dtype, shape, offsets;
  for (JsonId member = json.first_of(id); member < json.end_of(id); member = json.end_of(member)) {
    const std::string_view key = json.key(member);
    (key == "dtype" ? dtype : key == "shape" ? shape : offsets) = member;
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      fail(Reason::bad_record, quoted(tensor.name) + " has '" + std::string(key.substr(0, 100)) +
                                   "'; known are dtype, shape and data_offsets");
    }
  }
  if (!dtype || !shape || !offsets) {
    fail(Reason::bad_record, quoted(tensor.name) + " lacks one of dtype, shape and data_offsets");
  }
  const std::string_view word = json.text(*dtype);
  const auto* row =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const TypeWord& known) { return known.word == word; });
  if (row == std::end(kWords)) {
    fail(Reason::unknown_type, quoted(tensor.name) + " is of type '" + std::string(word.substr(0, 100)) + "'");
  }
  tensor.dtype = row->type_class == TypeClass::other ? Dtype::other(std::string(row->name), row->itemsize)
                                                     : Dtype(row->type_class, row->itemsize);
  tensor.shape = read_shape(json, *shape, tensor.name);
  if (row->packed > 1) {
    if (tensor.shape.empty() || tensor.shape.back() % row->packed != 0) {
      fail(Reason::not_supported, quoted(tensor.name) + " of " + std::string(row->word) +
                                      " has rows that do not fill whole bytes, " + std::to_string(row->packed) +
                                      " elements at a time");
    }
    tensor.shape.back() /= row->packed;
  }
  const auto [begin, end] = read_offsets(json, *offsets, tensor.name);
  tensor.offset = begin;
  tensor.bytes = end - begin;
  const std::uint64_t needed = size_of(tensor.dtype, tensor.shape, tensor.name);
  if (needed != tensor.bytes) {
    fail(Reason::bad_record, quoted(tensor.name) + " needs " + std::to_string(needed) +
                                 " bytes, its data_offsets say " + std::to_string(tensor.bytes));
  }
  return tensor;
}

}  // namespace

bool is_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes + 2 || bytes[kLengthBytes] != std::byte{'{'}) return false;
  const char second = static_cast<char>(bytes[kLengthBytes + 1]);
  // A length beyond a terabyte is no length: the limit itself is told by read_safetensors_header.
  return std::string_view("\"} \t\r\n").find(second) != std::string_view::npos && read_length(bytes) >> 40 == 0;
}

SafetensorsHeader read_safetensors_header(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) fail(Reason::truncated, "a file of " + std::to_string(file.size()) + " bytes");
  const std::uint64_t length = read_length(file);
  if (length > kMostHeaderBytes) {
    fail(Reason::too_large, "a length of " + std::to_string(length) + " bytes, at most 100000000 are allowed");
  }
  if (!range_fits(kLengthBytes, length, file.size())) {
    fail(Reason::truncated, std::to_string(length) + " bytes in a file of " + std::to_string(file.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (!text.starts_with('{')) fail(Reason::bad_record, "it does not begin with '{'");
  const Json json = Json::parse(text, {.most_bytes = kMostHeaderBytes, .most_depth = kMostDepth});

  SafetensorsHeader header;
  header.data_offset = kLengthBytes + length;
  for (JsonId member = json.first_of(Json::kRoot); member < json.end_of(Json::kRoot); member = json.end_of(member)) {
    if (json.key(member) != kMetadata) {
      header.tensors.push_back(read_tensor(json, member));
      continue;
    }
    if (json.kind(member) != JsonKind::object) fail(Reason::bad_record, "__metadata__ is no object");
    for (JsonId entry = json.first_of(member); entry < json.end_of(member); entry = json.end_of(entry)) {
      header.metadata.emplace_back(json.key(entry), json.text(entry));
    }
  }
  // Tensors of no bytes may begin where another does; they come first, as they do for the library.
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
                     return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
                   });
  std::uint64_t end = 0;
  const std::uint64_t present = file.size() - header.data_offset;
  for (SafetensorsTensor& tensor : header.tensors) {
    if (tensor.offset != end) {
      fail(Reason::overlap, quoted(tensor.name) + " begins at byte " + std::to_string(tensor.offset) +
                                " of the data, the one before it ends at " + std::to_string(end));
    }
    if (!range_fits(tensor.offset, tensor.bytes, present)) {
      fail(Reason::truncated, quoted(tensor.name) + " ends at byte " + std::to_string(tensor.offset + tensor.bytes) +
                                  " of the data, which has " + std::to_string(present));
    }
    end += tensor.bytes;
    tensor.offset += header.data_offset;
  }
  if (end != present) {
    fail(Reason::trailing_bytes, std::to_string(present - end) + " bytes follow the last tensor");
  }
  return header;
}

std::string_view safetensors_word(const Dtype& dtype) noexcept {
  const TypeWord* row = find_word(dtype);
  return row == nullptr ? std::string_view() : row->word;
}

int safetensors_rank(const Dtype& dtype) noexcept {
  const TypeWord* row = find_word(dtype);
  return row == nullptr ? -1 : static_cast<int>(row - std::begin(kWords));
}

std::string safetensors_header(std::span<const SafetensorsTensor> tensors,
                               std::span<const std::pair<std::string, std::string>> metadata) {
  std::string text = "{";
  const auto add = [&](std::string_view key, std::set<std::string_view>& keys) {
    if (format::text_form(key) != format::TextForm::utf8) fail(Reason::bad_text, "a name that is not UTF-8");
    if (!keys.insert(key).second) fail(Reason::duplicate_key, "two of the name '" + std::string(key) + "'");
    text += (text.back() == '{' ? "" : ",") + json_quoted(key) + ":";
  };
  std::set<std::string_view> names{kMetadata}, keys;
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      add(key, keys);
      if (format::text_form(value) != format::TextForm::utf8) fail(Reason::bad_text, "metadata that is not UTF-8");
      text += json_quoted(value);
    }
    text += '}';
  }
  Size offset = 0;
  for (const SafetensorsTensor& tensor : tensors) {
    add(tensor.name, names);
    const TypeWord* row = find_word(tensor.dtype);
    if (row == nullptr) {
      fail(Reason::not_supported,
           quoted(tensor.name) + " is of " + tensor.dtype.to_text() + ", which the format lacks");
    }
    text += "{\"dtype\":\"" + std::string(row->word) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      const bool last = i + 1 == tensor.shape.size();
      const Size dim = Size::from_signed(tensor.shape[i]) * static_cast<std::uint64_t>(last ? row->packed : 1);
      text += (i > 0 ? "," : "") + std::to_string(dim.get("safetensors header: " + quoted(tensor.name)));
    }
    text += "],\"data_offsets\":[" + std::to_string(offset.get("safetensors header"));
    offset = offset + size_of(tensor.dtype, tensor.shape, tensor.name);
    text += "," + std::to_string(offset.get("safetensors header")) + "]}";
  }
  text += '}';
  text.resize(static_cast<std::size_t>(Size(text.size()).round_up(8).get("safetensors header")), ' ');
  if (text.size() > kMostHeaderBytes) fail(Reason::too_large, "more than 100000000 bytes");
  std::string out(kLengthBytes, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(out.data(), &length, sizeof length);
  return out + text;
}

}  // namespace mere::container
