#include "exporters/skops/writer.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

#include "container/npy.hpp"
#include "exporters/array_bytes.hpp"
#include "graph/big_integer.hpp"

namespace mere::exporters::skops {

namespace {

constexpr std::string_view kVersion = "0.16.0";  // the release whose protocol 2 this is
constexpr std::size_t kMostDigits = 4300;        // of an int that Python reads from a text

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[unit >> shift & 15];
}

// The code point at `at`, which moves behind it. The text is UTF-8, surrogates as three bytes each.
std::uint32_t take_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0u; };
  const std::uint32_t lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t value = length == 1 ? lead : lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (byte(at + i) & 0x3f);
  at += length;
  return value;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char raw[40];
  const auto [end, error] = std::to_chars(std::begin(raw), std::end(raw), value);
  std::string text(raw, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// NumPy's class of scalars of a type; empty: none that skops makes again.
std::string scalar_class(const Dtype& type) {
  const std::string bits = std::to_string(type.itemsize() * 8);
  switch (type.type_class()) {
    case TypeClass::boolean: return "bool_";
    case TypeClass::integer: return "int" + bits;
    case TypeClass::unsigned_integer: return "uint" + bits;
    case TypeClass::real: return "float" + bits;
    case TypeClass::complex: return "complex" + bits;
    case TypeClass::long_double: return "longdouble";
    case TypeClass::unicode: return "str_";
    default: return "";
  }
}

}  // namespace

std::string ascii_json(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
      ++at;
      continue;
    }
    const std::uint32_t point = take_code_point(text, at);
    if (point < 0x10000) {
      append_unit(out, point);
    } else {
      append_unit(out, 0xd800 + ((point - 0x10000) >> 10));
      append_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return out + '"';
}

Writer::Writer(const Graph& graph, NodeId root, os::Sink& sink, int level,
               std::function<void(const Progress&)> progress)
    : graph_(graph),
      store_(graph.store()),
      root_(root),
      reached_(find_reached(store_, root)),
      zip_(sink, level),
      progress_(std::move(progress)),
      states_(store_.nodes.size(), State::no),
      next_id_(store_.nodes.size() + 1) {}

void Writer::run() {
  push_visit(root_);
  while (!tasks_.empty()) step();
  // The root's own object also says what the file is.
  schema_.pop_back();
  schema_ += ", \"protocol\": 2, \"_skops_version\": \"" + std::string(kVersion) + "\"}";
  zip_.add("schema.json", std::as_bytes(std::span(schema_)));
  zip_.finish();
}

void Writer::step() {
  const std::size_t top = tasks_.size() - 1;
  switch (tasks_[top].work) {
    case Work::members: {
      const NodeId node = tasks_[top].node;
      const std::uint64_t next = tasks_[top].next++;
      if (next == tasks_[top].end) {
        tasks_.pop_back();
        return;
      }
      if (schema_.back() != '[') schema_ += ", ";
      visit(store_.links_of(store_.nodes[node])[static_cast<std::size_t>(next)]);
      return;
    }
    case Work::entries: step_entries(top); return;
    case Work::rows: step_rows(top); return;
    default: break;
  }
  const Task task = std::move(tasks_.back());
  tasks_.pop_back();
  if (task.work == Work::emit) schema_ += task.text;
  if (task.work == Work::visit) visit(task.node);
  if (task.work == Work::leave) states_[task.node] = State::written;
}

void Writer::push_members(NodeId id, std::uint64_t begin) {
  tasks_.push_back({.work = Work::members, .node = id, .next = begin, .end = store_.link_count(store_.nodes[id])});
}

void Writer::enter(NodeId id) {
  State& state = states_[id];
  if (state == State::inside) refuse(id, "it holds itself, which a skops file cannot say");
  if (state == State::written) refuse(id, "one dict is what two objects hold, which a skops file cannot say");
  state = State::inside;
  tasks_.push_back({.work = Work::leave, .node = id});
}

void Writer::open(std::string_view type, std::string_view module, std::string_view loader, std::uint64_t id) {
  schema_ += "{\"__class__\": " + ascii_json(type) + ", \"__module__\": " + ascii_json(module) +
             ", \"__loader__\": \"" + std::string(loader) + "\", \"__id__\": " + std::to_string(id);
}

void Writer::open_named(NodeId name, std::string_view loader, std::uint64_t id) {
  const auto [module, qualname] = graph_.name_value(name);
  if (module.empty()) refuse(name, "'" + std::string(qualname) + "' has no module: a type of C++");
  if (qualname.find('.') != std::string_view::npos) {
    refuse(name, "'" + std::string(qualname) + "' is a name inside of another, which skops does not find");
  }
  open(qualname, module, loader, id);
}

void Writer::visit(NodeId id) {
  const StoreNode& node = store_.nodes[id];
  if (states_[id] == State::written) {
    // skops takes the node that had this id first, and looks no further.
    open("object", "builtins", "CachedNode", id_of(id));
    schema_ += '}';
    return;
  }
  switch (node.kind) {
    case Kind::null: return write_json_leaf("null", id);
    case Kind::boolean: return write_json_leaf(node.b != 0 ? "true" : "false", id);
    case Kind::integer: {
      const bool big = (node.flags & Graph::Store::kBig) != 0;
      const std::string text = big ? graph::decimal_text(std::as_bytes(std::span(store_.text_of(node))))
                                   : std::to_string(static_cast<std::int64_t>(node.b));
      if (text.size() > kMostDigits) refuse(id, "an int of more than 4300 digits, which Python does not read");
      return write_json_leaf(text, id);
    }
    case Kind::real: return write_json_leaf(real_text(std::bit_cast<double>(node.b)), id);
    case Kind::text: return write_json_leaf(ascii_json(store_.text_of(node)), id);
    case Kind::bytes: return write_file(id, "BytesNode", "bytes");
    case Kind::bytearray: return write_file(id, "BytearrayNode", "bytearray");
    case Kind::list: return write_sequence(id, "list", "builtins", "ListNode");
    case Kind::tuple: return write_sequence(id, "tuple", "builtins", "TupleNode");
    case Kind::set: return write_sequence(id, "set", "builtins", "SetNode");
    case Kind::frozenset:
    case Kind::range: {
      // Made by calling the type: of a list, or of three numbers.
      const bool range = node.kind == Kind::range;
      open(range ? "range" : "frozenset", "builtins", "ConstructorFromReduceNode", id_of(id));
      enter(id);
      schema_ += ", \"content\": ";
      open("tuple", "builtins", "TupleNode", new_id());
      schema_ += ", \"content\": [";
      push_emit(range ? "]}}" : "]}]}}");
      push_members(id);
      if (!range) {
        open("list", "builtins", "ListNode", new_id());
        schema_ += ", \"content\": [";
      }
      return;
    }
    case Kind::dict: return write_dict(id, "dict", "builtins", id_of(id));
    case Kind::slice: return write_slice(id);
    case Kind::array: return write_array(id, "ndarray", "numpy", id);
    case Kind::scalar: return write_scalar(id);
    case Kind::dtype: return write_dtype(id);
    case Kind::name: return write_name(id);
    case Kind::object: return write_object(id);
    case Kind::complex:
    case Kind::ellipsis:
    case Kind::opaque: refuse(id, "skops has no loader for " + std::string(to_text(node.kind)));
  }
}

void Writer::write_json_leaf(const std::string& json, NodeId id) {
  open("str", "builtins", "JsonNode", id_of(id));
  schema_ += ", \"content\": " + ascii_json(json) + ", \"is_json\": true}";
}

// Classes and functions are found in the same way; which of both loaders is named decides what skops trusts by itself.
void Writer::write_name(NodeId id) {
  const auto [module, qualname] = graph_.name_value(id);
  const bool lower = !qualname.empty() && (qualname[0] == '_' || (qualname[0] >= 'a' && qualname[0] <= 'z'));
  static const std::set<std::string_view> kNumpyTypes = {
      "bool_",   "bool",    "int8",      "int16",      "int32",      "int64", "uint8",  "uint16",     "uint32",
      "uint64",  "float16", "float32",   "float64",    "longdouble", "str_",  "bytes_", "datetime64", "timedelta64",
      "object_", "void",    "complex64", "complex128", "ndarray",    "dtype", "matrix"};
  const bool type = module == "builtins" || (module == "numpy" && kNumpyTypes.count(qualname) != 0) || !lower;
  open_named(id, type ? "TypeNode" : "FunctionNode", id_of(id));
  schema_ += '}';
}

void Writer::write_sequence(NodeId id, std::string_view type, std::string_view module, std::string_view loader) {
  open(type, module, loader, id_of(id));
  enter(id);
  schema_ += ", \"content\": [";
  push_emit("]}");
  push_members(id);
}

void Writer::write_file(NodeId id, std::string_view loader, std::string_view type) {
  const std::string name = std::to_string(id_of(id)) + ".bin";
  zip_.add(name, std::as_bytes(std::span(store_.text_of(store_.nodes[id]))));
  states_[id] = State::written;
  open(type, "builtins", loader, id_of(id));
  schema_ += ", \"file\": \"" + name + "\"}";
}

void Writer::write_slice(NodeId id) {
  open("slice", "builtins", "SliceNode", id_of(id));
  schema_ += ", \"content\": {";
  constexpr std::string_view kParts[] = {"start", "stop", "step"};
  for (std::size_t i = 0; i < 3; ++i) {
    const NodeId part = store_.links_of(store_.nodes[id])[i];
    const StoreNode& node = store_.nodes[part];
    if (node.kind != Kind::null && (node.kind != Kind::integer || (node.flags & Graph::Store::kBig) != 0)) {
      refuse(part, "skops keeps slices of ints and None alone");
    }
    schema_ += (i == 0 ? "\"" : ", \"") + std::string(kParts[i]) + "\": ";
    schema_ += node.kind == Kind::null ? "null" : std::to_string(static_cast<std::int64_t>(node.b));
  }
  schema_ += "}}";
}

void Writer::write_dict(NodeId dict, std::string_view type, std::string_view module, std::uint64_t id) {
  open(type, module, "DictNode", id);
  enter(dict);
  write_key_types(dict);
  schema_ += ", \"content\": {";
  push_emit("}}");
  tasks_.push_back({.work = Work::entries, .node = dict});
}

// The texts of JSON are the keys; a list of types beside them turns each back.
void Writer::write_key_types(NodeId dict) {
  schema_ += ", \"key_types\": ";
  open("list", "builtins", "ListNode", new_id());
  schema_ += ", \"content\": [";
  const auto links = store_.links_of(store_.nodes[dict]);
  std::set<std::string> keys;
  for (std::size_t i = 0; i < links.size(); i += 2) {
    std::string type, module;
    if (!keys.insert(key_text(links[i], type, module)).second) {
      refuse(links[i], "two keys that are one text, which a skops file cannot tell apart");
    }
    if (i != 0) schema_ += ", ";
    open(type, module, "TypeNode", new_id());
    schema_ += '}';
  }
  schema_ += "]}";
}

std::string Writer::key_text(NodeId key, std::string& type, std::string& module) {
  const StoreNode& node = store_.nodes[key];
  module = "builtins";
  if (node.kind == Kind::text) {
    type = "str";
    return std::string(store_.text_of(node));
  }
  if (node.kind == Kind::integer && (node.flags & Graph::Store::kBig) == 0) {
    type = "int";
    return std::to_string(static_cast<std::int64_t>(node.b));
  }
  if (node.kind == Kind::real) {
    type = "float";
    return real_text(std::bit_cast<double>(node.b));
  }
  if (node.kind == Kind::scalar) {
    const Dtype& dtype = store_.types[node.a];
    const TypeClass type_class = dtype.type_class();
    const bool is_signed = type_class == TypeClass::integer;
    if (dtype.native() && (is_signed || type_class == TypeClass::unsigned_integer)) {
      std::uint64_t value = 0;
      const std::string_view raw = store_.text_of(node);
      std::memcpy(&value, raw.data(), raw.size());
      type = scalar_class(dtype);
      module = "numpy";
      const unsigned shift = 64 - 8 * static_cast<unsigned>(raw.size());
      const auto extended = static_cast<std::int64_t>(value << shift) >> shift;
      return is_signed ? std::to_string(extended) : std::to_string(value);
    }
  }
  refuse(key, "skops keeps dicts whose keys are texts, ints and floats");
}

void Writer::step_entries(std::size_t task) {
  const NodeId dict = tasks_[task].node;
  const auto links = store_.links_of(store_.nodes[dict]);
  const std::uint64_t next = tasks_[task].next++;
  if (next * 2 == links.size()) {
    tasks_.pop_back();
    return;
  }
  if (next != 0) schema_ += ", ";
  std::string type, module;
  schema_ += ascii_json(key_text(links[next * 2], type, module)) + ": ";
  visit(links[next * 2 + 1]);
}

std::string Writer::npy_of(NodeId id) const {
  const ArrayBytes array(store_, id);
  const TypeClass type = array.type().type_class();
  if (type >= TypeClass::bfloat16) refuse(id, "NumPy has no element type " + array.type().to_text());
  try {
    return container::npy_header(array.type(), array.shape(), array.fortran());
  } catch (const Error& error) {
    throw error.with_context(path_of(store_, root_, id));
  }
}

void Writer::tell_progress(std::uint64_t bytes) {
  done_bytes_ += bytes;
  if (progress_) progress_({std::min(done_bytes_, reached_.array_bytes), reached_.array_bytes});
}

// `as` is the node that it stands for: itself, or an object of a class of its own.
void Writer::write_array(NodeId id, std::string_view type, std::string_view module, NodeId as) {
  if ((store_.nodes[id].flags & Graph::Store::kObjects) != 0) return write_object_array(id, type, module, as);
  const std::string name = std::to_string(id_of(as)) + ".npy";
  const std::string header = npy_of(id);
  const ArrayBytes array(store_, id);
  zip_.add(name, [&](const auto& take) {
    take(std::as_bytes(std::span(header)));
    array.read(take);
  });
  tell_progress(array.size());
  states_[as] = State::written;
  open(type, module, "NdArrayNode", id_of(as));
  schema_ += ", \"type\": \"numpy\", \"file\": \"" + name + "\"}";
}

// skops lists the elements, of several dimensions as lists of lists, and NumPy finds the dimensions again: it must not
// find more of them.
void Writer::write_object_array(NodeId id, std::string_view type, std::string_view module, NodeId as) {
  const StoreNode& node = store_.nodes[id];
  const std::span<const std::int64_t> shape(store_.extents.data() + node.a, node.form);
  if (shape.empty()) refuse(id, "skops keeps arrays of objects with a dimension or more");
  if (shape.size() > 1) {
    if (store_.link_count(node) == 0)
      refuse(id, "an empty array of objects of several dimensions, whose shape skops does not keep");
    for (const NodeId element : store_.links_of(node)) {
      const Kind kind = store_.nodes[element].kind;
      if (kind == Kind::list || kind == Kind::tuple || kind == Kind::array || kind == Kind::range) {
        refuse(element, "a sequence in an array of objects of several dimensions, which skops takes for one more");
      }
    }
  }
  open(type, module, "NdArrayNode", id_of(as));
  enter(as);
  schema_ += ", \"type\": \"json\", \"content\": [";
  push_emit("}");
  std::string dims;
  for (const std::int64_t n : shape) {
    const std::string text = std::to_string(n);
    dims += std::string(dims.empty() ? "" : ", ") +
            "{\"__class__\": \"str\", \"__module__\": \"builtins\", \"__loader__\": \"JsonNode\", \"__id__\": " +
            std::to_string(new_id()) + ", \"content\": \"" + text + "\", \"is_json\": true}";
  }
  push_emit(
      "], \"shape\": {\"__class__\": \"tuple\", \"__module__\": \"builtins\", \"__loader__\": \"TupleNode\", "
      "\"__id__\": " +
      std::to_string(new_id()) + ", \"content\": [" + dims + "]}");
  tasks_.push_back({.work = Work::rows, .node = id, .next = 0, .end = store_.link_count(node), .depth = 0});
}

void Writer::step_rows(std::size_t task) {
  const Task& rows = tasks_[task];
  if (rows.next == rows.end) {
    tasks_.pop_back();
    return;
  }
  const StoreNode& node = store_.nodes[rows.node];
  const std::span<const std::int64_t> shape(store_.extents.data() + node.a, node.form);
  if (schema_.back() != '[') schema_ += ", ";
  const NodeId id = rows.node;
  const std::uint64_t first = rows.next;
  const std::size_t depth = rows.depth;
  if (depth + 1 == shape.size()) {
    ++tasks_[task].next;
    visit(store_.links_of(node)[static_cast<std::size_t>(first)]);
    return;
  }
  std::uint64_t inner = 1;
  for (const std::int64_t n : shape.subspan(depth + 1)) inner *= static_cast<std::uint64_t>(n);
  tasks_[task].next += inner;
  open("list", "builtins", "ListNode", new_id());
  schema_ += ", \"content\": [";
  push_emit("]}");
  tasks_.push_back({.work = Work::rows, .node = id, .next = first, .end = first + inner, .depth = depth + 1});
}

void Writer::write_scalar(NodeId id) {
  const StoreNode& node = store_.nodes[id];
  const Dtype& type = store_.types[node.a];
  const std::string name = scalar_class(type);
  if (name.empty()) refuse(id, "skops makes no NumPy scalar of type " + type.to_text());
  const std::string file = std::to_string(id_of(id)) + ".npy";
  const std::string bytes = container::npy_header(type, {}, false) + std::string(store_.text_of(node));
  zip_.add(file, std::as_bytes(std::span(bytes)));
  states_[id] = State::written;
  open(name, "numpy", "NdArrayNode", id_of(id));
  schema_ += ", \"type\": \"numpy\", \"file\": \"" + file + "\"}";
}

// As an array of that type without elements.
void Writer::write_dtype(NodeId id) {
  const Dtype& type = store_.types[store_.nodes[id].a];
  open("dtype", "numpy", "DTypeNode", id_of(id));
  schema_ += ", \"content\": ";
  open("ndarray", "numpy", "NdArrayNode", new_id());
  if (type.type_class() == TypeClass::object) {
    schema_ += ", \"type\": \"json\", \"content\": [], \"shape\": ";
    open("tuple", "builtins", "TupleNode", new_id());
    schema_ += ", \"content\": [";
    open("str", "builtins", "JsonNode", new_id());
    schema_ += ", \"content\": \"0\", \"is_json\": true}]}}}";
    return;
  }
  if (type.has_objects() || type.type_class() >= TypeClass::subarray) {
    refuse(id, "skops keeps no dtype " + type.to_text());
  }
  const std::string file = std::to_string(id_of(id)) + ".npy";
  const std::int64_t shape[] = {0};
  const std::string bytes = container::npy_header(type, shape, false);
  zip_.add(file, std::as_bytes(std::span(bytes)));
  states_[id] = State::written;
  schema_ += ", \"type\": \"numpy\", \"file\": \"" + file + "\"}}";
}

}  // namespace mere::exporters::skops
