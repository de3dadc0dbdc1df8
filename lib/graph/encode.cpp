#include "graph/encode.hpp"

#include <algorithm>
#include <cstring>

#include "codec/checksum.hpp"
#include "graph/array_plan.hpp"
#include "graph/buffer_bytes.hpp"
#include "graph/id_table.hpp"
#include "graph/key_index.hpp"
#include "graph/set_order.hpp"
#include "graph/store.hpp"
#include "graph/type_column.hpp"
#include "graph/unicode_check.hpp"

namespace mere::graph {

namespace {

using Node = Graph::Store::Node;

bool is_leaf(Kind kind) {
  return kind <= Kind::bytes || kind == Kind::ellipsis || (kind >= Kind::scalar && kind <= Kind::name);
}

class Encoder {
 public:
  explicit Encoder(const Graph& graph)
      : store_(graph.store()), extents_(columns_.extents), types_(columns_, extents_),
        plan_(store_, columns_, extents_, types_), order_(store_, same_), ids_(store_.nodes.size(), kNoNode) {
    columns_.nodes.reserve(store_.nodes.size());
    columns_.links.reserve(store_.links.size() + store_.links.size() / 2);
    columns_.heap.reserve(store_.heap.size());
    join_leaves();
    join_tuples();
  }

  Encoded run(const Graph& graph) {
    if (graph.model_root == kNoNode) throw Error(Reason::bad_argument, "the graph has no model root");
    columns_.model_root = add_part(graph.model_root);
    columns_.end_model();
    if (graph.program_root != kNoNode) columns_.program_root = add_part(graph.program_root);
    columns_.end_program();
    if (graph.metadata_root != kNoNode) columns_.metadata_root = add_part(graph.metadata_root);
    Encoded made;
    made.source = make_buffer_source(store_, plan_.take_runs());
    made.columns = std::move(columns_);
    return made;
  }

 private:
  struct Frame {
    const NodeId* children;
    std::uint64_t count, next, link;
    bool owned;  // the children are the last of sorted_sets_
  };

  void join_leaves();
  void join_tuples();
  std::uint32_t add_part(NodeId root);
  void enter(const Node& node, std::uint32_t made);
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
  std::vector<std::vector<NodeId>> sorted_sets_;
  std::vector<ArrayPlan::Reached> arrays_;
  std::vector<IndexedKey> keys_;
};

void Encoder::join_leaves() {
  const std::size_t count = store_.nodes.size();
  same_.resize(count);
  IdTable table(count / 2);
  for (NodeId id = 0; id < count; ++id) {
    const Node& node = store_.nodes[id];
    if (!is_leaf(node.kind)) {
      same_[id] = id;
      continue;
    }
    std::uint64_t hash = static_cast<std::uint64_t>(node.kind) | std::uint64_t{node.a} << 8;
    const bool has_text = node.c != 0;
    if (has_text) {
      hash = mix(hash, codec::xxh3_64(std::as_bytes(std::span(store_.text_of(node)))));
    } else {
      const bool has_value = node.kind == Kind::boolean || node.kind == Kind::integer || node.kind == Kind::real;
      hash = mix(hash, has_value ? node.b : 0);
    }
    same_[id] = table.find_or_put(hash, id, [&](NodeId other_id) {
      const Node& other = store_.nodes[other_id];
      if (other.kind != node.kind || other.flags != node.flags || other.a != node.a || other.c != node.c) return false;
      if (has_text) return std::memcmp(store_.heap.data() + other.b, store_.heap.data() + node.b, node.c) == 0;
      return node.kind > Kind::real || other.b == node.b;
    });
  }
}

// Tuples of immutable leaves, and of such tuples, stand once. Members are known before the tuple that holds them.
void Encoder::join_tuples() {
  enum State : std::uint8_t { unknown, open, constant, changing };
  std::vector<State> states;
  IdTable table;
  std::vector<NodeId> stack;
  const auto is_constant = [&](NodeId id) {
    const Kind kind = store_.nodes[id].kind;
    return is_leaf(kind) || (kind == Kind::tuple && states[id] == constant);
  };
  for (NodeId start = 0; start < store_.nodes.size(); ++start) {
    if (store_.nodes[start].kind != Kind::tuple) continue;
    if (states.empty()) states.resize(store_.nodes.size(), unknown);
    if (states[start] != unknown) continue;
    stack.push_back(start);
    while (!stack.empty()) {
      const NodeId id = stack.back();
      const std::span<const NodeId> members = store_.links_of(store_.nodes[id]);
      if (states[id] == unknown) {
        states[id] = open;
        for (const NodeId member : members) {
          // A tuple that is still open holds this one: a cycle, so neither is constant.
          if (store_.nodes[member].kind == Kind::tuple && states[member] == unknown) stack.push_back(member);
        }
        if (stack.back() != id) continue;
      }
      stack.pop_back();
      if (states[id] != open) continue;
      if (!std::all_of(members.begin(), members.end(), is_constant)) {
        states[id] = changing;
        continue;
      }
      states[id] = constant;
      std::uint64_t hash = members.size();
      for (const NodeId member : members) hash = mix(hash, same_[member]);
      same_[id] = table.find_or_put(hash, id, [&](NodeId other) {
        const std::span<const NodeId> others = store_.links_of(store_.nodes[other]);
        return std::equal(members.begin(), members.end(), others.begin(), others.end(),
                          [&](NodeId a, NodeId b) { return same_[a] == same_[b]; });
      });
    }
  }
}

std::uint32_t Encoder::add_part(NodeId root) {
  store_.at(root);
  arrays_.clear();
  // The next id belongs to the node that the walk meets next.
  const auto visit = [&](NodeId child) {
    const NodeId id = same_[child];
    if (ids_[id] == kNoNode) {
      if (columns_.nodes.size() >= kNoNode) throw Error(Reason::too_large, "more than 2^32 - 1 nodes");
      ids_[id] = static_cast<std::uint32_t>(columns_.nodes.size());
      columns_.nodes.emplace_back();
      enter(store_.nodes[id], ids_[id]);
    }
    return ids_[id];
  };
  const std::uint32_t made = visit(root);
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    if (frame.next == frame.count) {
      if (frame.owned) sorted_sets_.pop_back();
      stack_.pop_back();
      continue;
    }
    const std::uint64_t link = frame.link + frame.next;
    const NodeId child = frame.children[frame.next++];
    const std::uint32_t id = visit(child);  // may move the frames
    columns_.links[link] = id;
  }
  plan_.place_part(arrays_);
  return made;
}

std::uint64_t Encoder::add_heap(const Node& node) {
  const std::uint64_t at = columns_.heap.size();
  columns_.heap.append(store_.heap, node.b, node.c);
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
  if (node.c > 0xffffffff) {
    record.flags |= format::kLongText;
    columns_.heap.append(reinterpret_cast<const char*>(&node.c), sizeof node.c);
  } else {
    record.a = static_cast<std::uint32_t>(node.c);
  }
  record.b = add_heap(node);
}

// Fills the record of a node met for the first time; containers are pushed, with room for their links.
void Encoder::enter(const Node& node, std::uint32_t made) {
  format::NodeRecord record{};
  record.kind = static_cast<std::uint8_t>(node.kind);
  std::span<const NodeId> children;
  bool owned = false;
  switch (node.kind) {
    case Kind::null:
    case Kind::ellipsis: break;
    case Kind::boolean:
    case Kind::real: record.b = node.b; break;
    case Kind::integer:
      if (node.flags & Graph::Store::kBig) {
        record.flags = format::kBigInteger;
        record.a = static_cast<std::uint32_t>(node.c);
        record.b = add_heap(node);
      } else {
        record.b = node.b;
      }
      break;
    case Kind::complex:
      record.a = static_cast<std::uint32_t>(node.c);
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
        throw Error(Reason::bad_text, "a name that is not UTF-8: \"" + std::string(store_.text_of(node).substr(0, 80)) + "\"");
      }
      record.form = static_cast<std::uint16_t>(node.a);
      record.a = static_cast<std::uint32_t>(node.c);
      record.b = add_heap(node);
      break;
    case Kind::set:
    case Kind::frozenset:
      children = store_.links_of(node);
      if (children.size() > 1) {
        children = order_.sort(node);
        children = sorted_sets_.emplace_back(children.begin(), children.end());
        owned = true;
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
  const bool has_links = node.kind >= Kind::list && node.kind != Kind::ellipsis && !is_leaf(node.kind) &&
                         (node.kind != Kind::array || (node.flags & Graph::Store::kObjects));
  if (has_links) {
    const std::uint64_t link = columns_.links.size();
    if (node.kind != Kind::array) record.b = link;
    columns_.links.resize(link + children.size());
    if (node.kind == Kind::dict) add_dict_index(node, record);
    stack_.push_back({children.data(), children.size(), 0, link, owned});
  }
  columns_.nodes[made] = record;
}

void Encoder::add_dict_index(const Node& node, format::NodeRecord& record) {
  const std::span<const NodeId> members = store_.links_of(node);
  const std::size_t entries = members.size() / 2;
  // Keys are distinct: usually they were made one after the other, and then one look shows it.
  bool rising = true;
  keys_.clear();
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
      throw Error(Reason::duplicate_key, "a dict has a key twice: " + (key.kind == Kind::text
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
