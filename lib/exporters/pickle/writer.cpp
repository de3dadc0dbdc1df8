#include "exporters/pickle/writer.hpp"

#include <algorithm>
#include <bit>

#include "graph/big_integer.hpp"

namespace mere::exporters::pickle {

namespace {

constexpr std::uint64_t kBatch = 1000;       // as CPython
constexpr std::size_t kShortestShared = 4;   // bytes of a text that is worth a place in the memo
constexpr std::uint64_t kWorkPerNode = 100;  // tuples that hold themselves are written more than once

const std::string kMethod = "method";

}  // namespace

Writer::Writer(const Graph& graph, NodeId root, os::Sink& sink, const WriterOptions& options)
    : graph_(graph),
      store_(graph.store()),
      root_(root),
      options_(options),
      reached_(find_reached(store_, root)),
      stream_(sink, options.protocol),
      memo_(store_.nodes.size(), kNoMemo),
      begun_(store_.nodes.size(), 0),
      type_memo_(store_.types.size(), kNoMemo),
      work_left_((reached_.nodes + reached_.links + 1000) * kWorkPerNode) {}

void Writer::run() {
  push(Work::visit, root_);
  while (!tasks_.empty()) {
    if (work_left_-- == 0) {
      throw Error(Reason::too_large, "a graph whose tuples hold themselves too often to be written as a pickle");
    }
    step();
  }
  stream_.finish();
}

void Writer::step() {
  const Task task = tasks_.back();
  switch (task.work) {
    case Work::members: {
      const auto links = store_.links_of(store_.nodes[task.node]);
      if (task.next == links.size()) {
        tasks_.pop_back();
      } else {
        ++tasks_.back().next;
        visit(links[static_cast<std::size_t>(task.next)]);
      }
      return;
    }
    case Work::items: step_batch(tasks_.size() - 1, Op::append, Op::appends, 1); return;
    case Work::additions: step_batch(tasks_.size() - 1, Op::additems, Op::additems, 1); return;
    case Work::entries: step_batch(tasks_.size() - 1, Op::setitem, Op::setitems, 2); return;
    default: break;
  }
  tasks_.pop_back();
  switch (task.work) {
    case Work::visit: visit(task.node); return;
    case Work::op: stream_.op(task.op); return;
    case Work::finish_tuple: finish_tuple(task.node); return;
    case Work::finish_frozen: finish_frozen(task.node); return;
    case Work::finish_object: finish_object(task); return;
    case Work::array_data:
      if ((store_.nodes[task.node].flags & Graph::Store::kObjects) != 0) {
        stream_.op(Op::empty_list);
        push(Work::items, task.node);
      } else {
        write_array_data(ArrayBytes(store_, task.node, task.next != 0), task.node);
      }
      return;
    default: return;
  }
}

void Writer::step_batch(std::size_t task, Op one, Op many, std::uint64_t unit) {
  const auto links = store_.links_of(store_.nodes[tasks_[task].node]);
  const std::uint64_t count = links.size() / unit;
  const std::uint64_t next = tasks_[task].next++;
  const auto is_single = [&](std::uint64_t first) { return one != many && count - first == 1; };
  if (next % kBatch == 0 || next == count) {
    if (next != 0) stream_.op(is_single((next - 1) / kBatch * kBatch) ? one : many);
    if (next == count) {
      tasks_.pop_back();
      return;
    }
    if (!is_single(next)) stream_.op(Op::mark);
  }
  const std::size_t at = static_cast<std::size_t>(next * unit);
  if (unit == 2) push(Work::visit, links[at + 1]);
  visit(links[at]);
}

void Writer::visit(NodeId id) {
  if (is_known(id)) return recall(memo_[id]);
  const StoreNode& node = store_.nodes[id];
  switch (node.kind) {
    case Kind::null: stream_.op(Op::none); return;
    case Kind::boolean: write_bool(node.b != 0); return;
    case Kind::integer:
      if ((node.flags & Graph::Store::kBig) != 0) {
        write_big_integer(store_.text_of(node), id);
      } else {
        write_integer(static_cast<std::int64_t>(node.b));
      }
      return;
    case Kind::real: write_real(std::bit_cast<double>(node.b)); return;
    case Kind::complex: {
      double parts[2];
      std::memcpy(parts, store_.text_of(node).data(), sizeof parts);
      write_name("builtins", "complex", id);
      write_real(parts[0]);
      write_real(parts[1]);
      stream_.op(Op::tuple2);
      stream_.op(Op::reduce);
      memoize(id);
      return;
    }
    case Kind::text:
      write_text(store_.text_of(node), id);
      if (store_.byte_count(node) >= kShortestShared) memoize_if_shared(id);
      return;
    case Kind::bytes:
      write_bytes(store_.text_of(node), id);
      stream_.protocol() < 3 ? memoize(id) : memoize_if_shared(id);
      return;
    case Kind::bytearray:
      write_bytearray(store_.text_of(node), id);
      memoize(id);
      return;
    case Kind::ellipsis: write_name("builtins", "Ellipsis", id); return;
    case Kind::name: {
      const auto [module, qualname] = graph_.name_value(id);
      write_name(module, qualname, id);
      return;
    }
    case Kind::scalar: write_scalar(id, node); return;
    case Kind::dtype: write_store_type(node.a, id); return;
    case Kind::list:
      stream_.op(Op::empty_list);
      memoize(id);
      push(Work::items, id);
      return;
    case Kind::dict:
      stream_.op(Op::empty_dict);
      memoize(id);
      push(Work::entries, id);
      return;
    case Kind::tuple:
      if (store_.link_count(node) == 0) {
        stream_.op(Op::empty_tuple);
        return;
      }
      begin(id);
      if (store_.link_count(node) > 3) stream_.op(Op::mark);
      push(Work::finish_tuple, id);
      push(Work::members, id);
      return;
    case Kind::set:
    case Kind::frozenset: visit_set(id, node); return;
    case Kind::slice:
    case Kind::range:
      begin(id);
      write_name("builtins", node.kind == Kind::slice ? "slice" : "range", id);
      tasks_.push_back({Work::finish_object, Op::tuple3, id, 4});
      push(Work::members, id);
      return;
    case Kind::array:
      if ((node.flags & Graph::Store::kObjects) != 0) {
        write_object_array(id, node);
      } else if (options_.joblib_arrays) {
        write_joblib_array(id);
      } else {
        write_array(id);
      }
      return;
    case Kind::object: visit_object(id); return;
    case Kind::opaque: write_opaque(id, node); return;
  }
}

void Writer::visit_set(NodeId id, const StoreNode& node) {
  const bool frozen = node.kind == Kind::frozenset;
  if (stream_.protocol() >= 4 && !frozen) {
    stream_.op(Op::empty_set);
    memoize(id);
    if (store_.link_count(node) != 0) push(Work::additions, id);
    return;
  }
  begin(id);
  push(Work::finish_frozen, id);
  if (stream_.protocol() >= 4) {
    stream_.op(Op::mark);
    push(Work::members, id);
  } else {
    write_name("builtins", frozen ? "frozenset" : "set", id);
    stream_.op(Op::empty_list);
    push(Work::items, id);
  }
}

void Writer::visit_object(NodeId id) {
  const ObjectParts parts = graph_.object_parts(id);
  const auto [module, qualname] = graph_.name_value(parts.type);
  switch (graph_.object_form(id)) {
    case ObjectForm::record: refuse(id, "a C++ record (" + std::string(qualname) + ") has no form in a pickle");
    case ObjectForm::construct:
      begin(id);
      visit_construct(id, parts);
      return;
    case ObjectForm::call:
      begin(id);
      visit_call(id, parts);
      return;
  }
}

// Tasks are begun from the last: arguments are written before what is made of them.
void Writer::visit_construct(NodeId id, const ObjectParts& parts) {
  const auto [module, qualname] = graph_.name_value(parts.type);
  const auto visit_args = [&] {
    if (parts.args == kNoNode) {
      stream_.op(Op::empty_tuple);
    } else {
      visit(parts.args);
    }
  };
  const bool method = module == "builtins" && qualname == kMethod && parts.args != kNoNode &&
                      store_.link_count(store_.nodes[parts.args]) == 2 && parts.kwargs == kNoNode;
  if (method) {
    // A bound method: what getattr() gives.
    write_name("builtins", "getattr", id);
    tasks_.push_back({Work::finish_object, Op::reduce, id, 2});
    visit(parts.args);
    return;
  }
  if (parts.kwargs == kNoNode) {
    write_name(module, qualname, parts.type);
    tasks_.push_back({Work::finish_object, Op::newobj, id, 2});
    visit_args();
    return;
  }
  // Before protocol 4 a function of copyreg does it.
  const bool own_op = stream_.protocol() >= 4;
  if (!own_op) write_name("copyreg", "__newobj_ex__", id);
  write_name(module, qualname, parts.type);
  tasks_.push_back({Work::finish_object, own_op ? Op::newobj_ex : Op::tuple3, id, own_op ? std::uint64_t{3} : 4});
  push(Work::visit, parts.kwargs);
  visit_args();
}

void Writer::visit_call(NodeId id, const ObjectParts& parts) {
  if (parts.kwargs != kNoNode && store_.link_count(store_.nodes[parts.kwargs]) != 0) {
    refuse(id, "a call with keyword arguments has no form in a pickle");
  }
  const auto [module, qualname] = graph_.name_value(parts.type);
  if (module == "operator" && qualname == "call" && parts.args != kNoNode &&
      store_.link_count(store_.nodes[parts.args]) != 0) {
    // A call of what is no name: REDUCE takes it from the stack.
    const NodeId callee = store_.links_of(store_.nodes[parts.args])[0];
    if (store_.nodes[callee].kind == Kind::object || store_.nodes[callee].kind == Kind::opaque) {
      tasks_.push_back({Work::finish_object, Op::reduce, id, 2});
      push(Op::tuple);
      push(Work::members, parts.args, 1);
      push(Op::mark);
      visit(callee);
      return;
    }
  }
  write_name(module, qualname, parts.type);
  tasks_.push_back({Work::finish_object, Op::reduce, id, 2});
  if (parts.args == kNoNode) {
    stream_.op(Op::empty_tuple);
  } else {
    visit(parts.args);
  }
}

void Writer::begin(NodeId id) {
  // Inside of itself it is written again, until something mutable on the way is in the memo and ends it.
  if (begun_[id] == memo_size_ + 1) {
    refuse(id, "it holds itself through nothing but tuples and arguments, which no pickle can make");
  }
  begun_[id] = memo_size_ + 1;
}

void Writer::finish_tuple(NodeId id) {
  const std::uint64_t count = store_.link_count(store_.nodes[id]);
  // Written inside of its own members meanwhile: that one it is.
  if (is_known(id)) {
    if (count > 3) {
      stream_.op(Op::pop_mark);
    } else {
      for (std::uint64_t i = 0; i < count; ++i) stream_.op(Op::pop);
    }
    return recall(memo_[id]);
  }
  write_tuple_end(static_cast<std::size_t>(count));
  memoize_if_shared(id);
}

void Writer::write_tuple_end(std::size_t members) {
  constexpr Op ops[] = {Op::empty_tuple, Op::tuple1, Op::tuple2, Op::tuple3, Op::tuple};
  stream_.op(ops[std::min<std::size_t>(members, 4)]);
}

void Writer::finish_frozen(NodeId id) {
  const bool own_op = stream_.protocol() >= 4;
  if (is_known(id)) {
    stream_.op(own_op ? Op::pop_mark : Op::pop);
    if (!own_op) stream_.op(Op::pop);
    return recall(memo_[id]);
  }
  if (own_op) {
    stream_.op(Op::frozenset);
    memoize_if_shared(id);
  } else {
    stream_.op(Op::tuple1);
    stream_.op(Op::reduce);
    memoize(id);
  }
}

void Writer::finish_object(const Task& task) {
  if (is_known(task.node)) {
    for (std::uint64_t i = 0; i < task.next; ++i) stream_.op(Op::pop);
    return recall(memo_[task.node]);
  }
  stream_.op(task.op);
  if (task.op == Op::tuple3) stream_.op(Op::reduce);
  memoize(task.node);
  if (store_.nodes[task.node].kind == Kind::object) write_parts(task.node);
}

// Of the object on the stack: items, entries, then state, as pickle writes them.
void Writer::write_parts(NodeId id) {
  const ObjectParts parts = graph_.object_parts(id);
  if (parts.setter != kNoNode) {
    if (parts.state == kNoNode) refuse(id, "a setter of a state that is not there");
    push(Op::pop);
    push(Op::reduce);
    push(Op::tuple2);
    push(Work::visit, parts.state);
    push(Work::visit, id);
    push(Work::visit, parts.setter);
  } else if (parts.state != kNoNode) {
    push(Op::build);
    if (const auto elements = find_state_elements(parts)) {
      const auto state = store_.links_of(store_.nodes[parts.state]);
      push(Op::tuple);
      for (std::size_t i = state.size(); i-- > 0;) {
        if (i >= elements->begin && i < elements->end) {
          push(Work::array_data, state[i], elements->fortran ? 1 : 0);
        } else {
          push(Work::visit, state[i]);
        }
      }
      push(Op::mark);
    } else {
      push(Work::visit, parts.state);
    }
  }
  if (parts.entries != kNoNode) push(Work::entries, parts.entries);
  if (parts.items != kNoNode) push(Work::items, parts.items);
}

// Arrays of classes of their own have states in which NumPy wants bytes or lists where the graph has arrays.
std::optional<Writer::StateElements> Writer::find_state_elements(const ObjectParts& parts) const {
  const auto [module, qualname] = graph_.name_value(parts.type);
  const StoreNode& state = store_.nodes[parts.state];
  if (state.kind != Kind::tuple) return std::nullopt;
  StateElements elements;
  std::size_t order = 0;
  if (qualname == "_reconstruct" && (module == "numpy.core.multiarray" || module == "numpy._core.multiarray") &&
      (store_.link_count(state) == 4 || store_.link_count(state) == 5)) {
    order = static_cast<std::size_t>(store_.link_count(state)) - 2;
    elements = {order + 1, order + 2, false};
  } else if (qualname == "_mareconstruct" && module == "numpy.ma.core" && store_.link_count(state) == 7) {
    order = 3;
    elements = {order + 1, order + 3, false};
  } else {
    return std::nullopt;
  }
  const auto members = store_.links_of(state);
  const StoreNode& fortran = store_.nodes[members[order]];
  if (fortran.kind != Kind::boolean && fortran.kind != Kind::integer) return std::nullopt;
  for (std::size_t i = elements.begin; i < elements.end; ++i) {
    if (store_.nodes[members[i]].kind != Kind::array) return std::nullopt;
  }
  elements.fortran = fortran.b != 0;
  return elements;
}

std::uint32_t Writer::memoize() {
  if (stream_.protocol() >= 4) {
    stream_.op(Op::memoize);
  } else if (memo_size_ < 256) {
    stream_.op(Op::binput);
    stream_.number(static_cast<std::uint8_t>(memo_size_));
  } else {
    stream_.op(Op::long_binput);
    stream_.number(memo_size_);
  }
  if (memo_size_ == kNoMemo - 1) throw Error(Reason::too_large, "a pickle of more than 2^32 - 2 shared objects");
  return memo_size_++;
}

void Writer::memoize_if_shared(NodeId id) {
  if (reached_.references[id] > 1) memoize(id);
}

void Writer::recall(std::uint32_t index) {
  if (index < 256) {
    stream_.op(Op::binget);
    stream_.number(static_cast<std::uint8_t>(index));
  } else {
    stream_.op(Op::long_binget);
    stream_.number(index);
  }
}

}  // namespace mere::exporters::pickle
