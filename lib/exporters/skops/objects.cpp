// Objects in skops files: which loader makes one again, as far as skops has one.

#include <algorithm>
#include <array>
#include <set>

#include "container/npy.hpp"
#include "exporters/array_bytes.hpp"
#include "exporters/skops/writer.hpp"

namespace mere::exporters::skops {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// scikit-learn's losses, for which skops has a loader.
bool is_sgd_loss(std::string_view module, std::string_view name) {
  static const std::set<std::string_view> kLosses = {
      "EpsilonInsensitive",        "Hinge", "ModifiedHuber", "SquaredHinge",
      "SquaredEpsilonInsensitive", "Huber", "Log",           "SquaredLoss"};
  return module == "sklearn.linear_model._sgd_fast" && kLosses.count(name) != 0;
}

}  // namespace

std::span<const NodeId> Writer::args_of(const ObjectParts& parts) const {
  return parts.args == kNoNode ? std::span<const NodeId>() : store_.links_of(store_.nodes[parts.args]);
}

NodeId Writer::find(NodeId dict, std::string_view key) const {
  const StoreNode& node = store_.nodes[dict];
  if (node.kind != Kind::dict) return kNoNode;
  const auto links = store_.links_of(node);
  for (std::size_t i = 0; i < links.size(); i += 2) {
    const StoreNode& name = store_.nodes[links[i]];
    if (name.kind == Kind::text && store_.text_of(name) == key) return links[i + 1];
  }
  return kNoNode;
}

void Writer::write_object(NodeId id) {
  const ObjectParts parts = graph_.object_parts(id);
  if (parts.setter != kNoNode) refuse(id, "a setter of its own sets its state, which skops does not keep");
  if (parts.kwargs != kNoNode && store_.link_count(store_.nodes[parts.kwargs]) != 0) {
    refuse(id, "it is made with keyword arguments, which skops does not keep");
  }
  switch (graph_.object_form(id)) {
    case ObjectForm::record: refuse(id, "a C++ record has no form in a skops file");
    case ObjectForm::construct: return write_construct(id, parts);
    case ObjectForm::call: return write_call(id, parts);
  }
}

bool Writer::says_nothing(NodeId state) const {
  if (state == kNoNode || store_.nodes[state].kind == Kind::null) return true;
  return store_.nodes[state].kind == Kind::dict && store_.link_count(store_.nodes[state]) == 0;
}

// scikit-learn's Bunch makes itself a dict of deprecated keys; if that is empty, nothing is lost with it.
bool Writer::is_new_bunch(NodeId state) const {
  const StoreNode& node = store_.nodes[state];
  if (node.kind != Kind::dict || store_.link_count(node) != 2) return false;
  return find(state, "_deprecated_key_to_warnings") != kNoNode && says_nothing(store_.links_of(node)[1]);
}

void Writer::write_construct(NodeId id, const ObjectParts& parts) {
  const auto [module, name] = graph_.name_value(parts.type);
  if (module == "builtins" && name == "method" && args_of(parts).size() == 2) return write_method(id, parts);
  if (starts_with(module, "scipy.sparse") && write_sparse(id, parts, module, name)) return;
  const bool has_args = !args_of(parts).empty();
  const bool empty_state = says_nothing(parts.state) ||
                           (name == "Bunch" && starts_with(module, "sklearn.utils") && is_new_bunch(parts.state));
  if (parts.entries != kNoNode && parts.items == kNoNode && !has_args && empty_state) {
    enter(id);
    const auto [type_module, type_name] = graph_.name_value(parts.type);
    return write_dict(parts.entries, type_name, type_module, id_of(id));
  }
  if (parts.items != kNoNode && parts.entries == kNoNode && !has_args && empty_state) {
    open_named(parts.type, "ListNode", id_of(id));
    enter(id);
    schema_ += ", \"content\": [";
    push_emit("]}");
    push_members(parts.items);
    return;
  }
  if (parts.items != kNoNode || parts.entries != kNoNode) {
    refuse(id, "a container with attributes of its own, for which skops has no loader");
  }
  if (has_args) {
    if (!empty_state) refuse(id, "it is made from arguments and a state, for which skops has no loader");
    return write_from_args(id, parts);
  }
  if (parts.state != kNoNode && store_.nodes[parts.state].kind != Kind::dict &&
      store_.nodes[parts.state].kind != Kind::null) {
    refuse(id, "its state is no dict, for which skops has no loader");
  }
  write_content_object(id, parts.type, "ObjectNode", parts.state);
}

void Writer::write_call(NodeId id, const ObjectParts& parts) {
  const auto [module, name] = graph_.name_value(parts.type);
  if (write_known_call(id, parts, module, name)) return;
  const bool empty_state = parts.state == kNoNode || store_.nodes[parts.state].kind == Kind::null;
  if (!empty_state || parts.items != kNoNode || parts.entries != kNoNode) {
    refuse(id, std::string(module) + "." + std::string(name) + " and a state, for which skops has no loader");
  }
  if (module == "operator" && (name == "attrgetter" || name == "itemgetter" || name == "methodcaller")) {
    open_named(parts.type, "OperatorFuncNode", id_of(id));
    enter(id);
    schema_ += ", \"attrs\": ";
    push_emit("}");
    if (parts.args == kNoNode) return write_empty_tuple();
    push_visit(parts.args);
    return;
  }
  write_from_args(id, parts);
}

bool Writer::write_known_call(NodeId id, const ObjectParts& parts, std::string_view module, std::string_view name) {
  const auto args = args_of(parts);
  const auto is_name = [&](std::size_t i) { return i < args.size() && store_.nodes[args[i]].kind == Kind::name; };
  const auto class_named = [&](std::string_view wanted) {
    return is_name(0) && graph_.name_value(args[0]).second == wanted;
  };
  if (module == "sklearn.tree._tree" && name == "Tree" && parts.state != kNoNode) {
    write_reduced(id, parts.type, "TreeNode", parts.args, parts.state);
    return true;
  }
  if (is_sgd_loss(module, name) && parts.state == kNoNode) {
    write_reduced(id, parts.type, "LossNode", parts.args, kNoNode);
    return true;
  }
  // Cython's classes: (class, checksum, state or None). skops has a loader for the losses among them.
  if (starts_with(name, "__pyx_unpickle_") && starts_with(module, "sklearn._loss") && is_name(0) && args.size() == 3) {
    const bool apart = parts.state != kNoNode;
    write_reduced(id, args[0], "LossNode", apart ? kNoNode : args[2], apart ? parts.state : kNoNode);
    return true;
  }
  if (name == "newObj" && is_name(0) && args.size() == 1 && starts_with(module, "sklearn.")) {
    write_content_object(id, args[0], "ObjectNode", parts.state);
    return true;
  }
  if ((module == "numpy.core.multiarray" || module == "numpy._core.multiarray") && name == "_reconstruct") {
    const StoreNode* const state = parts.state == kNoNode ? nullptr : &store_.nodes[parts.state];
    if (state == nullptr || state->kind != Kind::tuple || store_.link_count(*state) == 0 || !class_named("matrix")) {
      refuse(id, "an array of a class that skops does not make");
    }
    const NodeId array = store_.links_of(*state).back();
    if (store_.nodes[array].kind != Kind::array) refuse(id, "an array of a class, without elements that are an array");
    const auto [type_module, type_name] = graph_.name_value(args[0]);
    write_array(array, type_name, type_module, id);
    return true;
  }
  if (module == "numpy.ma.core" && name == "_mareconstruct" && class_named("MaskedArray")) {
    write_masked_array(id, parts);
    return true;
  }
  if (name == "__randomstate_ctor" && parts.state != kNoNode && store_.nodes[parts.state].kind == Kind::dict) {
    open("RandomState", "numpy.random.mtrand", "RandomStateNode", id_of(id));
    enter(id);
    schema_ += ", \"content\": ";
    push_emit("}");
    push_visit(parts.state);
    return true;
  }
  if (name == "__generator_ctor") return write_generator(id, parts);
  if (module == "functools" && name == "partial" && parts.state != kNoNode) {
    write_partial(id, parts);
    return true;
  }
  const bool no_state = parts.state == kNoNode && parts.items == kNoNode;
  if (module == "collections" && no_state && (name == "OrderedDict" || name == "Counter")) {
    // A Counter is called with its dict.
    const bool counter = name == "Counter";
    const NodeId dict = counter && args.size() == 1 ? args[0] : parts.entries;
    if (args.size() > (counter ? 1u : 0u) || (dict != kNoNode && store_.nodes[dict].kind != Kind::dict)) return false;
    open_named(parts.type, "DictNode", id_of(id));
    enter(id);
    if (dict == kNoNode) {
      schema_ += ", \"key_types\": ";
      open("list", "builtins", "ListNode", new_id());
      schema_ += ", \"content\": []}, \"content\": {}}";
      return true;
    }
    write_key_types(dict);
    schema_ += ", \"content\": {";
    push_emit("}}");
    tasks_.push_back({.work = Work::entries, .node = dict});
    return true;
  }
  if (module == "collections" && no_state && name == "defaultdict") {
    write_default_dict(id, parts);
    return true;
  }
  return false;
}

// An instance of `type` that is given `content`: nothing if that is none.
void Writer::write_content_object(NodeId id, NodeId type, std::string_view loader, NodeId content) {
  open_named(type, loader, id_of(id));
  enter(id);
  push_emit("}");
  if (content == kNoNode) return;
  schema_ += ", \"content\": ";
  push_visit(content);
}

// skops reads the content first, then the arguments.
void Writer::write_reduced(NodeId id, NodeId type, std::string_view loader, NodeId args, NodeId content) {
  open_named(type, loader, id_of(id));
  enter(id);
  schema_ += ", \"content\": ";
  if (args != kNoNode && store_.nodes[args].kind != Kind::tuple) refuse(args, "arguments that are no tuple");
  push_emit("}}");
  if (args == kNoNode) {
    push_emit("{\"__class__\": \"tuple\", \"__module__\": \"builtins\", \"__loader__\": \"TupleNode\", \"__id__\": " +
              std::to_string(new_id()) + ", \"content\": []}");
  } else {
    push_visit(args);
  }
  push_emit(", \"__reduce__\": {\"args\": ");
  if (content == kNoNode) return write_empty_dict();
  push_visit(content);
}

void Writer::write_empty_dict() {
  open("dict", "builtins", "DictNode", new_id());
  schema_ += ", \"key_types\": ";
  open("list", "builtins", "ListNode", new_id());
  schema_ += ", \"content\": []}, \"content\": {}}";
}

void Writer::write_empty_tuple() {
  open("tuple", "builtins", "TupleNode", new_id());
  schema_ += ", \"content\": []}";
}

void Writer::write_from_args(NodeId id, const ObjectParts& parts) {
  open_named(parts.type, "ConstructorFromReduceNode", id_of(id));
  enter(id);
  schema_ += ", \"content\": ";
  push_emit("}");
  if (parts.args == kNoNode) return write_empty_tuple();
  push_visit(parts.args);
}

// skops holds the class of the method against that of the object it is bound to.
void Writer::write_method(NodeId id, const ObjectParts& parts) {
  const auto args = args_of(parts);
  const StoreNode& object = store_.nodes[args[0]];
  if (object.kind != Kind::object || store_.nodes[args[1]].kind != Kind::text ||
      graph_.object_form(args[0]) != ObjectForm::construct) {
    refuse(id, "skops keeps methods of plain objects alone");
  }
  open_named(graph_.object_parts(args[0]).type, "MethodNode", id_of(id));
  enter(id);
  schema_ += ", \"content\": {\"func\": " + ascii_json(store_.text_of(store_.nodes[args[1]])) + ", \"obj\": ";
  push_emit("}}");
  push_visit(args[0]);
}

void Writer::write_partial(NodeId id, const ObjectParts& parts) {
  const StoreNode& state = store_.nodes[parts.state];
  if (state.kind != Kind::tuple || store_.link_count(state) != 4)
    refuse(id, "a partial whose state is no tuple of four");
  open("partial", "functools", "PartialNode", id_of(id));
  enter(id);
  constexpr std::array<std::string_view, 4> kParts = {"func", "args", "kwds", "namespace"};
  schema_ += ", \"content\": {";
  push_emit("}}");
  for (std::size_t i = kParts.size(); i-- > 0;) {
    push_visit(store_.links_of(state)[i]);
    push_emit((i == 0 ? "\"" : ", \"") + std::string(kParts[i]) + "\": ");
  }
}

void Writer::write_masked_array(NodeId id, const ObjectParts& parts) {
  const StoreNode* const state = parts.state == kNoNode ? nullptr : &store_.nodes[parts.state];
  if (state == nullptr || state->kind != Kind::tuple || store_.link_count(*state) != 7)
    refuse(id, "a masked array of another form");
  const auto members = store_.links_of(*state);
  if (store_.nodes[members[4]].kind != Kind::array || store_.nodes[members[5]].kind != Kind::array) {
    refuse(id, "a masked array of another form");
  }
  const auto [module, name] = graph_.name_value(args_of(parts)[0]);
  open(name, module, "MaskedArrayNode", id_of(id));
  enter(id);
  schema_ += ", \"content\": {\"data\": ";
  push_emit("}}");
  push_visit(members[5]);
  push_emit(", \"mask\": ");
  push_visit(members[4]);
}

void Writer::write_default_dict(NodeId id, const ObjectParts& parts) {
  const auto args = args_of(parts);
  if (args.size() > 1) refuse(id, "a defaultdict with more arguments than its factory");
  // skops gives the entries as keywords.
  if (parts.entries != kNoNode) {
    const auto links = store_.links_of(store_.nodes[parts.entries]);
    for (std::size_t i = 0; i < links.size(); i += 2) {
      if (store_.nodes[links[i]].kind != Kind::text) refuse(id, "skops keeps defaultdicts whose keys are texts");
    }
  }
  open("defaultdict", "collections", "DefaultDictNode", id_of(id));
  enter(id);
  schema_ += ", \"content\": {\"main\": ";
  push_emit("}}");
  if (args.empty()) {
    push_emit("{\"__class__\": \"str\", \"__module__\": \"builtins\", \"__loader__\": \"JsonNode\", \"__id__\": " +
              std::to_string(new_id()) + ", \"content\": \"null\", \"is_json\": true}");
  } else {
    push_visit(args[0]);
  }
  push_emit(", \"default_factory\": ");
  if (parts.entries == kNoNode) return write_empty_dict();
  write_dict(parts.entries, "dict", "builtins", new_id());
}

// scipy.sparse.save_npz: format, shape, data and what the layout has besides, in an archive of its own.
bool Writer::write_sparse(NodeId id, const ObjectParts& parts, std::string_view, std::string_view name) {
  const std::size_t split = name.find('_');
  if (parts.state == kNoNode || split == std::string_view::npos) return false;
  const std::string_view layout = name.substr(0, split), what = name.substr(split + 1);
  if (what != "matrix" && what != "array") return false;
  std::vector<std::pair<std::string, NodeId>> arrays;
  const auto add = [&](const char* key) {
    const NodeId array = find(parts.state, key);
    if (array == kNoNode || store_.nodes[array].kind != Kind::array ||
        (store_.nodes[array].flags & Graph::Store::kObjects) != 0) {
      refuse(id, "a sparse matrix without the array '" + std::string(key) + "'");
    }
    arrays.emplace_back(key, array);
  };
  if (layout == "csr" || layout == "csc" || layout == "bsr") {
    add("indices");
    add("indptr");
  } else if (layout == "dia") {
    add("offsets");
  } else if (layout == "coo") {
    const NodeId coords = find(parts.state, "coords");
    if (coords != kNoNode && store_.nodes[coords].kind == Kind::tuple && store_.link_count(store_.nodes[coords]) == 2) {
      const auto both = store_.links_of(store_.nodes[coords]);
      arrays.emplace_back("row", both[0]);
      arrays.emplace_back("col", both[1]);
    } else {
      add("row");
      add("col");
    }
  } else {
    refuse(id, "skops keeps no sparse " + std::string(layout) + " matrix");
  }
  add("data");
  const NodeId shape = find(parts.state, "_shape");
  if (shape == kNoNode || store_.nodes[shape].kind != Kind::tuple) refuse(id, "a sparse matrix without a shape");
  std::vector<std::int64_t> dims;
  for (const NodeId n : store_.links_of(store_.nodes[shape])) dims.push_back(graph_.integer_value(n));
  const std::string file = std::to_string(id_of(id)) + ".npz";
  {
    const auto fill = [&](const auto& take) {
      class TakeSink final : public os::Sink {
       public:
        explicit TakeSink(const std::function<void(std::span<const std::byte>)>& to) : to_(to) {}
        void write(std::span<const std::byte> bytes) override { to_(bytes); }

       private:
        const std::function<void(std::span<const std::byte>)>& to_;
      };
      const std::function<void(std::span<const std::byte>)> pass = take;
      TakeSink sink(pass);
      container::ZipWriter npz(sink, 0);
      for (const auto& [key, array] : arrays) {
        const std::string header = npy_of(array);
        // clang 14 captures no structured binding by itself.
        npz.add(key + ".npy", [&, id_of_array = array](const auto& give) {
          give(std::as_bytes(std::span(header)));
          ArrayBytes(store_, id_of_array).read(give);
        });
      }
      std::string format = container::npy_header(Dtype(TypeClass::bytes, 3, ByteOrder::none), {}, false);
      format += layout;
      npz.add("format.npy", std::as_bytes(std::span(format)));
      const std::int64_t count[] = {static_cast<std::int64_t>(dims.size())};
      std::string shape_bytes = container::npy_header(Dtype::of<std::int64_t>(), count, false);
      shape_bytes.append(reinterpret_cast<const char*>(dims.data()), dims.size() * sizeof(std::int64_t));
      npz.add("shape.npy", std::as_bytes(std::span(shape_bytes)));
      if (what == "array") {
        const std::string flag = container::npy_header(Dtype::of<bool>(), {}, false) + '\1';
        npz.add("_is_array.npy", std::as_bytes(std::span(flag)));
      }
      npz.finish();
    };
    zip_.add(file, fill);
    states_[id] = State::written;
  }
  open_named(parts.type, "SparseMatrixNode", id_of(id));
  schema_ += ", \"type\": \"scipy\", \"file\": \"" + file + "\"}";
  return true;
}

// skops wants the seed sequence too, which NumPy pickles from 2.0 on: of a SeedSequence, Cython's state.
bool Writer::write_generator(NodeId id, const ObjectParts& parts) {
  const auto args = args_of(parts);
  const auto missing = [&]() { refuse(id, "a Generator without the state of its seeds, which skops asks for"); };
  if (args.empty() || store_.nodes[args[0]].kind != Kind::object) missing();
  const ObjectParts bits = graph_.object_parts(args[0]);
  if (bits.state == kNoNode || store_.nodes[bits.state].kind != Kind::tuple ||
      store_.link_count(store_.nodes[bits.state]) != 2)
    missing();
  const auto both = store_.links_of(store_.nodes[bits.state]);
  if (store_.nodes[both[0]].kind != Kind::dict || store_.nodes[both[1]].kind != Kind::object) missing();
  const ObjectParts seed = graph_.object_parts(both[1]);
  if (seed.state == kNoNode && seed.args == kNoNode && seed.kwargs != kNoNode) {
    // As the reader of skops files gives it: a call with what the node says.
    open("Generator", "numpy.random._generator", "RandomGeneratorNode", id_of(id));
    enter(id);
    schema_ += ", \"content\": {\"bit_generator\": ";
    push_emit("}}");
    push_visit(seed.kwargs);
    push_emit(", \"seed_seq\": ");
    push_visit(both[0]);
    return true;
  }
  // (class, checksum, state), or the state apart: entropy, n_children_spawned, pool, pool_size, spawn_key.
  const auto seed_args = args_of(seed);
  NodeId state = seed.state;
  if (state == kNoNode && seed_args.size() == 3) state = seed_args[2];
  if (state == kNoNode || store_.nodes[state].kind != Kind::tuple || store_.link_count(store_.nodes[state]) < 5)
    missing();
  const auto members = store_.links_of(store_.nodes[state]);
  open("Generator", "numpy.random._generator", "RandomGeneratorNode", id_of(id));
  enter(id);
  schema_ += ", \"content\": {\"bit_generator\": ";
  push_emit("}}}}");
  constexpr std::array<std::pair<std::string_view, std::size_t>, 4> kFields = {
      {{"entropy", 0}, {"spawn_key", 4}, {"pool_size", 3}, {"n_children_spawned", 1}}};
  for (std::size_t i = kFields.size(); i-- > 0;) {
    push_visit(members[kFields[i].second]);
    push_emit((i == 0 ? "\"" : ", \"") + std::string(kFields[i].first) + "\": ");
  }
  std::string types;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    types += std::string(i == 0 ? "" : ", ") +
             "{\"__class__\": \"str\", \"__module__\": \"builtins\", \"__loader__\": \"TypeNode\", \"__id__\": " +
             std::to_string(new_id()) + "}";
  }
  const auto plain = [&](const char* type, const char* loader) {
    return "{\"__class__\": \"" + std::string(type) + "\", \"__module__\": \"builtins\", \"__loader__\": \"" + loader +
           "\", \"__id__\": " + std::to_string(new_id());
  };
  push_emit(", \"seed_seq\": " + plain("dict", "DictNode") + ", \"key_types\": " + plain("list", "ListNode") +
            ", \"content\": [" + types + "]}, \"content\": {");
  push_visit(both[0]);
  return true;
}

}  // namespace mere::exporters::skops
