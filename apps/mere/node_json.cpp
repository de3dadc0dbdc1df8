#include "node_json.hpp"

#include <vector>

#include "element_json.hpp"
#include "graph_steps.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

using Layout = JsonWriter::Layout;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// {"@tag": ...}: opened here, closed by the caller's one end().
void begin_tag(JsonWriter& json, const char* tag, Layout layout = Layout::line) {
  json.begin_object(layout);
  json.key(tag);
}

void write_tagged_text(JsonWriter& json, const char* tag, std::string_view text) {
  begin_tag(json, tag);
  json.value(text);
  json.end();
}

// A dict whose keys are all texts, none of which could be taken for a tag, is a JSON object; others are lists of pairs.
bool is_json_object(const Node& dict) {
  for (std::size_t i = 0; i < dict.size(); ++i) {
    const Node key = dict.key(i);
    if (key.kind() != Kind::text || key.text().starts_with('@')) return false;
  }
  return true;
}

// Tuples that hold few leaves are values more than containers: written each time they occur.
bool is_value(const Node& node, Kind kind) {
  if (is_leaf(kind)) return true;
  if (kind == Kind::slice || kind == Kind::range || kind == Kind::tuple) {
    if (node.size() > 16) return false;
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (!is_leaf(node[i].kind())) return false;
    }
    return true;
  }
  return false;
}

void write_text(JsonWriter& json, const Node& node) {
  const std::string_view text = node.text();
  if (!is_text(text)) throw Error(Reason::bad_text, "node " + std::to_string(node.id()) + ": a str that is not UTF-8");
  json.value(text);
}

void write_array_facts(JsonWriter& json, const Node& node, const std::string& path) {
  const ArrayView array = node.array();
  begin_tag(json, "@array");
  json.begin_object();
  json.member("path", path);
  json.member("dtype", array.dtype().to_text());
  json.key("shape");
  json.begin_array();
  for (std::int64_t n : array.shape()) json.value(n);
  json.end();
  json.end();
  json.end();
}

// One open JSON container and the node whose members go into it. A node may have two: {"@set": [...]}.
struct Frame {
  Node node;
  Members members;
  int ends;    // how many JSON containers close behind the last member
  bool pairs;  // a dict as pairs: [key, value]
  bool keyed;  // members need a JSON key first
};

class GraphWriter {
 public:
  GraphWriter(JsonWriter& json, const std::string& path) : json_(json), trail_(path) {}

  void write(const Node& start) {
    trail_.start(start);
    enter(start);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.pairs ? !next_pair(frame) : !frame.members.next()) {
        for (int i = 0; i < frame.ends; ++i) json_.end();
        if (frame.pairs) pairs_.pop_back();
        frames_.pop_back();
        continue;
      }
      if (frame.pairs) {
        step_into_pair(frame);
        continue;
      }
      const Node member = frame.members.node();
      const Step step = frame.members.step();
      if (frame.keyed) json_.key(key_of(frame, step));
      visit(member, frame.node, step);
    }
  }

 private:
  // Dicts as pairs are walked by entry: key, then value, each possibly a container of its own.
  struct Pair {
    std::uint64_t entry = 0;
    bool value = false;
  };

  bool next_pair(const Frame& frame) const { return pairs_.back().entry < frame.node.size() || pairs_.back().value; }

  void step_into_pair(const Frame& frame) {
    Pair& pair = pairs_.back();
    const Node dict = frame.node;
    const std::uint64_t entry = pair.entry;
    if (!pair.value) {
      json_.begin_array(Layout::line);
      pair.value = true;
      visit(dict.key(static_cast<std::size_t>(entry)), dict, {Role::key, entry});
    } else {
      pair.value = false;
      ++pair.entry;
      visit_last_of_pair(dict.value(static_cast<std::size_t>(entry)), dict, {Role::value, entry});
    }
  }

  // The pair's own array closes behind its value: at once for a value, else with the value's frame.
  void visit_last_of_pair(Node member, Node parent, Step step) {
    const std::size_t depth = frames_.size();
    visit(member, parent, step);
    if (frames_.size() > depth) {
      ++frames_.back().ends;
    } else {
      json_.end();
    }
  }

  std::string key_of(const Frame& frame, Step step) const {
    switch (step.role) {
      case Role::args: return "args";
      case Role::kwargs: return "kwargs";
      case Role::state: return "state";
      case Role::items: return "items";
      case Role::entries: return "entries";
      case Role::setter: return "setter";
      case Role::info: return "info";
      default: return std::string(frame.node.key(static_cast<std::size_t>(step.index)).text());
    }
  }

  void visit(Node node, Node parent, Step step) {
    const Kind kind = node.kind();
    if (!is_value(node, kind)) {
      if (trail_.met(node.id())) return write_tagged_text(json_, "@ref", trail_.path(node.id()));
      trail_.add(node, parent, step);
    }
    enter(node);
  }

  void open(const Node& node, int ends, bool keyed = false) {
    frames_.push_back({node, Members(node, false), ends, false, keyed});
    if (frames_.size() > kMaxJsonDepth) {
      throw Error(Reason::too_deep, trail_.path(node.id()) + ": nested more than " + std::to_string(kMaxJsonDepth) +
                                        " deep; ask for a part of it");
    }
  }

  void enter(const Node& node) {
    const Kind kind = node.kind();
    const Layout layout = is_value(node, kind) ? Layout::line : Layout::lines;
    switch (kind) {
      case Kind::list:
      case Kind::tuple: json_.begin_array(layout); return open(node, 1);
      case Kind::set:
      case Kind::frozenset:
        begin_tag(json_, kind == Kind::set ? "@set" : "@frozenset", layout);
        json_.begin_array();
        return open(node, 2);
      case Kind::slice:
      case Kind::range:
        begin_tag(json_, kind == Kind::slice ? "@slice" : "@range");
        json_.begin_array();
        return open(node, 2);
      case Kind::dict:
        if (is_json_object(node)) {
          json_.begin_object();
          return open(node, 1, true);
        }
        begin_tag(json_, "@dict", Layout::lines);
        json_.begin_array();
        open(node, 2);
        frames_.back().pairs = true;
        return pairs_.push_back({});
      case Kind::array:
        if (node.dtype().type_class() != TypeClass::object)
          return write_array_facts(json_, node, trail_.path(node.id()));
        begin_tag(json_, "@objects", Layout::lines);
        json_.begin_object();
        json_.key("shape");
        json_.begin_array(Layout::line);
        for (std::int64_t n : node.object_array_shape()) json_.value(n);
        json_.end();
        json_.key("items");
        json_.begin_array();
        return open(node, 3);
      case Kind::object:
        begin_tag(json_, "@object", Layout::lines);
        json_.value(node.type_name());
        if (node.form() != ObjectForm::construct)
          json_.member("form", node.form() == ObjectForm::call ? "call" : "record");
        return open(node, 1, true);
      case Kind::bytearray:
        begin_tag(json_, "@bytearray");
        json_.base64(text_of(node.bytes()));
        return json_.end();
      case Kind::opaque:
        begin_tag(json_, "@opaque", Layout::lines);
        json_.value(node.bytes().size());
        // The bytes are handed out only where their node itself is asked for.
        if (frames_.empty()) {
          json_.key("bytes");
          json_.base64(text_of(node.bytes()));
        }
        return open(node, 1, true);
      default: return write_leaf(json_, node);
    }
  }

  JsonWriter& json_;
  Trail trail_;
  std::vector<Frame> frames_;
  std::vector<Pair> pairs_;  // one for each frame of pairs
};

}  // namespace

void write_leaf(JsonWriter& json, const Node& leaf) {
  switch (leaf.kind()) {
    case Kind::null: return json.null();
    case Kind::boolean: return json.value(leaf.boolean());
    case Kind::integer: return json.raw(leaf.integer_text());
    case Kind::real: return json.value(leaf.real());
    case Kind::complex: {
      const std::complex<double> value = leaf.complex();
      begin_tag(json, "@complex");
      json.begin_array();
      json.value(value.real());
      json.value(value.imag());
      json.end();
      return json.end();
    }
    case Kind::text: return write_text(json, leaf);
    case Kind::bytes:
      begin_tag(json, "@bytes");
      json.base64(text_of(leaf.bytes()));
      return json.end();
    case Kind::ellipsis:
      begin_tag(json, "@ellipsis");
      json.value(true);
      return json.end();
    case Kind::scalar: return write_element(json, leaf.dtype(), leaf.scalar_bytes());
    case Kind::dtype: return write_tagged_text(json, "@dtype", leaf.dtype().to_text());
    case Kind::name: return write_tagged_text(json, "@name", leaf.name());
    default:
      throw Error(Reason::wrong_kind,
                  "node " + std::to_string(leaf.id()) + " is no leaf but " + std::string(to_text(leaf.kind())));
  }
}

void write_node(JsonWriter& json, const Node& node, const std::string& path) {
  GraphWriter(json, path).write(node);
}

void write_array_values(JsonWriter& json, const ArrayView& array, std::uint64_t memory_bytes) {
  const Dtype dtype = array.dtype();
  const Dims shape = array.shape();
  const std::uint64_t nbytes = array.nbytes();
  if (nbytes > memory_bytes) {
    throw Error(Reason::too_large, "an array of " + std::to_string(nbytes) + " bytes; --limit-memory-bytes allows " +
                                       std::to_string(memory_bytes));
  }
  if (array.is_mapped()) return write_elements(json, dtype, array.data(), shape, array.strides());
  std::vector<std::byte> elements(static_cast<std::size_t>(nbytes));
  array.copy_to(elements);
  Dims strides(shape.size());
  Size step = dtype.itemsize();
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = static_cast<std::int64_t>(step.get("a stride"));
    if (shape[i] > 1) step = step * Size::from_signed(shape[i]);
  }
  write_elements(json, dtype, elements.data(), shape, strides);
}

}  // namespace mere::command
