#include "importers/pickle/graph_builder.hpp"

#include <algorithm>
#include <complex>
#include <string>
#include <utility>

#include "graph/store.hpp"
#include "importers/pickle/opaque_parts.hpp"

namespace mere::importers::pickle {

namespace {

// Of the state of a masked array, which has seven parts; others have five at most.
constexpr std::size_t kMaskPart = 5;

std::size_t first_array_of(std::span<const ValueId> state) {
  return state.size() > kMaskPart ? kMaskPart - 1 : state.size() - 1;
}

[[noreturn]] void fail(const Call& call, Reason reason, const std::string& what) {
  throw Error(reason, "byte " + std::to_string(call.offset) + " of the pickle: " + what);
}

}  // namespace

Graph GraphBuilder::build() {
  nodes_.assign(values_.size(), kNoNode);
  being_made_.assign(values_.size(), false);
  // A few more are made for what opaque parts and metadata say.
  constexpr std::size_t kMore = 1024;
  graph_.store().nodes.reserve(reached_count_ + kMore);
  bool has_late = false;
  for_each_reached([&](ValueId value) {
    if (is_late(value)) {
      has_late = true;
    } else {
      nodes_[value] = make(value);
    }
  });
  if (has_late) {
    for_each_reached([&](ValueId value) {
      if (!is_late(value) || nodes_[value] != kNoNode) return;
      being_made_[value] = true;
      make_late(value);
    });
  }
  for_each_reached([&](ValueId value) { fill(value); });
  graph_.model_root = nodes_[root_];
  return std::move(graph_);
}

template <class Visit>
void GraphBuilder::for_each_reached(const Visit& visit) const {
  for (std::size_t value = 0; value < reached_flags_.size(); ++value) {
    if (reached_flags_[value]) visit(static_cast<ValueId>(value));
  }
}

template <class Visit>
void GraphBuilder::for_each_part(ValueId value, const Visit& visit) const {
  const auto visit_all = [&](std::span<const ValueId> all) { std::for_each(all.begin(), all.end(), visit); };
  switch (values_.kind(value)) {
    case ValueKind::list:
    case ValueKind::tuple:
    case ValueKind::set:
    case ValueKind::frozenset:
    case ValueKind::dict: visit_all(values_.members(value)); return;
    case ValueKind::call: break;
    default: return;
  }
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  bool state_is_a_part = true;
  switch (meaning(value)) {
    case Meaning::opaque:
    case Meaning::array:
    case Meaning::frombuffer:
    case Meaning::dtype:
    case Meaning::scalar:
    case Meaning::bytes:
    case Meaning::bytearray:
    case Meaning::complex: return;
    case Meaning::set:
    case Meaning::frozenset:
      if (!args.empty()) visit_all(values_.members(args[0]));
      return;
    case Meaning::slice:
    case Meaning::range: visit_all(args); return;
    case Meaning::record_buffer: visit_all(args.subspan(1, 2)); return;
    case Meaning::object_array: visit_all(values_.members(find_array_state(values_, call)->data)); return;
    case Meaning::array_subclass:
    case Meaning::masked_array: {
      // The raw bytes among the state become arrays; args are made anew.
      const ArrayState state = *find_array_state(values_, call);
      visit(call.callable);
      visit_all(args);
      const auto parts = values_.members(call.state);
      const std::size_t data = first_array_of(parts);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != data && i != kMaskPart) visit(parts[i]);
      }
      if (values_.kind(state.data) == ValueKind::list) visit_all(values_.members(state.data));
      if (values_.kind(state.data) == ValueKind::array) visit(state.data);
      state_is_a_part = false;
      break;
    }
    case Meaning::datetime_call:
      visit(call.callable);
      visit_all(args);
      break;
    case Meaning::reconstructed:
      if (call.known == Known::newobj_ex) {
        visit(args[0]);
        visit(args[1]);
        visit(args[2]);
      } else if (call.known == Known::newobj) {
        visit_all(args);
      } else {
        visit(args[0]);
      }
      break;
    case Meaning::plain_call:
    case Meaning::plain_object:
      visit(call.callable);
      visit(call.args);
      break;
  }
  for (const ValueId part : {call.kwargs, call.items, call.entries, call.setter}) {
    if (part != kNoValue) visit(part);
  }
  if (state_is_a_part && call.state != kNoValue) visit(call.state);
}

void GraphBuilder::find_parts(ValueId root) {
  root_ = root;
  reached_flags_.assign(values_.size(), false);
  meanings_.resize(values_.call_count());
  std::vector<ValueId> waiting{root};
  reached_flags_[root] = true;
  while (!waiting.empty()) {
    const ValueId value = waiting.back();
    waiting.pop_back();
    ++reached_count_;
    if (values_.kind(value) == ValueKind::call) {
      meanings_[values_.call_number(value)] = meaning_of(values_, types_, values_.call_of(value));
      if (meaning(value) == Meaning::opaque) opaque_parts_.push_back(value);
    }
    for_each_part(value, [&](ValueId part) {
      if (reached_flags_[part]) return;
      reached_flags_[part] = true;
      waiting.push_back(part);
    });
  }
  std::sort(opaque_parts_.begin(), opaque_parts_.end());
}

bool GraphBuilder::is_late(ValueId value) const {
  if (values_.kind(value) != ValueKind::call) return false;
  const Meaning what = meaning(value);
  return what == Meaning::slice || what == Meaning::range || what == Meaning::object_array;
}

NodeId GraphBuilder::make(ValueId value) {
  switch (values_.kind(value)) {
    case ValueKind::none: return graph_.null();
    case ValueKind::boolean: return graph_.boolean(values_.integer_of(value) != 0);
    case ValueKind::integer: return graph_.integer(values_.integer_of(value));
    case ValueKind::big_integer: return graph_.big_integer(values_.bytes_of(value));
    case ValueKind::real: return graph_.real(values_.real_of(value));
    case ValueKind::text: return graph_.text(values_.text_of(value));
    case ValueKind::bytes: return graph_.bytes(values_.bytes_of(value));
    case ValueKind::bytearray: return graph_.bytearray(values_.bytes_of(value));
    case ValueKind::list: return graph_.reserve(Kind::list);
    case ValueKind::tuple: return graph_.reserve(Kind::tuple);
    case ValueKind::set: return graph_.reserve(Kind::set);
    case ValueKind::frozenset: return graph_.reserve(Kind::frozenset);
    case ValueKind::dict: return graph_.reserve(Kind::dict);
    case ValueKind::global: {
      const Global& global = values_.global_of(value);
      if (global.known == Known::ellipsis) return graph_.ellipsis();
      return graph_.name(global.name.module, global.name.qualname);
    }
    case ValueKind::array: return arrays_.from_raw(values_.array_of(value));
    case ValueKind::call: return make_call(value);
  }
  return kNoNode;
}

NodeId GraphBuilder::make_call(ValueId value) {
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  switch (meaning(value)) {
    case Meaning::opaque: return make_opaque(values_, value, graph_, opaque_bytes_left_);
    case Meaning::array: return arrays_.from_state(call);
    case Meaning::frombuffer: return arrays_.from_buffer(call);
    case Meaning::dtype: return graph_.dtype(types_.dtype(value, call.offset));
    case Meaning::scalar: {
      const Dtype type = types_.dtype(args[0], call.offset);
      const RawBytes raw = *find_meant_bytes(values_, args[1]);
      if (raw.bytes.size() != type.itemsize()) {
        fail(call, Reason::bad_record,
             "a scalar of " + type.to_text() + " from " + std::to_string(raw.bytes.size()) + " bytes");
      }
      return graph_.scalar(type, raw.bytes);
    }
    case Meaning::bytes: return graph_.bytes(find_raw_bytes(values_, value)->bytes);
    case Meaning::bytearray: return graph_.bytearray(find_raw_bytes(values_, value)->bytes);
    case Meaning::complex: return graph_.complex({values_.real_of(args[0]), values_.real_of(args[1])});
    case Meaning::set: return graph_.reserve(Kind::set);
    case Meaning::frozenset: return graph_.reserve(Kind::frozenset);
    default: return graph_.reserve_object();
  }
}

// Slices, ranges and arrays of objects are made whole, after what they hold; only these can hold each other, so that
// the order is found by a search among them.
void GraphBuilder::make_late(ValueId first) {
  struct Step {
    ValueId value;
    std::size_t next;
  };
  std::vector<Step> steps{{first, 0}};
  while (!steps.empty()) {
    const ValueId value = steps.back().value;
    const auto parts = late_parts(value);
    ValueId inner = kNoValue;
    while (inner == kNoValue && steps.back().next < parts.size()) {
      const ValueId part = parts[steps.back().next++];
      if (is_late(part) && nodes_[part] == kNoNode) inner = part;
    }
    if (inner != kNoValue) {
      if (being_made_[inner])
        fail(values_.call_of(inner), Reason::bad_record, "an array of objects that is an element of itself");
      being_made_[inner] = true;
      steps.push_back({inner, 0});
      continue;
    }
    nodes_[value] = make_late_one(value, parts);
    steps.pop_back();
  }
}

std::span<const ValueId> GraphBuilder::late_parts(ValueId value) const {
  const Call& call = values_.call_of(value);
  if (meaning(value) == Meaning::object_array) return values_.members(find_array_state(values_, call)->data);
  return values_.members(call.args);
}

NodeId GraphBuilder::make_late_one(ValueId value, std::span<const ValueId> parts) {
  const Call& call = values_.call_of(value);
  const std::span<const NodeId> ids = nodes_of(parts);
  if (meaning(value) == Meaning::slice) return graph_.slice(ids[0], ids[1], ids[2]);
  if (meaning(value) == Meaning::range) return graph_.range(ids[0], ids[1], ids[2]);
  return arrays_.of_objects(call, ids);
}

void GraphBuilder::fill(ValueId value) {
  switch (values_.kind(value)) {
    case ValueKind::list:
    case ValueKind::tuple:
    case ValueKind::set:
    case ValueKind::frozenset:
    case ValueKind::dict: {
      const auto members = values_.members(value);
      if (!members.empty()) graph_.fill(nodes_[value], nodes_of(members));
      return;
    }
    case ValueKind::call: fill_call(value); return;
    default: return;
  }
}

void GraphBuilder::fill_call(ValueId value) {
  const Call& call = values_.call_of(value);
  const Meaning what = meaning(value);
  const auto args = values_.members(call.args);
  ObjectParts parts{.kwargs = unless_empty(call.kwargs),
                    .items = node(call.items),
                    .entries = node(call.entries),
                    .setter = node(call.setter)};
  ObjectForm form = ObjectForm::construct;
  switch (what) {
    case Meaning::set:
    case Meaning::frozenset:
      if (!args.empty()) graph_.fill(nodes_[value], nodes_of(values_.members(args[0])));
      return;
    case Meaning::plain_call: form = ObjectForm::call; [[fallthrough]];
    case Meaning::plain_object:
      parts.type = node(call.callable);
      parts.args = unless_empty(call.args);
      parts.state = node(call.state);
      break;
    case Meaning::reconstructed:
      parts.type = node(args[0]);
      parts.state = node(call.state);
      if (call.known == Known::newobj && args.size() > 1) parts.args = graph_.tuple(nodes_of(args.subspan(1)));
      if (call.known == Known::newobj_ex) {
        parts.args = unless_empty(args[1]);
        parts.kwargs = unless_empty(args[2]);
      }
      break;
    case Meaning::array_subclass:
    case Meaning::masked_array:
      form = ObjectForm::call;
      parts.type = node(call.callable);
      parts.args = filled_args(call, what);
      parts.state = filled_state(call);
      break;
    case Meaning::record_buffer: {
      // As protocols 0 to 4 write it.
      form = ObjectForm::call;
      const bool old = values_.global_of(call.callable).name.module == "numpy.core.numeric";
      parts.type = graph_.name(old ? "numpy.core.multiarray" : "numpy._core.multiarray", "_reconstruct");
      const NodeId zero = graph_.integer(0);
      const NodeId made_args[] = {graph_.name("numpy", "ndarray"), graph_.tuple({&zero, 1}),
                                  graph_.bytes(std::as_bytes(std::span("b", 1)))};
      parts.args = graph_.tuple(made_args);
      const bool fortran = values_.kind(args[3]) == ValueKind::text && values_.text_of(args[3]) == "F";
      const NodeId made_state[] = {graph_.integer(1), node(args[2]), node(args[1]), graph_.boolean(fortran),
                                   arrays_.from_buffer(call)};
      parts.state = graph_.tuple(made_state);
      break;
    }
    case Meaning::datetime_call:
      form = ObjectForm::call;
      parts.type = node(call.callable);
      parts.args = filled_args(call, what);
      parts.state = node(call.state);
      break;
    default: return;
  }
  graph_.fill_object(nodes_[value], form, parts);
}

// A state with arrays in the place of raw bytes.
NodeId GraphBuilder::filled_state(const Call& call) {
  const ArrayState state = *find_array_state(values_, call);
  const auto state_parts = values_.members(call.state);
  const bool objects = values_.kind(state.data) == ValueKind::list;
  const std::size_t data = first_array_of(state_parts);
  const NodeId array = values_.kind(state.data) == ValueKind::array ? node(state.data)
                       : objects ? arrays_.of_objects(call, nodes_of(values_.members(state.data)))
                                 : arrays_.from_state(call);
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < state_parts.size(); ++i) {
    ids.push_back(i == data ? array : i == kMaskPart ? arrays_.mask(call) : node(state_parts[i]));
  }
  return graph_.tuple(ids);
}

// The arguments, with bytes where Python 2 wrote them as a str: the type code of _reconstruct, a date.
NodeId GraphBuilder::filled_args(const Call& call, Meaning meaning) {
  const auto args = values_.members(call.args);
  const std::size_t bytes = meaning == Meaning::datetime_call    ? 0
                            : meaning == Meaning::array_subclass ? 2
                                                                 : args.size();
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto raw =
        i == bytes && values_.kind(args[i]) == ValueKind::text ? find_meant_bytes(values_, args[i]) : std::nullopt;
    ids.push_back(raw ? graph_.bytes(raw->bytes) : node(args[i]));
  }
  return graph_.tuple(ids);
}

std::span<const NodeId> GraphBuilder::nodes_of(std::span<const ValueId> values) {
  scratch_.clear();
  for (const ValueId value : values) scratch_.push_back(nodes_[value]);
  return scratch_;
}

// Empty arguments are as good as none.
NodeId GraphBuilder::unless_empty(ValueId container) const {
  return container == kNoValue || values_.members(container).empty() ? kNoNode : nodes_[container];
}

}  // namespace mere::importers::pickle
