#include "importers/skops/leaves.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "importers/pickle/literals.hpp"

namespace mere::importers::skops {

namespace {

using container::Json;
using container::JsonId;
using container::JsonKind;

constexpr std::size_t kMostDigits = 20'000;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// JSON's grammar for an integer.
bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

NodeId integer(Graph& graph, std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return graph.integer(value);
  if (digits.size() > kMostDigits) {
    throw Error(Reason::too_large, "schema.json: an integer of " + std::to_string(digits.size()) + " digits");
  }
  const auto bytes = pickle::parse_decimal(digits);
  if (!bytes) throw Error(Reason::bad_record, "schema.json: '" + std::string(digits.substr(0, 60)) + "' is no integer");
  return graph.big_integer(*bytes);
}

// As Python's repr writes a float, or json.dumps.
std::optional<double> find_real(std::string_view text) {
  if (text == "NaN" || text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "inf") return kInfinity;
  if (text == "-Infinity" || text == "-inf") return -kInfinity;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

template <class T>
NodeId scalar(Graph& graph, T value) {
  return graph.scalar(Dtype::of<T>(), std::as_bytes(std::span(&value, 1)));
}

// One code point each 4 bytes, as NumPy keeps texts. `utf8` is well-formed.
std::vector<std::uint32_t> code_points(std::string_view utf8) {
  std::vector<std::uint32_t> points;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3fu);
    }
    points.push_back(point);
    i += length;
  }
  return points;
}

std::optional<NodeId> find_numpy_key(Graph& graph, std::string_view name, std::string_view text) {
  if (name == "str_") {
    const std::vector<std::uint32_t> points = code_points(text);
    return graph.scalar(Dtype(TypeClass::unicode, 4 * points.size()), std::as_bytes(std::span(points)));
  }
  const std::optional<Dtype> type = find_scalar_type(name);
  if (!type) return std::nullopt;
  if (type->type_class() == TypeClass::boolean && (text == "true" || text == "false")) {
    return scalar(graph, text == "true");
  }
  if (type->type_class() == TypeClass::real && type->itemsize() > 2) {
    const auto value = find_real(text);
    if (!value) return std::nullopt;
    return type->itemsize() == 4 ? scalar(graph, static_cast<float>(*value)) : scalar(graph, *value);
  }
  if (!is_integer(text)) return std::nullopt;
  std::int64_t value = 0;
  std::uint64_t magnitude = 0;
  const char* const end = text.data() + text.size();
  const bool is_signed = type->type_class() == TypeClass::integer;
  if (is_signed && std::from_chars(text.data(), end, value).ec != std::errc()) return std::nullopt;
  if (!is_signed && (type->type_class() != TypeClass::unsigned_integer ||
                     std::from_chars(text.data(), end, magnitude).ec != std::errc())) {
    return std::nullopt;
  }
  const std::uint64_t bits = is_signed ? static_cast<std::uint64_t>(value) : magnitude;
  const auto bytes = std::as_bytes(std::span(&bits, 1)).first(type->itemsize());
  // The value has to survive in that many bytes.
  std::uint64_t back = is_signed && value < 0 ? ~std::uint64_t{0} : 0;
  std::memcpy(&back, bytes.data(), bytes.size());
  const bool sign_kept = !is_signed || bytes.size() == 8 || (value >= 0) == ((bits >> (8 * bytes.size() - 1) & 1) == 0);
  if (back != bits || !sign_kept) return std::nullopt;
  return graph.scalar(*type, bytes);
}

}  // namespace

std::optional<Dtype> find_scalar_type(std::string_view name) {
  struct Row {
    std::string_view name, code;
  };
  // Names without a size of their own have Linux's, on 64 bits.
  constexpr Row kRows[] = {
      {"bool", "|b1"},        {"bool_", "|b1"},        {"int8", "|i1"},        {"int16", "<i2"},
      {"int32", "<i4"},       {"intc", "<i4"},         {"int64", "<i8"},       {"long", "<i8"},
      {"longlong", "<i8"},    {"uint8", "|u1"},        {"uint16", "<u2"},      {"uint32", "<u4"},
      {"uintc", "<u4"},       {"uint64", "<u8"},       {"ulong", "<u8"},       {"ulonglong", "<u8"},
      {"float16", "<f2"},     {"float32", "<f4"},      {"float64", "<f8"},     {"float128", "<f16"},
      {"longdouble", "<f16"}, {"float96", "<f12"},     {"complex64", "<c8"},   {"complex128", "<c16"},
      {"complex256", "<c32"}, {"clongdouble", "<c32"}, {"complex192", "<c24"},
  };
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& known) { return known.name == name; });
  if (row == std::end(kRows)) return std::nullopt;
  return Dtype::parse(row->code);
}

NodeId graph_of_json(Graph& graph, const Json& json, JsonId root) {
  // Members have higher numbers than what they are in.
  std::vector<NodeId> nodes(json.end_of(root) - root);
  std::vector<NodeId> members;
  for (JsonId id = json.end_of(root); id-- > root;) {
    NodeId& node = nodes[id - root];
    switch (json.kind(id)) {
      case JsonKind::null: node = graph.null(); break;
      case JsonKind::boolean: node = graph.boolean(json.boolean(id)); break;
      case JsonKind::integer: node = graph.integer(json.integer(id)); break;
      case JsonKind::big_integer: node = integer(graph, json.digits(id)); break;
      case JsonKind::real: node = graph.real(json.real(id)); break;
      case JsonKind::text: node = graph.text(json.text(id)); break;
      case JsonKind::list:
      case JsonKind::object: {
        const bool is_list = json.kind(id) == JsonKind::list;
        members.clear();
        for (JsonId member = json.first_of(id); member < json.end_of(id); member = json.end_of(member)) {
          if (!is_list) members.push_back(graph.text(json.key(member)));
          members.push_back(nodes[member - root]);
        }
        node = is_list ? graph.list() : graph.dict();
        graph.fill(node, members);
        break;
      }
    }
  }
  return nodes[0];
}

NodeId leaf_of_text(Graph& graph, std::string_view text) {
  if (text == "null") return graph.null();
  if (text == "true" || text == "false") return graph.boolean(text == "true");
  if (text == "NaN") return graph.real(std::numeric_limits<double>::quiet_NaN());
  if (text == "Infinity" || text == "-Infinity") return graph.real(text[0] == '-' ? -kInfinity : kInfinity);
  if (is_integer(text)) return integer(graph, text);
  const auto is_plain = [](char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; };
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (std::all_of(inner.begin(), inner.end(), is_plain)) return graph.text(inner);
  }
  return graph_of_json(graph, Json::parse(text, {.lone_surrogates = true}), Json::kRoot);
}

NodeId key_of_text(Graph& graph, const Schema::Key& type, std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    throw Error(Reason::bad_record,
                "schema.json: key '" + std::string(text.substr(0, 100)) + "' is no " + std::string(what));
  };
  switch (type.type) {
    case KeyType::text: return graph.text(text);
    case KeyType::integer:
      if (!is_integer(text)) refuse("int");
      return integer(graph, text);
    case KeyType::real: {
      const auto value = find_real(text);
      if (!value) refuse("float");
      return graph.real(*value);
    }
    case KeyType::boolean:
      if (text != "true" && text != "false") refuse("bool");
      return graph.boolean(text == "true");
    case KeyType::null:
      if (text != "null") refuse("None");
      return graph.null();
    case KeyType::numpy: break;
  }
  const auto key = find_numpy_key(graph, type.numpy_type, text);
  if (!key) refuse("numpy." + std::string(type.numpy_type) + " that can be read");
  return *key;
}

}  // namespace mere::importers::skops
