#include "graph/to_graph.hpp"

#include <cstring>
#include <new>
#include <unordered_map>
#include <vector>

#include "graph/big_integer.hpp"
#include "graph/read.hpp"
#include "graph/store.hpp"
#include "graph/type_reader.hpp"
#include "graph/visit_budget.hpp"

namespace mere::graph {

namespace {

using format::Image;
using format::kNone;
using format::NodeRecord;
using format::Section;

class ImageCopy {
 public:
  ImageCopy(const Image& image, Graph& graph, std::uint64_t limit_bytes)
      : image_(image),
        graph_(graph),
        store_(graph.store()),
        types_(image),
        budget_(image),
        limit_bytes_(limit_bytes),
        heap_left_(image.section(Section::heap).count * 16 + 65536) {}

  void run() {
    copy_columns();
    const std::uint64_t count = image_.section(Section::nodes).count;
    if (count >= kNone) throw Error(Reason::bad_header, image_.name() + ": " + std::to_string(count) + " nodes");
    store_.nodes.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t id = 0; id < count; ++id) add(static_cast<std::uint32_t>(id));
    check_kinds();
    const format::Footer& footer = image_.footer();
    graph_.model_root = footer.model_root;
    graph_.program_root = footer.program_root;
    graph_.metadata_root = footer.metadata_root;
    image_.check_faults();
  }

 private:
  // Texts and links keep their places.
  void copy_columns() {
    const format::SectionView& heap = image_.section(Section::heap);
    store_.heap.assign(reinterpret_cast<const char*>(heap.data), static_cast<std::size_t>(heap.count));
    const std::uint64_t links = image_.section(Section::links).count;
    store_.links.resize(static_cast<std::size_t>(links));
    for (std::uint64_t i = 0; i < links; ++i) store_.links[i] = image_.link(i);
  }

  std::uint32_t type_of(std::uint32_t id) {
    if (const auto known = type_ids_.find(id); known != type_ids_.end()) return known->second;
    const std::uint32_t made = store_.intern(types_.read(id));
    type_ids_.emplace(id, made);
    return made;
  }

  void add(std::uint32_t id) {
    const NodeRecord record = image_.node(id);
    Graph::Store::Node node{.kind = kind_of(image_, id, record), .b = record.b};
    switch (node.kind) {
      case Kind::null:
      case Kind::ellipsis: node.b = 0; break;
      case Kind::boolean: node.b = record.b != 0; break;
      case Kind::real: break;
      case Kind::integer:
        if (record.flags & format::kBigInteger) {
          const std::span<const std::byte> bytes = heap_of(image_, record);
          if (bytes.empty()) throw_node(image_, id, Reason::bad_node, "a big int of no bytes");
          if (const auto small = find_int64(bytes)) {
            node.b = static_cast<std::uint64_t>(*small);
          } else {
            node.flags = Graph::Store::kBig;
            node.a = static_cast<std::uint32_t>(shortest(bytes).size());
          }
        }
        break;
      case Kind::complex:
        if (record.a != 16) throw_node(image_, id, Reason::bad_node, "a complex number that has not 16 bytes");
        spend_heap(id, record);
        node.a = record.a;
        break;
      case Kind::text:
      case Kind::bytes:
      case Kind::bytearray:
        spend_heap(id, record);
        // A length of more than 32 bits stands before the bytes here too.
        if (record.flags & format::kLongText) {
          node.flags = Graph::Store::kLong;
          // Of the copy: the file may be another by now.
          if (!range_fits(node.b, store_.byte_count(node), store_.heap.size()))
            throw_node(image_, id, Reason::out_of_bounds, "a long text that ends past the heap");
        } else {
          node.a = record.a;
        }
        break;
      case Kind::name:
        spend_heap(id, record);
        node.form = record.form;
        node.a = record.a;
        if (node.a == 0 ||
            (record.form != 0 && (record.form + 1u >= node.a || store_.heap[node.b + record.form] != '.'))) {
          throw_node(image_, id, Reason::bad_node,
                     "a name of " + std::to_string(node.a) + " bytes with a module of " + std::to_string(record.form));
        }
        break;
      case Kind::scalar: add_scalar(id, record); return;
      case Kind::dtype:
        node.a = type_of(record.a);
        node.b = 0;
        break;
      case Kind::array:
        if (record.flags != static_cast<std::uint8_t>(format::Layout::objects)) {
          add_array(id, record);
          return;
        }
        take_children(id, record, node);
        node.flags = Graph::Store::kObjects;
        node.form = record.form;
        add_object_shape(record, node);
        break;
      case Kind::object:
        take_children(id, record, node);
        if (record.form > 2)
          throw_node(image_, id, Reason::bad_node, "an object of form " + std::to_string(record.form));
        node.form = record.form;
        node.flags = record.flags;
        break;
      default: take_children(id, record, node);
    }
    store_.add(node);
  }

  // Texts of a hostile file may all be the same bytes of its heap; written again, each has its own.
  void spend_heap(std::uint32_t id, const NodeRecord& record) {
    const std::uint64_t bytes = heap_of(image_, record).size();
    if (bytes > heap_left_) throw_node(image_, id, Reason::too_large, "the texts are longer than 16 times the heap");
    heap_left_ -= bytes;
  }

  void take_children(std::uint32_t id, const NodeRecord& record, Graph::Store::Node& node) {
    const Children children = children_of(image_, id, record);
    budget_.spend(children.count);
    const std::uint64_t count = image_.section(Section::nodes).count;
    for (std::uint64_t i = 0; i < children.count; ++i) {
      if (store_.links[children.first + i] >= count) {
        throw_node(image_, id, Reason::bad_node,
                   "child " + std::to_string(i) + " is node " + std::to_string(store_.links[children.first + i]) +
                       " of " + std::to_string(count));
      }
    }
    if (children.count > 0xffffffff) throw_node(image_, id, Reason::too_large, "more than 2^32 - 1 links");
    node.b = children.first;
    node.a = static_cast<std::uint32_t>(children.count);
  }

  void add_object_shape(const NodeRecord& record, Graph::Store::Node& node) {
    Dims shape(record.form);
    for (std::uint64_t d = 0; d < record.form; ++d) shape[d] = image_.extent(record.b + d);
    const std::uint64_t extent = store_.add_extents(shape, {});
    if (extent > 0xffffffff) throw Error(Reason::too_large, image_.name() + ": too many shapes");
    node.a = static_cast<std::uint32_t>(extent);
  }

  void add_scalar(std::uint32_t id, const NodeRecord& record) {
    const std::uint32_t type = type_of(record.a);
    const Dtype& dtype = store_.types[type];
    const std::span<const std::byte> value = image_.heap(record.b, dtype.itemsize());
    if (value.size() > heap_left_)
      throw_node(image_, id, Reason::too_large, "the scalars are longer than 16 times the heap");
    heap_left_ -= value.size();
    if (dtype.has_objects()) throw_node(image_, id, Reason::bad_type, "a scalar whose type holds objects");
    if (dtype.has_holes()) {
      budget_.spend(value.size() / 4);
      graph_.scalar(Dtype(dtype), value);  // makes sure that its padding is zero
    } else {
      store_.add({.kind = Kind::scalar, .a = type, .b = record.b});
    }
  }

  void add_array(std::uint32_t id, const NodeRecord& record) {
    const ResolvedArray array = resolve_array(image_, id, record);
    const std::uint32_t type = type_of(array.type);
    if (store_.types[type].itemsize() != array.itemsize)
      throw_node(image_, id, Reason::bad_type, "its type changed while it was read");
    const std::byte* data = find_data(image_, array);
    if (data == nullptr && array.span != 0) data = buffer_memory(array.buffer) + array.first;
    store_.add_array(type, array.shape, array.strides, data);
  }

  const std::byte* buffer_memory(std::uint32_t buffer) {
    if (const auto known = buffers_.find(buffer); known != buffers_.end()) return known->second;
    const std::uint64_t bytes = image_.buffer(buffer).raw_bytes;
    if (bytes > limit_bytes_) {
      throw Error(Reason::too_large, image_.name() + ": buffer " + std::to_string(buffer) + " of " +
                                         std::to_string(bytes) + " bytes passes the limit of memory");
    }
    limit_bytes_ -= bytes;
    // Not touched before it is read: a false length costs nothing.
    std::shared_ptr<std::byte[]> memory(new (std::nothrow) std::byte[static_cast<std::size_t>(bytes)]);
    if (!memory) throw Error::out_of_memory();
    image_.read_buffer(buffer, 0, std::span(memory.get(), static_cast<std::size_t>(bytes)));
    buffers_.emplace(buffer, memory.get());
    store_.keep(memory);
    return memory.get();
  }

  // What the builder of a graph would refuse.
  void check_kinds() const {
    for (std::uint32_t id = 0; id < store_.nodes.size(); ++id) {
      const Graph::Store::Node& node = store_.nodes[id];
      const std::span<const NodeId> links =
          node.kind == Kind::object || node.kind == Kind::range || node.kind == Kind::opaque
              ? store_.links_of(node)
              : std::span<const NodeId>();
      const auto expect = [&](NodeId child, Kind wanted) {
        if (store_.nodes[child].kind != wanted) {
          throw_node(image_, id, Reason::schema,
                     "it has " + std::string(to_text(store_.nodes[child].kind)) + " where " +
                         std::string(to_text(wanted)) + " belongs");
        }
      };
      if (node.kind == Kind::range) {
        for (const NodeId part : links) expect(part, Kind::integer);
      } else if (node.kind == Kind::opaque) {
        expect(links[0], Kind::dict);
        expect(links[1], Kind::bytes);
      } else if (node.kind == Kind::object) {
        constexpr Kind kinds[] = {Kind::name, Kind::tuple, Kind::dict, Kind::null, Kind::list, Kind::dict, Kind::name};
        std::size_t next = 0;
        for (std::size_t part = 0; part < std::size(kinds); ++part) {
          if ((node.flags & 1u << part) == 0) continue;
          if (part != 3) expect(links[next], kinds[part]);
          ++next;
        }
      }
    }
  }

  const Image& image_;
  Graph& graph_;
  Graph::Store& store_;
  TypeReader types_;
  VisitBudget budget_;
  std::uint64_t limit_bytes_, heap_left_;
  std::unordered_map<std::uint32_t, std::uint32_t> type_ids_;
  std::unordered_map<std::uint32_t, const std::byte*> buffers_;
};

}  // namespace

Graph to_graph(const format::Image& image, std::shared_ptr<const void> owner, std::uint64_t limit_bytes) {
  Graph graph;
  graph.store().keep(owner);
  ImageCopy(image, graph, limit_bytes).run();
  return graph;
}

}  // namespace mere::graph
