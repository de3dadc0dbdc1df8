#include "graph/verify_graph.hpp"

#include <bit>
#include <cstring>
#include <vector>

#include "codec/checksum.hpp"
#include "format/text_form.hpp"
#include "graph/big_integer.hpp"
#include "graph/key_index.hpp"
#include "graph/read.hpp"
#include "graph/same_nodes.hpp"
#include "graph/type_reader.hpp"
#include "graph/visit_budget.hpp"

namespace mere::graph {

namespace {

using format::Image;
using format::kNone;
using format::NodeRecord;
using format::Section;
using format::text_form;
using format::TextForm;

bool holds_text(Kind kind) {
  return kind == Kind::text || kind == Kind::bytes || kind == Kind::bytearray;
}

// The file as find_same() sees it, once every node has been checked.
class ImageNodes {
 public:
  explicit ImageNodes(const Image& image) : image_(image) {}
  std::uint32_t count() const { return static_cast<std::uint32_t>(image_.section(Section::nodes).count); }
  Kind kind(std::uint32_t id) const { return static_cast<Kind>(image_.node(id).kind); }
  std::uint64_t leaf_hash(std::uint32_t id) const {
    const NodeRecord record = image_.node(id);
    const std::uint64_t seed = record.kind | std::uint64_t{type_or_form(record)} << 8;
    return mix(seed, in_heap(record) ? codec::xxh3_64(bytes(record)) : value(record));
  }
  bool leaves_equal(std::uint32_t first, std::uint32_t second) const {
    const NodeRecord a = image_.node(first);
    const NodeRecord b = image_.node(second);
    if (a.kind != b.kind || in_heap(a) != in_heap(b) || type_or_form(a) != type_or_form(b)) return false;
    if (!in_heap(a)) return value(a) == value(b);
    const std::span<const std::byte> x = bytes(a), y = bytes(b);
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size()) == 0;
  }
  std::uint64_t member_count(std::uint32_t id) const { return image_.node(id).a; }
  std::uint32_t member(std::uint32_t id, std::uint64_t i) const {
    const std::uint32_t child = image_.link(image_.node(id).b + i);
    // Checked before, but the map may have changed since.
    if (child >= count()) throw Error(Reason::bad_node, image_.name() + ": changed while it was read");
    return child;
  }

 private:
  static bool in_heap(const NodeRecord& r) {
    const auto kind = static_cast<Kind>(r.kind);
    return holds_text(kind) || kind == Kind::complex || kind == Kind::name || kind == Kind::scalar ||
           (kind == Kind::integer && r.flags != 0);
  }
  // Of kinds that are no number, b is reserved.
  static std::uint64_t value(const NodeRecord& r) {
    const auto kind = static_cast<Kind>(r.kind);
    return kind == Kind::boolean || kind == Kind::integer || kind == Kind::real ? r.b : 0;
  }
  static std::uint32_t type_or_form(const NodeRecord& r) {
    const auto kind = static_cast<Kind>(r.kind);
    if (kind == Kind::scalar || kind == Kind::dtype) return r.a;
    return kind == Kind::name ? r.form : 0;
  }
  std::span<const std::byte> bytes(const NodeRecord& r) const {
    if (r.kind == static_cast<std::uint8_t>(Kind::scalar)) return image_.heap(r.b, image_.type(r.a).itemsize);
    return heap_of(image_, r);
  }

  const Image& image_;
};

class Verifier {
 public:
  explicit Verifier(const Image& image)
      : image_(image),
        budget_(image),
        types_(image),
        count_(image.section(Section::nodes).count),
        heap_left_(image.section(Section::heap).count * 16 + 65536) {}

  void run() {
    check_types();
    for (std::uint64_t id = 0; id < count_; ++id) check_node(static_cast<std::uint32_t>(id));
    check_roots();
    check_members();
    image_.check_faults();
  }

 private:
  [[noreturn]] void fail(std::uint32_t id, Reason reason, const std::string& what) const {
    throw_node(image_, id, reason, what);
  }

  // The records of a column that a node may refer to: those of its own part of the graph and of the parts before.
  std::uint64_t limit(std::uint64_t index, Section own, Section column) const {
    const format::SectionView& mine = image_.section(own);
    const format::SectionView& other = image_.section(column);
    return index < mine.model_end ? other.model_end : index < mine.program_end ? other.program_end : other.count;
  }
  void check_inside(std::uint32_t id, Section column, std::uint64_t first, std::uint64_t count) const {
    if (count != 0 && !range_fits(first, count, limit(id, Section::nodes, column))) {
      fail(id, Reason::schema,
           "it refers to " + std::string(format::to_text(column)) + " " + std::to_string(first) + "+" +
               std::to_string(count) + ", outside its part of the graph");
    }
  }

  void spend_heap(std::uint32_t id, std::uint64_t bytes) {
    if (bytes > heap_left_) fail(id, Reason::too_large, "the texts are longer than 16 times the heap");
    heap_left_ -= bytes;
  }

  void expect_kind(std::uint32_t id, std::uint32_t child, Kind wanted, std::string_view part) const {
    const Kind found = static_cast<Kind>(image_.node(child).kind);
    if (found != wanted) {
      fail(id, Reason::schema,
           std::string(part) + " is " + std::string(to_text(found)) + ", expected " + std::string(to_text(wanted)));
    }
  }

  void check_types();
  void check_node(std::uint32_t id);
  void check_leaf(std::uint32_t id, Kind kind, const NodeRecord& record);
  void check_array(std::uint32_t id, const NodeRecord& record);
  void check_children(std::uint32_t id, Kind kind, const NodeRecord& record);
  void check_roots() const;
  void check_members();
  void check_key_index(std::uint32_t id, const NodeRecord& dict);
  std::uint64_t hash_of_key(std::uint32_t node, std::string_view text);

  const Image& image_;
  VisitBudget budget_;
  TypeReader types_;
  std::uint64_t count_;
  std::uint64_t heap_left_;
  std::vector<bool> type_has_objects_;
  std::vector<std::uint64_t> key_hashes_;  // by node; 0: not yet known
  std::vector<IndexedKey> keys_;
  std::vector<std::uint32_t> index_;
};

void Verifier::check_types() {
  const std::uint64_t types = image_.section(Section::types).count;
  if (types > kNone) throw Error(Reason::bad_header, image_.name() + ": " + std::to_string(types) + " element types");
  type_has_objects_.resize(static_cast<std::size_t>(types));
  for (std::uint64_t i = 0; i < types; ++i) {
    const auto id = static_cast<std::uint32_t>(i);
    const Dtype type = types_.read(id);
    type_has_objects_[i] = type.has_objects();
    const format::TypeRecord record = image_.type(id);
    const auto fail_part = [&](Section column) {
      throw Error(Reason::schema, image_.name() + ": type " + std::to_string(id) + " refers to " +
                                      std::string(format::to_text(column)) + " outside its part of the graph");
    };
    const auto inside = [&](Section column, std::uint64_t first, std::uint64_t count) {
      if (count != 0 && !range_fits(first, count, limit(id, Section::types, column))) fail_part(column);
    };
    const auto is_text = [&](std::string_view text) {
      if (text_form(text) != TextForm::utf8) {
        throw Error(Reason::bad_text, image_.name() + ": type " + std::to_string(id) + ": a name that is not UTF-8");
      }
    };
    if (type.type_class() == TypeClass::record) {
      inside(Section::fields, record.first, record.count);
      for (std::uint64_t f = 0; f < record.count; ++f) {
        const format::FieldRecord field = image_.field(record.first + f);
        inside(Section::heap, field.name, field.name_bytes);
        inside(Section::heap, field.title, field.title_bytes);
      }
      for (const Field& field : type.fields()) {
        is_text(field.name);
        is_text(field.title);
      }
    } else if (type.type_class() == TypeClass::subarray) {
      inside(Section::extents, record.first, record.count);
    } else if (type.type_class() == TypeClass::other) {
      inside(Section::heap, record.first, record.count);
      is_text(type.name());
    }
  }
}

void Verifier::check_node(std::uint32_t id) {
  const NodeRecord record = image_.node(id);
  const Kind kind = kind_of(image_, id, record);
  if (kind == Kind::array) check_array(id, record);
  if (is_immutable_leaf(kind) || kind == Kind::bytearray) {
    check_leaf(id, kind, record);
  } else {
    check_children(id, kind, record);
  }
}

void Verifier::check_leaf(std::uint32_t id, Kind kind, const NodeRecord& record) {
  switch (kind) {
    case Kind::boolean:
      if (record.b > 1) fail(id, Reason::bad_node, "a bool of value " + std::to_string(record.b));
      break;
    case Kind::integer: {
      if (record.flags == 0) break;
      if (record.flags != format::kBigInteger)
        fail(id, Reason::bad_node, "an int with flags " + std::to_string(record.flags));
      const std::span<const std::byte> bytes = heap_of(image_, record);
      spend_heap(id, bytes.size());
      check_inside(id, Section::heap, record.b, record.a);
      if (bytes.empty() || find_int64(bytes) || shortest(bytes).size() != bytes.size()) {
        fail(id, Reason::bad_node, "a big int that is not in its shortest form");
      }
      break;
    }
    case Kind::complex:
      if (record.a != 16) fail(id, Reason::bad_node, "a complex number of " + std::to_string(record.a) + " bytes");
      image_.heap(record.b, 16);
      check_inside(id, Section::heap, record.b, 16);
      break;
    case Kind::text:
    case Kind::bytes:
    case Kind::bytearray: {
      const std::uint8_t allowed = kind == Kind::text ? format::kSurrogates | format::kLongText : format::kLongText;
      if ((record.flags & ~allowed) != 0 || ((record.flags & format::kLongText) && record.a != 0)) {
        fail(id, Reason::bad_node, "a text with flags " + std::to_string(record.flags));
      }
      const std::string_view text = text_of(image_, record);
      spend_heap(id, text.size());
      check_inside(id, Section::heap, record.b, text.size());
      if (kind != Kind::text) break;
      const TextForm wanted = (record.flags & format::kSurrogates) ? TextForm::surrogates : TextForm::utf8;
      if (text_form(text) != wanted) fail(id, Reason::bad_text, "a str that is not UTF-8, or not flagged as it is");
      break;
    }
    case Kind::scalar: {
      if (record.a >= type_has_objects_.size()) fail(id, Reason::out_of_bounds, "type " + std::to_string(record.a));
      if (type_has_objects_[record.a]) fail(id, Reason::bad_type, "a scalar whose type holds objects");
      const std::uint64_t bytes = image_.type(record.a).itemsize;
      image_.heap(record.b, bytes);
      spend_heap(id, bytes);
      check_inside(id, Section::types, record.a, 1);
      check_inside(id, Section::heap, record.b, bytes);
      break;
    }
    case Kind::dtype:
      if (record.a >= type_has_objects_.size()) fail(id, Reason::out_of_bounds, "type " + std::to_string(record.a));
      check_inside(id, Section::types, record.a, 1);
      break;
    case Kind::name: {
      const std::string_view text = text_of(image_, record);
      spend_heap(id, text.size());
      check_inside(id, Section::heap, record.b, text.size());
      if (text.empty() || (record.form != 0 && (record.form + 1u >= text.size() || text[record.form] != '.'))) {
        fail(id, Reason::bad_node,
             "a name of " + std::to_string(text.size()) + " bytes with a module of " + std::to_string(record.form));
      }
      if (text_form(text) != TextForm::utf8) fail(id, Reason::bad_text, "a name that is not UTF-8");
      break;
    }
    default: break;
  }
}

void Verifier::check_array(std::uint32_t id, const NodeRecord& record) {
  check_inside(id, Section::arrays, record.a, 1);
  const format::ArrayRecord array = image_.array(record.a);
  if (array.type >= type_has_objects_.size()) fail(id, Reason::out_of_bounds, "type " + std::to_string(array.type));
  check_inside(id, Section::types, array.type, 1);
  if (record.flags == static_cast<std::uint8_t>(format::Layout::objects)) {
    check_inside(id, Section::extents, record.b, record.form);
    if (array.buffer != kNone || image_.type(array.type).type_class != static_cast<std::uint8_t>(TypeClass::object)) {
      fail(id, Reason::schema, "an array of objects with a buffer, or of another type");
    }
    return;
  }
  if (type_has_objects_[array.type]) fail(id, Reason::bad_type, "objects among the bytes of an array");
  const ResolvedArray resolved = resolve_array(image_, id, record);
  check_inside(id, Section::extents, record.b,
               resolved.layout == format::Layout::strided ? 2u * record.form : record.form);
  if (resolved.nbytes == 0) {
    if (array.buffer != kNone || array.offset != 0) fail(id, Reason::schema, "an array of no bytes with a buffer");
    return;
  }
  check_inside(id, Section::buffers, array.buffer, 1);
  find_data(image_, resolved);
}

void Verifier::check_children(std::uint32_t id, Kind kind, const NodeRecord& record) {
  const Children children = children_of(image_, id, record);
  budget_.spend(children.count);
  check_inside(id, Section::links, children.first, children.count);
  const std::uint64_t node_limit = limit(id, Section::nodes, Section::nodes);
  for (std::uint64_t i = 0; i < children.count; ++i) {
    const std::uint32_t child = image_.link(children.first + i);
    if (child >= count_)
      fail(id, Reason::bad_node,
           "child " + std::to_string(i) + " is node " + std::to_string(child) + " of " + std::to_string(count_));
    if (child >= node_limit)
      fail(id, Reason::schema, "child " + std::to_string(i) + " lies outside its part of the graph");
  }
  const auto child = [&](std::uint64_t i) { return image_.link(children.first + i); };
  if (kind == Kind::range) {
    for (std::uint64_t i = 0; i < 3; ++i) expect_kind(id, child(i), Kind::integer, "a part of a range");
  } else if (kind == Kind::opaque) {
    expect_kind(id, child(0), Kind::dict, "the info of an opaque node");
    expect_kind(id, child(1), Kind::bytes, "the content of an opaque node");
  } else if (kind == Kind::object) {
    if (record.form > 2) fail(id, Reason::bad_node, "an object of form " + std::to_string(record.form));
    constexpr Kind kinds[] = {Kind::name, Kind::tuple, Kind::dict, Kind::null, Kind::list, Kind::dict, Kind::name};
    constexpr std::string_view words[] = {"type", "args", "kwargs", "state", "items", "entries", "setter"};
    std::uint64_t next = 0;
    for (std::size_t part = 0; part < std::size(kinds); ++part) {
      if ((record.flags & 1u << part) == 0) continue;
      if (part != 3) expect_kind(id, child(next), kinds[part], words[part]);
      ++next;
    }
    if (record.form == static_cast<std::uint16_t>(ObjectForm::record)) {
      if (image_.node(child(0)).form != 0) fail(id, Reason::schema, "a record whose type has a module");
      if (record.flags != (format::kPartType | format::kPartState))
        fail(id, Reason::schema, "a record with other parts than type and state");
      expect_kind(id, child(1), Kind::dict, "the state of a record");
    }
  } else if (kind == Kind::dict && (record.flags & ~format::kIndexedDict) != 0) {
    fail(id, Reason::bad_node, "a dict with flags " + std::to_string(record.flags));
  }
}

void Verifier::check_roots() const {
  const format::Footer& footer = image_.footer();
  const format::SectionView& nodes = image_.section(Section::nodes);
  if (footer.model_root >= nodes.model_end) {
    throw Error(Reason::schema, image_.name() + ": the model's root is node " + std::to_string(footer.model_root) +
                                    ", outside the model");
  }
  if (footer.program_root != kNone && footer.program_root >= nodes.program_end) {
    throw Error(Reason::schema, image_.name() + ": the program's root is node " + std::to_string(footer.program_root) +
                                    ", outside the program");
  }
  if (footer.metadata_root != kNone &&
      image_.node(footer.metadata_root).kind != static_cast<std::uint8_t>(Kind::dict)) {
    throw Error(Reason::schema, image_.name() + ": the metadata's root is no dict");
  }
}

void Verifier::check_members() {
  const std::vector<std::uint32_t> same = find_same(ImageNodes(image_));
  // For each node, the dict or set that had it last: ids start from 1.
  std::vector<std::uint32_t> held_by(same.size());
  for (std::uint32_t id = 0; id < same.size(); ++id) {
    const NodeRecord record = image_.node(id);
    const auto kind = static_cast<Kind>(record.kind);
    if (kind != Kind::dict && kind != Kind::set && kind != Kind::frozenset) continue;
    const Children children = children_of(image_, id, record);
    for (std::uint64_t i = 0; i < children.count; i += kind == Kind::dict ? 2 : 1) {
      const std::uint32_t member = image_.link(children.first + i);
      if (member >= same.size())
        fail(id, Reason::bad_node, "child " + std::to_string(i) + " is node " + std::to_string(member));
      if (held_by[same[member]] == id + 1) {
        const std::string what =
            kind == Kind::dict ? "key " + std::to_string(i / 2) + " occurs" : "member " + std::to_string(i) + " occurs";
        fail(id, Reason::duplicate_key, what + " twice (node " + std::to_string(member) + ")");
      }
      held_by[same[member]] = id + 1;
    }
    if (kind == Kind::dict) check_key_index(id, record);
  }
}

// A text is hashed once, however many dicts have it as a key: each tree of a forest has the same few.
std::uint64_t Verifier::hash_of_key(std::uint32_t node, std::string_view text) {
  if (node >= key_hashes_.size()) key_hashes_.resize(static_cast<std::size_t>(count_));
  std::uint64_t& hash = key_hashes_[node];
  if (hash == 0) hash = codec::xxh3_64(std::as_bytes(std::span(text)));
  return hash;
}

// The index is made again and compared.
void Verifier::check_key_index(std::uint32_t id, const NodeRecord& dict) {
  keys_.clear();
  for (std::uint64_t i = 0; i < dict.a; ++i) {
    const std::uint32_t node = image_.link(dict.b + 2 * i);
    const NodeRecord key = image_.node(node);
    if (key.kind != static_cast<std::uint8_t>(Kind::text)) continue;
    const std::string_view text = text_of(image_, key);
    keys_.push_back({dict.flags == 0 ? 0 : hash_of_key(node, text), text, static_cast<std::uint32_t>(i)});
  }
  if ((keys_.size() > format::kIndexedKeys) != (dict.flags == format::kIndexedDict)) {
    fail(id, Reason::bad_node,
         "a dict of " + std::to_string(keys_.size()) + " text keys " + (dict.flags ? "with" : "without") +
             " a key index");
  }
  if (dict.flags == 0) return;
  index_.clear();
  append_key_index(keys_, dict.a, index_);
  const std::uint64_t first = dict.b + std::uint64_t{2} * dict.a;
  image_.check_links(first, index_.size());
  check_inside(id, Section::links, first, index_.size());
  for (std::uint64_t i = 0; i < index_.size(); ++i) {
    if (image_.link(first + i) != index_[i])
      fail(id, Reason::bad_node, "its key index is wrong at place " + std::to_string(i));
  }
}

}  // namespace

void verify_graph(const format::Image& image) {
  Verifier(image).run();
}

}  // namespace mere::graph
