#include "graph/encode.hpp"

#include <algorithm>
#include <cstring>

#include "codec/checksum.hpp"
#include "format/text_form.hpp"
#include "graph/array_plan.hpp"
#include "graph/buffer_bytes.hpp"
#include "graph/key_index.hpp"
#include "graph/same_nodes.hpp"
#include "graph/set_order.hpp"
#include "graph/store.hpp"
#include "graph/type_column.hpp"

namespace mere::graph {

namespace {

using format::text_form;
using format::TextForm;
using Node = Graph::Store::Node;

// The store as find_same() sees it.
class StoreNodes {
 public:
  explicit StoreNodes(const Graph::Store& store) : store_(store) {}
  std::uint32_t count() const { return static_cast<std::uint32_t>(store_.nodes.size()); }
  Kind kind(std::uint32_t id) const { return store_.nodes[id].kind; }

  std::uint64_t leaf_hash(std::uint32_t id) const {
    const Node& node = store_.nodes[id];
    const std::uint64_t seed =
        static_cast<std::uint64_t>(node.kind) | std::uint64_t{node.a} << 8 | std::uint64_t{node.form} << 40;
    if (store_.is_in_heap(node)) return mix(seed, codec::xxh3_64(std::as_bytes(std::span(store_.text_of(node)))));
    return mix(seed, has_value(node.kind) ? node.b : 0);
  }
  bool leaves_equal(std::uint32_t first, std::uint32_t second) const {
    const Node& a = store_.nodes[first];
    const Node& b = store_.nodes[second];
    if (a.kind != b.kind || a.flags != b.flags || a.form != b.form || a.a != b.a) return false;
    if (store_.is_in_heap(a)) return store_.text_of(a) == store_.text_of(b);
    return !has_value(a.kind) || a.b == b.b;
  }
  std::uint64_t member_count(std::uint32_t id) const { return store_.nodes[id].a; }
  std::uint32_t member(std::uint32_t id, std::uint64_t i) const { return store_.links[store_.nodes[id].b + i]; }

 private:
  // Kinds whose b is the value and no place in the heap.
  static bool has_value(Kind kind) { return kind == Kind::boolean || kind == Kind::integer || kind == Kind::real; }

  const Graph::Store& store_;
};

class Encoder {
 public:
  explicit Encoder(const Graph& graph)
      : store_(graph.store()),
        extents_(columns_.extents),
        types_(columns_, extents_),
        plan_(store_, columns_, extents_, types_),
        same_(find_same(StoreNodes(store_))),
        order_(store_, same_),
        ids_(store_.nodes.size(), kNoNode) {
    columns_.nodes.reserve(store_.nodes.size());
    columns_.links.reserve(store_.links.size() + store_.links.size() / 2);
    columns_.heap.reserve(store_.heap.size());
    arrays_.reserve(store_.arrays.size());
  }

  Encoded run(const Graph& graph) {
    if (graph.model_root == kNoNode) throw Error(Reason::bad_argument, "the graph has no model root");
    columns_.model_root = add_part(graph.model_root);
    columns_.end_model();
    if (graph.program_root != kNoNode) columns_.program_root = add_part(graph.program_root);
    columns_.end_program();
    if (graph.metadata_root != kNoNode && graph.kind(graph.metadata_root) != Kind::dict) {
      throw Error(Reason::bad_argument,
                  "the metadata root is " + std::string(to_text(graph.kind(graph.metadata_root))) + ", expected dict");
    }
    if (graph.metadata_root != kNoNode) columns_.metadata_root = add_part(graph.metadata_root);
    Encoded made;
    made.source = make_buffer_source(store_, plan_.take_runs());
    made.columns = std::move(columns_);
    return made;
  }

 private:
  // A container whose children are being visited. Small, as a hostile graph may be as deep as it has nodes.
  struct Frame {
    NodeId node;
    std::uint32_t next_child = 0;
  };
  // What else belongs to a set of several members or an array of objects, and cannot be told from its node.
  struct WideFrame {
    std::vector<NodeId> sorted;  // a set's members
    std::span<const NodeId> children;
    std::uint64_t link = 0, next_child = 0;
  };
  static bool is_wide(const Node& node) {
    return node.kind == Kind::array || ((node.kind == Kind::set || node.kind == Kind::frozenset) && node.a > 1);
  }

  std::uint32_t add_part(NodeId root);
  // The file's id of a node, which is entered if it is met for the first time.
  std::uint32_t visit(NodeId child);
  void enter(NodeId id, std::uint32_t made);
  void set_text(const Node& node, format::NodeRecord& record);
  void add_dict_index(const Node& node, format::NodeRecord& record);
  std::uint64_t add_heap(const Node& node);

  const Graph::Store& store_;
  format::Columns columns_;
  ExtentColumn extents_;
  TypeColumn types_;
  ArrayPlan plan_;
  std::vector<NodeId> same_;  // by node: the first that equals it, for those that stand once; else itself
  SetOrder order_;
  std::vector<std::uint32_t> ids_;  // by node: its id in the file
  std::vector<Frame> stack_;
  std::vector<WideFrame> wide_;  // of the frames that are wide
  std::vector<ArrayPlan::Reached> arrays_;
  std::vector<IndexedKey> keys_;
};

std::uint32_t Encoder::add_part(NodeId root) {
  store_.at(root);
  arrays_.clear();
  const std::uint32_t made = visit(root);
  while (!stack_.empty()) {
    const NodeId container = stack_.back().node;
    const Node& node = store_.nodes[container];
    const bool wide = is_wide(node);
    const std::span<const NodeId> children = wide ? wide_.back().children : store_.links_of(node);
    const std::uint64_t link = wide ? wide_.back().link : columns_.nodes[ids_[container]].b;
    std::uint64_t next = wide ? wide_.back().next_child : stack_.back().next_child;
    while (true) {
      const NodeId child = children[next];
      const std::uint64_t place = link + next++;
      // A container leaves the stack before its last child is entered: a chain takes no more of it than one link does.
      const bool last = next == children.size();
      if (last) {
        stack_.pop_back();
        if (wide) wide_.pop_back();
      }
      const std::size_t depth = stack_.size();
      const std::size_t wide_depth = wide_.size();
      const std::uint32_t id = visit(child);  // may move the frames
      columns_.links[place] = id;
      if (last) break;
      if (stack_.size() == depth) continue;
      if (wide) {
        wide_[wide_depth - 1].next_child = next;
      } else {
        stack_[depth - 1].next_child = static_cast<std::uint32_t>(next);
      }
      break;
    }
  }
  plan_.place_part(arrays_);
  return made;
}

// The next id belongs to the node that the walk meets next.
std::uint32_t Encoder::visit(NodeId child) {
  const NodeId id = same_[child];
  if (ids_[id] == kNoNode) {
    if (columns_.nodes.size() >= kNoNode) throw Error(Reason::too_large, "more than 2^32 - 1 nodes");
    ids_[id] = static_cast<std::uint32_t>(columns_.nodes.size());
    columns_.nodes.emplace_back();
    enter(id, ids_[id]);
  }
  return ids_[id];
}

std::uint64_t Encoder::add_heap(const Node& node) {
  const std::uint64_t at = columns_.heap.size();
  columns_.heap += store_.text_of(node);
  return at;
}

void Encoder::set_text(const Node& node, format::NodeRecord& record) {
  if (node.kind == Kind::text) {
    const std::string_view text = store_.text_of(node);
    switch (text_form(text)) {
      case TextForm::utf8: break;
      case TextForm::surrogates: record.flags |= format::kSurrogates; break;
      case TextForm::broken:
        throw Error(Reason::bad_text, "a str that is not UTF-8: \"" + std::string(text.substr(0, 80)) + "\"");
    }
  }
  const std::uint64_t length = store_.byte_count(node);
  if (length > 0xffffffff) {
    record.flags |= format::kLongText;
    columns_.heap.append(reinterpret_cast<const char*>(&length), sizeof length);
  } else {
    record.a = static_cast<std::uint32_t>(length);
  }
  record.b = add_heap(node);
}

// Fills the record of a node met for the first time; containers are pushed, with room for their links.
void Encoder::enter(NodeId id, std::uint32_t made) {
  const Node& node = store_.nodes[id];
  format::NodeRecord record{};
  record.kind = static_cast<std::uint8_t>(node.kind);
  std::span<const NodeId> children;
  std::vector<NodeId> sorted;
  switch (node.kind) {
    case Kind::null:
    case Kind::ellipsis: break;
    case Kind::boolean:
    case Kind::real: record.b = node.b; break;
    case Kind::integer:
      if (node.flags & Graph::Store::kBig) {
        record.flags = format::kBigInteger;
        record.a = node.a;
        record.b = add_heap(node);
      } else {
        record.b = node.b;
      }
      break;
    case Kind::complex:
      record.a = node.a;
      record.b = add_heap(node);
      break;
    case Kind::text:
    case Kind::bytes:
    case Kind::bytearray: set_text(node, record); break;
    case Kind::scalar:
      record.a = plan_.type_id(node.a);
      record.b = add_heap(node);
      break;
    case Kind::dtype: record.a = plan_.type_id(node.a); break;
    case Kind::name:
      if (text_form(store_.text_of(node)) != TextForm::utf8) {
        throw Error(Reason::bad_text,
                    "a name that is not UTF-8: \"" + std::string(store_.text_of(node).substr(0, 80)) + "\"");
      }
      record.form = node.form;
      record.a = node.a;
      record.b = add_heap(node);
      break;
    case Kind::set:
    case Kind::frozenset:
      children = store_.links_of(node);
      if (children.size() > 1) {
        children = order_.sort(node);
        sorted.assign(children.begin(), children.end());
        children = sorted;
      }
      record.a = static_cast<std::uint32_t>(children.size());
      break;
    case Kind::dict:
      children = store_.links_of(node);
      record.a = static_cast<std::uint32_t>(children.size() / 2);
      break;
    case Kind::array:
      record.form = node.form;
      if (!(node.flags & Graph::Store::kObjects)) {
        arrays_.push_back({made, node.a});
        break;
      }
      arrays_.push_back({made, format::kNone, columns_.links.size()});
      children = store_.links_of(node);
      record.flags = static_cast<std::uint8_t>(format::Layout::objects);
      record.b = extents_.add(std::span(store_.extents).subspan(node.a, node.form), {});
      break;
    case Kind::object:
      if (!(node.flags & format::kPartType)) throw Error(Reason::bad_argument, "an object that was never filled");
      record.form = node.form;
      record.flags = node.flags;
      children = store_.links_of(node);
      record.a = static_cast<std::uint32_t>(children.size());
      break;
    default:  // list, tuple, slice, range, opaque
      children = store_.links_of(node);
      record.a = static_cast<std::uint32_t>(children.size());
  }
  const bool has_links = node.kind >= Kind::list && node.kind != Kind::ellipsis && !is_immutable_leaf(node.kind) &&
                         (node.kind != Kind::array || (node.flags & Graph::Store::kObjects));
  if (has_links) {
    const std::uint64_t link = columns_.links.size();
    if (node.kind != Kind::array) record.b = link;
    columns_.links.resize(link + children.size());
    if (node.kind == Kind::dict) add_dict_index(node, record);
    if (!children.empty()) stack_.push_back({id});
    if (!children.empty() && is_wide(node)) wide_.push_back({std::move(sorted), children, link});
  }
  columns_.nodes[made] = record;
}

void Encoder::add_dict_index(const Node& node, format::NodeRecord& record) {
  const std::span<const NodeId> members = store_.links_of(node);
  const std::size_t entries = members.size() / 2;
  // Keys are distinct: usually they were made one after the other, and then one look shows it.
  bool rising = true;
  keys_.clear();
  keys_.reserve(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const NodeId key = same_[members[2 * i]];
    rising = rising && (i == 0 || same_[members[2 * i - 2]] < key);
    if (store_.nodes[key].kind == Kind::text) {
      keys_.push_back({0, store_.text_of(store_.nodes[key]), static_cast<std::uint32_t>(i)});
    }
  }
  if (!rising) {
    std::vector<NodeId> sorted(entries);
    for (std::size_t i = 0; i < entries; ++i) sorted[i] = same_[members[2 * i]];
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) {
      const Node& key = store_.nodes[*twice];
      throw Error(Reason::duplicate_key,
                  "a dict has a key twice: " + (key.kind == Kind::text
                                                    ? "\"" + std::string(store_.text_of(key).substr(0, 80)) + "\""
                                                    : "one of kind " + std::string(to_text(key.kind))));
    }
  }
  if (keys_.size() <= format::kIndexedKeys) return;
  record.flags = format::kIndexedDict;
  for (IndexedKey& key : keys_) key.hash = codec::xxh3_64(std::as_bytes(std::span(key.text)));
  append_key_index(keys_, entries, columns_.links);
}

}  // namespace

Encoded encode(const Graph& graph) {
  Encoder encoder(graph);
  return encoder.run(graph);
}

}  // namespace mere::graph
