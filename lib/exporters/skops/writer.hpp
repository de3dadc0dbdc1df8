#pragma once
// A graph as a skops file (skops/io, protocol 2): a zip archive of arrays and other bytes, and schema.json, which says
// by loader names how each object is made. Iterative. What skops has no loader for is refused by its path.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <mere/export.hpp>
#include "container/zip_writer.hpp"
#include "exporters/reached.hpp"
#include "graph/store.hpp"

namespace mere::exporters::skops {

class Writer {
 public:
  // `level` as of container::ZipWriter. The graph and the sink outlive this.
  Writer(const Graph& graph, NodeId root, os::Sink& sink, int level, std::function<void(const Progress&)> progress);
  // Throws Error: not_supported, and what the sink throws.
  void run();
  const Reached& reached() const { return reached_; }

 private:
  using StoreNode = Graph::Store::Node;
  enum class Work : std::uint8_t {
    emit,     // write `text`
    visit,    // write `node`
    members,  // `node`'s members from `next` to `end`, with commas between them
    entries,  // `node`'s entries from `next` on
    rows,     // rows of an array of objects: `next` of the first element, of dimension `depth`
    leave,    // `node` is written
  };
  struct Task {
    Work work = Work::emit;
    NodeId node = kNoNode;
    std::uint64_t next = 0, end = 0;
    std::size_t depth = 0;
    std::string text{};
  };

  void step();
  void visit(NodeId id);
  // Notes that the node is begun; it is done when all that is pushed after this is. Throws if it is inside itself.
  void enter(NodeId id);
  void push_emit(std::string text) { tasks_.push_back({.work = Work::emit, .text = std::move(text)}); }
  void push_visit(NodeId id) { tasks_.push_back({.work = Work::visit, .node = id}); }
  void push_members(NodeId id, std::uint64_t begin = 0);

  // `{"__class__": ..., "__id__": ...`, without the closing brace.
  void open(std::string_view type, std::string_view module, std::string_view loader, std::uint64_t id);
  void open_named(NodeId name, std::string_view loader, std::uint64_t id);
  std::uint64_t id_of(NodeId id) const { return std::uint64_t{id} + 1; }
  std::uint64_t new_id() { return next_id_++; }

  void write_json_leaf(const std::string& json, NodeId id);
  void write_name(NodeId id);
  void write_sequence(NodeId id, std::string_view type, std::string_view module, std::string_view loader);
  void write_file(NodeId id, std::string_view loader, std::string_view type);
  void write_slice(NodeId id);
  void write_dict(NodeId dict, std::string_view type, std::string_view module, std::uint64_t id);
  void write_key_types(NodeId dict);
  std::string key_text(NodeId key, std::string& type, std::string& module);
  void step_entries(std::size_t task);
  void write_array(NodeId id, std::string_view type, std::string_view module, NodeId as);
  void write_object_array(NodeId id, std::string_view type, std::string_view module, NodeId as);
  void step_rows(std::size_t task);
  void write_scalar(NodeId id);
  void write_dtype(NodeId id);

  void write_object(NodeId id);
  void write_construct(NodeId id, const ObjectParts& parts);
  void write_call(NodeId id, const ObjectParts& parts);
  bool write_known_call(NodeId id, const ObjectParts& parts, std::string_view module, std::string_view name);
  void write_content_object(NodeId id, NodeId type, std::string_view loader, NodeId content);
  void write_reduced(NodeId id, NodeId type, std::string_view loader, NodeId args, NodeId content);
  void write_from_args(NodeId id, const ObjectParts& parts);
  void write_method(NodeId id, const ObjectParts& parts);
  void write_partial(NodeId id, const ObjectParts& parts);
  void write_masked_array(NodeId id, const ObjectParts& parts);
  void write_default_dict(NodeId id, const ObjectParts& parts);
  void write_empty_dict();
  void write_empty_tuple();
  bool write_sparse(NodeId id, const ObjectParts& parts, std::string_view module, std::string_view name);
  bool write_generator(NodeId id, const ObjectParts& parts);

  std::span<const NodeId> args_of(const ObjectParts& parts) const;
  NodeId find(NodeId dict, std::string_view key) const;  // kNoNode if absent
  bool says_nothing(NodeId state) const;
  bool is_new_bunch(NodeId state) const;
  std::string npy_of(NodeId id) const;  // the header; throws with the path
  void tell_progress(std::uint64_t bytes);

  [[noreturn]] void refuse(NodeId id, const std::string& what) const { throw_unsupported(store_, root_, id, what); }

  const Graph& graph_;
  const Graph::Store& store_;
  const NodeId root_;
  const Reached reached_;
  container::ZipWriter zip_;
  std::function<void(const Progress&)> progress_;
  std::string schema_;
  std::vector<Task> tasks_;
  enum class State : std::uint8_t { no, inside, written };
  std::vector<State> states_;  // by node
  std::uint64_t next_id_;
  std::uint64_t done_bytes_ = 0;
};

// A text as Python's json.dumps writes it: ASCII, other characters and lone surrogates as \uXXXX.
std::string ascii_json(std::string_view text);

}  // namespace mere::exporters::skops
