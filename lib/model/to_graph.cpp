// An open model as a graph again.

#include <vector>

#include <mere/dump.hpp>

#include "format/image.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"

namespace mere {

namespace {

// Makes the nodes of one image in three steps: leaves and empty containers; then what cannot be made empty (slices,
// arrays of objects, ...), members first; then the members of containers. Each node is made once, so the work is
// bounded by the columns, if every range of links and texts is that of one node alone: that is held against the
// columns' lengths.
class GraphCopy {
 public:
  GraphCopy(const Model& model, Graph& graph) : model_(model), image_(*Model::State::of(model).image), graph_(graph) {
    count_ = image_.section(format::Section::nodes).count;
    links_left_ = image_.section(format::Section::links).count;
    heap_left_ = image_.section(format::Section::heap).count;
    made_.assign(static_cast<std::size_t>(count_), kNoNode);
  }

  void run() {
    for (std::uint64_t id = 0; id < count_; ++id) make_leaf(node(id));
    for (std::uint64_t id = 0; id < count_; ++id) make_whole(id);
    for (std::uint64_t id = 0; id < count_; ++id) fill(node(id));
    const format::Footer& footer = image_.footer();
    graph_.model_root = copy_of(footer.model_root);
    if (footer.program_root != format::kNone) graph_.program_root = copy_of(footer.program_root);
    if (footer.metadata_root != format::kNone) graph_.metadata_root = copy_of(footer.metadata_root);
    image_.check_faults();
  }

 private:
  Node node(std::uint64_t id) const { return Node(&image_, static_cast<NodeId>(id)); }

  NodeId copy_of(NodeId id) const {
    if (id >= count_)
      throw Error(Reason::bad_node, image_.name() + ": node id " + std::to_string(id) + " is out of range");
    return made_[id];
  }
  NodeId copy_of(const Node& from) const { return copy_of(from.id()); }

  void charge_links(std::uint64_t links) {
    if (links > links_left_) {
      throw Error(Reason::bad_node, image_.name() + ": containers have more members in all than there are links");
    }
    links_left_ -= links;
  }
  void charge_heap(std::uint64_t bytes) {
    if (bytes > heap_left_) {
      throw Error(Reason::bad_node, image_.name() + ": texts have more bytes in all than the heap");
    }
    heap_left_ -= bytes;
  }
  std::span<const std::byte> charged(std::span<const std::byte> bytes) {
    charge_heap(bytes.size());
    return bytes;
  }

  static bool is_object_array(const Node& from) { return from.dtype().type_class() == TypeClass::object; }

  void make_leaf(const Node& from) {
    NodeId& to = made_[from.id()];
    const Kind kind = from.kind();
    switch (kind) {
      case Kind::null: to = graph_.null(); break;
      case Kind::boolean: to = graph_.boolean(from.boolean()); break;
      case Kind::integer:
        to = from.is_big() ? graph_.big_integer(charged(from.integer_bytes())) : graph_.integer(from.integer());
        break;
      case Kind::real: to = graph_.real(from.real()); break;
      case Kind::complex: to = graph_.complex(from.complex()); break;
      case Kind::text: {
        const std::string_view text = from.text();
        charge_heap(text.size());
        to = graph_.text(text);
        break;
      }
      case Kind::bytes: to = graph_.bytes(charged(from.bytes())); break;
      case Kind::bytearray: to = graph_.bytearray(charged(from.bytes())); break;
      case Kind::ellipsis: to = graph_.ellipsis(); break;
      case Kind::scalar: to = graph_.scalar(from.dtype(), charged(from.scalar_bytes())); break;
      case Kind::dtype: to = graph_.dtype(from.dtype()); break;
      case Kind::name:
        charge_heap(from.name().size());
        to = graph_.name(from.module(), from.qualname());
        break;
      case Kind::list:
      case Kind::tuple:
      case Kind::set:
      case Kind::frozenset:
      case Kind::dict: to = graph_.reserve(kind); break;
      case Kind::object: to = graph_.reserve_object(); break;
      case Kind::array:
        if (!is_object_array(from)) to = make_array(from.array());
        break;
      case Kind::slice:
      case Kind::range:
      case Kind::opaque: break;
    }
  }

  NodeId make_array(const ArrayView& view) {
    const Dims shape = view.shape();
    if (view.nbytes() == 0) return graph_.array(view.dtype(), shape, Graph::Order::c, {});
    if (view.is_mapped()) return graph_.array(view.dtype(), shape, view.strides(), {view.data(), model_.state()});
    auto copy = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(view.nbytes()));
    view.copy_to(*copy);
    const std::byte* data = copy->data();
    return graph_.array(view.dtype(), shape, Graph::Order::c, {data, std::move(copy)});
  }

  // The nodes that one made whole refers to.
  std::vector<Node> parts_of(const Node& from) {
    std::vector<Node> parts;
    if (from.kind() == Kind::opaque) {
      if (const auto info = from.info()) parts.push_back(*info);
      return parts;
    }
    const std::uint64_t size = from.size();
    charge_links(size);
    for (std::uint64_t i = 0; i < size; ++i) parts.push_back(from[static_cast<std::size_t>(i)]);
    return parts;
  }

  void make_whole(std::uint64_t first) {
    struct Frame {
      Node from;
      std::vector<Node> parts;
      std::size_t next = 0;
    };
    if (made_[first] != kNoNode) return;
    if (under_way_.empty()) under_way_.resize(made_.size());
    std::vector<Frame> stack;
    const auto enter = [&](const Node& from) {
      if (under_way_[from.id()]) {
        throw Error(Reason::not_supported, image_.name() + ": node " + std::to_string(from.id()) + ": " +
                                               std::string(to_text(from.kind())) +
                                               " that contains itself cannot be copied");
      }
      under_way_[from.id()] = true;
      stack.push_back({from, parts_of(from)});
    };
    enter(node(first));
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next < top.parts.size()) {
        const Node part = top.parts[top.next++];
        if (copy_of(part) == kNoNode) enter(part);
        continue;
      }
      std::vector<NodeId> parts;
      for (const Node& part : top.parts) parts.push_back(copy_of(part));
      made_[top.from.id()] = make_from(top.from, parts);
      stack.pop_back();
    }
  }

  NodeId make_from(const Node& from, const std::vector<NodeId>& parts) {
    const auto part = [&](std::size_t i) {
      if (i >= parts.size())
        throw Error(Reason::schema, image_.name() + ": node " + std::to_string(from.id()) + " lacks a part");
      return parts[i];
    };
    switch (from.kind()) {
      case Kind::slice: return graph_.slice(part(0), part(1), part(2));
      case Kind::range: return graph_.range(part(0), part(1), part(2));
      case Kind::opaque: return graph_.opaque(part(0), charged(from.bytes()));
      default: return graph_.object_array(from.object_array_shape(), parts);
    }
  }

  NodeId copy_of(const std::optional<Node>& from) const { return from ? copy_of(*from) : kNoNode; }

  void fill(const Node& from) {
    const NodeId to = made_[from.id()];
    switch (from.kind()) {
      case Kind::list:
      case Kind::tuple:
      case Kind::set:
      case Kind::frozenset: {
        const std::uint64_t size = from.size();
        charge_links(size);
        members_.clear();
        for (std::uint64_t i = 0; i < size; ++i) members_.push_back(copy_of(from[static_cast<std::size_t>(i)]));
        graph_.fill(to, members_);
        break;
      }
      case Kind::dict: {
        const std::uint64_t size = from.size();
        charge_links(size);
        charge_links(size);
        members_.clear();
        for (std::uint64_t i = 0; i < size; ++i) {
          members_.push_back(copy_of(from.key(static_cast<std::size_t>(i))));
          members_.push_back(copy_of(from.value(static_cast<std::size_t>(i))));
        }
        graph_.fill(to, members_);
        break;
      }
      case Kind::object: {
        ObjectParts parts;
        parts.type = copy_of(from.type());
        parts.args = copy_of(from.args());
        parts.kwargs = copy_of(from.kwargs());
        parts.state = copy_of(from.state());
        parts.items = copy_of(from.items());
        parts.entries = copy_of(from.entries());
        parts.setter = copy_of(from.setter());
        graph_.fill_object(to, from.form(), parts);
        break;
      }
      default: break;
    }
  }

  const Model& model_;
  const format::Image& image_;
  Graph& graph_;
  std::uint64_t count_ = 0, links_left_ = 0, heap_left_ = 0;
  std::vector<NodeId> made_;     // by id in the image
  std::vector<bool> under_way_;  // in make_whole()
  std::vector<NodeId> members_;
};

}  // namespace

Graph to_graph(const Model& model) {
  return model::guarded([&] {
    Graph graph;
    GraphCopy(model, graph).run();
    return graph;
  });
}

}  // namespace mere
