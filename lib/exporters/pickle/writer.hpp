#pragma once
// A graph as a pickle, protocols 2 to 5. Iterative: the depth of a graph costs memory of the heap, no stack.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/export.hpp>
#include "exporters/array_bytes.hpp"
#include "exporters/pickle/stream.hpp"
#include "exporters/reached.hpp"
#include "graph/store.hpp"

namespace mere::exporters::pickle {

struct WriterOptions {
  int protocol = 5;
  bool numpy2_names = false;
  // Arrays of numbers as joblib keeps them: a wrapper in the stream, and right after it the bytes.
  bool joblib_arrays = false;
  std::function<void(const Progress&)> progress;
};

class Writer {
 public:
  // The graph and the sink outlive this.
  Writer(const Graph& graph, NodeId root, os::Sink& sink, const WriterOptions& options);

  // Writes all of it. Throws Error: not_supported, too_large, and what the sink throws.
  void run();
  const Reached& reached() const { return reached_; }

 private:
  // What is left to be done, the next at the end.
  enum class Work : std::uint8_t {
    visit,          // write `node`
    members,        // the members of `node` from `next` on, one after the other
    items,          // ... in batches, to the list on the stack
    additions,      // ... in batches, to the set on the stack
    entries,        // keys and values, in batches, to the dict or object on the stack
    op,             // write `op`
    finish_tuple,   // its members are written
    finish_frozen,  // those of a frozenset; or of a set, before protocol 4
    finish_object,  // `next` operands are on the stack, of which `op` makes `node`
    array_data,     // the elements of `node`, in Fortran order if `next` is not 0
  };
  struct Task {
    Work work;
    Op op;
    NodeId node;
    std::uint64_t next;
  };
  using StoreNode = Graph::Store::Node;

  void step();
  void visit(NodeId id);
  void visit_set(NodeId id, const StoreNode& node);
  void visit_object(NodeId id);
  void visit_call(NodeId id, const ObjectParts& parts);
  void visit_construct(NodeId id, const ObjectParts& parts);
  // Notes that an immutable node is begun, perhaps inside itself. Throws if it could go on so for ever.
  void begin(NodeId id);
  void step_batch(std::size_t task, Op one, Op many, std::uint64_t unit);
  void finish_tuple(NodeId id);
  void finish_frozen(NodeId id);
  void finish_object(const Task& task);
  void write_parts(NodeId id);
  // The members of a state that are arrays in the graph and plain elements in the pickle.
  struct StateElements {
    std::size_t begin = 0, end = 0;
    bool fortran = false;
  };
  std::optional<StateElements> find_state_elements(const ObjectParts& parts) const;

  void push(Work work, NodeId node = kNoNode, std::uint64_t next = 0) {
    tasks_.push_back({work, Op::stop, node, next});
  }
  void push(Op op) { tasks_.push_back({Work::op, op, kNoNode, 0}); }

  // The memo.
  std::uint32_t memoize();
  void memoize(NodeId id) { memo_[id] = memoize(); }
  void memoize_if_shared(NodeId id);
  void recall(std::uint32_t index);
  bool is_known(NodeId id) const { return memo_[id] != kNoMemo; }

  // Leaves.
  void write_integer(std::int64_t value);
  void write_big_integer(std::string_view twos_complement, NodeId blame);
  void write_real(double value);
  void write_text(std::string_view value, NodeId blame);
  void write_bytes(std::string_view value, NodeId blame);
  void write_bytearray(std::string_view value, NodeId blame);
  void write_bool(bool value) { stream_.op(value ? Op::newtrue : Op::newfalse); }
  void write_tuple_end(std::size_t members);
  // A name: from the memo if it was written before.
  void write_name(std::string_view module, std::string_view qualname, NodeId blame);
  void write_known_text(std::string_view value);
  bool write_type_of_constant(std::string_view module, std::string_view qualname, NodeId blame);
  void write_line_name(std::string_view module, std::string_view qualname, NodeId blame);

  // NumPy's (numpy_forms.cpp).
  void write_array(NodeId id);
  void write_object_array(NodeId id, const StoreNode& node);
  void write_joblib_array(NodeId id);
  void write_array_call(NodeId id);
  void write_array_over_buffer(NodeId id, const ArrayBytes& bytes);
  void write_array_data(const ArrayBytes& bytes, NodeId blame);
  void write_scalar(NodeId id, const StoreNode& node);
  void write_store_type(std::uint32_t type, NodeId blame);
  void write_array_type(const ArrayBytes& bytes, NodeId id);
  void write_type(const Dtype& type, NodeId blame);
  void write_type_state(const Dtype& type, NodeId blame);
  void write_fields(const Dtype& type, NodeId blame);
  void write_shape(std::span<const std::int64_t> shape);
  std::string numpy_module(std::string_view rest) const;
  void tell_progress(std::uint64_t bytes);

  // The operations that begin bytes of that length; the bytes are to follow, by stream_.raw() if it is_long().
  void begin_bytes(std::uint64_t size, NodeId blame);
  // Bytes as protocol 2 spells them: a text of as many code points, to be encoded.
  using Pieces = std::function<void(const std::function<void(std::span<const std::byte>)>&)>;
  void write_encoded(std::uint64_t size, const Pieces& pieces, NodeId blame);

  // A pickle by value, its memo shifted (opaque_parts.cpp).
  void write_opaque(NodeId id, const StoreNode& node);

  [[noreturn]] void refuse(NodeId id, const std::string& what) const { throw_unsupported(store_, root_, id, what); }

  static constexpr std::uint32_t kNoMemo = 0xffffffff;

  const Graph& graph_;
  const Graph::Store& store_;
  const NodeId root_;
  WriterOptions options_;
  Reached reached_;
  Stream stream_;
  std::vector<Task> tasks_;
  std::vector<std::uint32_t> memo_;   // by node
  std::vector<std::uint32_t> begun_;  // by node: size of the memo when it was begun last, plus 1
  std::vector<std::uint32_t> type_memo_;
  std::map<std::string, std::uint32_t, std::less<>> known_;  // names and texts that the writer adds
  std::uint32_t memo_size_ = 0;
  std::uint64_t work_left_ = 0;
  std::uint64_t done_bytes_ = 0;
};

}  // namespace mere::exporters::pickle
