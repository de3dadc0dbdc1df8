#include "rebuild.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "arrays.hpp"
#include "dtypes.hpp"
#include "leaf_values.hpp"
#include "rebuild_frame.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

// A tuple in which a cycle ends is begun again at each container of the cycle. Unpickling does so by recursion, so that
// no model that was ever pickled has many.
constexpr std::uint64_t kMostRestarts = 1000;
constexpr std::uint64_t kMostRestartedMembers = std::uint64_t{1} << 24;

// What a key or member cannot be: `result` is that of Python's own function.
void require_hashable(int result, const Node& container) {
  if (result == 0) return;
  if (PyErr_ExceptionMatches(PyExc_TypeError) != 0) {
    PyErr_Clear();
    throw Error(Reason::bad_node, container.path() + ": a key or member that has no hash");
  }
  throw py::error_already_set();
}

bool is_leaf(Kind kind) {
  switch (kind) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::frozenset:
    case Kind::dict:
    case Kind::slice:
    case Kind::range:
    case Kind::object:
    case Kind::opaque: return false;
    case Kind::array: return false;  // of numbers: asked for before
    default: return true;
  }
}

const format::Image* image_of(const Model& model) {
  const Node root = model.root();
  return root.image();
}

}  // namespace

Rebuild::Rebuild(OpenModel model, RebuildJoints joints)
    : model_(std::move(model)),
      joints_(std::move(joints)),
      image_(image_of(model_.model)),
      layouts_(image_),
      validator_(model_.model) {}

Rebuild::~Rebuild() {
  clear();
}

int Rebuild::traverse(visitproc visit, void* arg) const {
  for (PyObject* object : made_) Py_VISIT(object);
  for (const auto& [id, type] : types_) Py_VISIT(type.value.ptr());
  for (const py::handle part :
       {py::handle(joints_.find), py::handle(joints_.hooks), py::handle(joints_.open), py::handle(joints_.migrate),
        py::handle(joints_.running), py::handle(copied_),
        py::handle(model_.bases.rows), py::handle(model_.bases.columns)}) {
    Py_VISIT(part.ptr());
  }
  return 0;
}

void Rebuild::clear() {
  std::vector<PyObject*> made;
  made.swap(made_);
  for (PyObject* object : made) Py_XDECREF(object);
  made_.assign(made.size(), nullptr);
  std::unordered_map<NodeId, Type> types;
  types.swap(types_);
}

Node Rebuild::node(NodeId id) const {
  const Node at(image_, id);
  static_cast<void>(at.kind());  // throws for what the file does not have
  return at;
}

// A node that is to have an object. Tables grow to ids that the file has, and no others.
Node Rebuild::reach(NodeId id) {
  const Node at = node(id);
  if (id >= made_.size()) {
    made_.resize(id + std::size_t{1}, nullptr);
    prepared_.resize(id + std::size_t{1}, false);
  }
  return at;
}

std::string Rebuild::type_name(NodeId id) {
  const Node at = node(id);
  if (at.kind() != Kind::object) return {};
  const auto type = at.type();
  return type && type->kind() == Kind::name ? type_of(*type).today : std::string();
}

void Rebuild::remember(NodeId id, const py::object& object) {
  reach(id);
  finish(id, object);
}

py::object Rebuild::known(NodeId id) const {
  return id >= made_.size() || made_[id] == nullptr ? py::none() : py::reinterpret_borrow<py::object>(made_[id]);
}

py::object Rebuild::build(NodeId id) {
  prepare(id);
  return py::reinterpret_borrow<py::object>(run(id));
}

py::dict Rebuild::build_state(NodeId id, const std::vector<std::string>& skip) {
  const Node at = node(id);
  const std::optional<Node> state = at.kind() == Kind::object ? at.state() : std::nullopt;
  if (!state || state->kind() != Kind::dict)
    throw Error(Reason::schema, at.path() + ": an object whose state is a dict is expected");
  py::dict made;
  for (std::uint64_t i = 0, count = state->size(); i < count; ++i) {
    const Node key = state->key(i);
    if (key.kind() == Kind::text && std::find(skip.begin(), skip.end(), key.text()) != skip.end()) continue;
    PyObject* name = run(key.id());
    if (PyUnicode_CheckExact(name)) {
      Py_INCREF(name);
      PyUnicode_InternInPlace(&name);
    } else {
      Py_INCREF(name);
    }
    const py::object held = py::reinterpret_steal<py::object>(name);
    const NodeId value = state->value(i).id();
    prepare(value);
    require_hashable(PyDict_SetItem(made.ptr(), held.ptr(), run(value)), *state);
  }
  return ready_state(type_of(at.type().value()), made);
}

// Makes what can be made without other nodes; every leaf of the file is one object.
py::object Rebuild::make_leaf(const Node& node, Kind kind) {
  switch (kind) {
    case Kind::null: return py::none();
    case Kind::boolean: return py::bool_(node.boolean());
    case Kind::integer: return integer_of(node);
    case Kind::real: return stolen(PyFloat_FromDouble(node.real()));
    case Kind::complex: {
      const auto value = node.complex();
      return stolen(PyComplex_FromDoubles(value.real(), value.imag()));
    }
    case Kind::text: return text_of(node.text());
    case Kind::bytes:
    case Kind::bytearray: {
      const auto bytes = node.bytes();
      const auto* data = reinterpret_cast<const char*>(bytes.data());
      const auto length = static_cast<Py_ssize_t>(bytes.size());
      return stolen(kind == Kind::bytes ? PyBytes_FromStringAndSize(data, length)
                                        : PyByteArray_FromStringAndSize(data, length));
    }
    case Kind::ellipsis: return py::ellipsis();
    case Kind::scalar: return numpy_scalar(node.dtype(), node.scalar_bytes());
    case Kind::dtype: return numpy_dtype(node.dtype());
    case Kind::name: return type_value(type_of(node), node);
    default: throw Error(Reason::unknown_kind, "a node of a kind that Python has nothing for");
  }
}

py::object Rebuild::array_of(const ArrayLayout& array, const Node& node) {
  if (!model_.bases || !array.is_mapped) {
    const py::object made = copy_of(node.array());
    return copied_ && !copied_.is_none() ? copied_(made) : made;
  }
  py::object& type = element_types_[array.type_id];
  if (!type) type = numpy_dtype(array.dtype);
  return array_over(array, type, model_.bases);
}

// The object of a node that has been made, or null after a frame for it was pushed.
PyObject* Rebuild::get(NodeId id, Frames& frames) {
  if (id < made_.size() && made_[id] != nullptr) return made_[id];
  const Node node = reach(id);
  const Kind kind = node.kind();
  if (kind == Kind::array) {
    if (const auto array = layouts_.find(id)) {
      made_[id] = array_of(*array, node).release().ptr();
      return made_[id];
    }
  }
  if (is_leaf(kind)) {
    py::object made = make_leaf(node, kind);
    // Looking for a name may have run code of ours that asked for the same one.
    if (made_[id] == nullptr) made_[id] = made.release().ptr();
    return made_[id];
  }
  Frame frame;
  frame.node = node;
  frame.kind = kind;
  start(frame);
  frames.push_back(std::move(frame));
  return nullptr;
}

PyObject* Rebuild::run(NodeId id) {
  if (Py_EnterRecursiveCall(" while a model is rebuilt") != 0) throw py::error_already_set();
  struct Leave {
    Rebuild& self;
    Leave(Rebuild& rebuild) : self(rebuild) { ++self.depth_; }
    ~Leave() {
      // After an error nothing is in the making any more.
      if (--self.depth_ == 0) self.open_.clear();
      Py_LeaveRecursiveCall();
    }
  } leave(*this);
  Frames frames;
  PyObject* made = get(id, frames);
  std::uint64_t steps = 0;
  while (!frames.empty()) {
    if (step(frames)) frames.pop_back();
    if ((++steps & 0xfff) == 0 && PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  made = made_[id];
  if (made == nullptr) throw Error(Reason::bad_node, "node " + std::to_string(id) + " could not be made");
  return made;
}

// Of what is made after its parts, and so cannot stand in the table before.
void Rebuild::enter(NodeId id, std::uint64_t members) {
  const auto [found, fresh] = open_.try_emplace(id, containers_);
  if (fresh) return;
  if (found->second == containers_)
    throw Error(Reason::bad_node, node(id).path() + ": a " + std::string(to_text(node(id).kind())) + " inside itself");
  found->second = containers_;
  restarted_members_ += members;
  if (++restarts_ > kMostRestarts || restarted_members_ > kMostRestartedMembers)
    throw Error(Reason::too_large, node(id).path() + ": too many cycles through tuples");
}

void Rebuild::finish(NodeId id, const py::object& object) {
  open_.erase(id);
  if (made_[id] != nullptr) return;
  made_[id] = object.inc_ref().ptr();
}

void Rebuild::start(Frame& frame) {
  const NodeId id = frame.node.id();
  frame.count = frame.kind == Kind::object || frame.kind == Kind::opaque ? 0 : frame.node.size();
  switch (frame.kind) {
    case Kind::list: frame.made = stolen(PyList_New(0)); break;
    case Kind::dict: frame.made = stolen(PyDict_New()); break;
    case Kind::set: frame.made = stolen(PySet_New(nullptr)); break;
    case Kind::array: {
      py::list shape;
      for (const std::int64_t n : frame.node.object_array_shape()) shape.append(n);
      frame.made = py::module_::import("numpy").attr("empty")(py::tuple(shape), py::arg("dtype") = "O");
      if (static_cast<std::uint64_t>(py::cast<py::array>(frame.made).size()) != frame.count)
        throw Error(Reason::bad_node,
                    frame.node.path() + ": an array of objects whose shape is not that of its elements");
      break;
    }
    default: enter(id, frame.count); return;
  }
  ++containers_;
  finish(id, frame.made);
}

bool Rebuild::step(Frames& frames) {
  Frame& frame = frames.back();
  switch (frame.kind) {
    case Kind::dict: return step_dict(frame, frames);
    case Kind::object: return step_object(frame, frames);
    case Kind::opaque: return step_opaque(frame, frames);
    default: return step_sequence(frame, frames);
  }
}

bool Rebuild::step_sequence(Frame& frame, Frames& frames) {
  const NodeId id = frame.node.id();
  const bool late = frame.kind == Kind::tuple || frame.kind == Kind::frozenset || frame.kind == Kind::slice ||
                    frame.kind == Kind::range;
  if (late && made_[id] != nullptr) return true;  // a cycle has made it meanwhile
  if (late && !frame.made) frame.made = stolen(PyTuple_New(static_cast<Py_ssize_t>(frame.count)));
  while (frame.next < frame.count) {
    PyObject* member = get(frame.node[static_cast<std::size_t>(frame.next)].id(), frames);
    if (member == nullptr) return false;  // `frame` may have moved
    if (late) {
      if (made_[id] != nullptr) return true;
      Py_INCREF(member);
      PyTuple_SET_ITEM(frame.made.ptr(), static_cast<Py_ssize_t>(frame.next), member);
    } else if (frame.kind == Kind::list) {
      if (PyList_Append(frame.made.ptr(), member) != 0) throw py::error_already_set();
    } else if (frame.kind == Kind::set) {
      const py::object held = py::reinterpret_borrow<py::object>(member);
      require_hashable(PySet_Add(frame.made.ptr(), held.ptr()), frame.node);
    } else {
      auto** slots = reinterpret_cast<PyObject**>(py::detail::array_proxy(frame.made.ptr())->data);
      Py_INCREF(member);
      PyObject* before = std::exchange(slots[frame.next], member);
      Py_XDECREF(before);
    }
    ++frame.next;
  }
  PyObject* members = frame.made.ptr();
  switch (frame.kind) {
    case Kind::tuple: finish(id, frame.made); return true;
    case Kind::frozenset: {
      PyObject* made = PyFrozenSet_New(members);
      require_hashable(made == nullptr ? -1 : 0, frame.node);
      finish(id, stolen(made));
      return true;
    }
    case Kind::slice:
    case Kind::range: {
      if (frame.count != 3) throw Error(Reason::bad_node, "a slice or range without three parts");
      for (Py_ssize_t i = 0; frame.kind == Kind::range && i < 3; ++i) {
        if (!PyLong_Check(PyTuple_GET_ITEM(members, i)))
          throw Error(Reason::bad_node, frame.node.path() + ": a range of what is no whole number");
      }
      const auto part = [&](Py_ssize_t i) { return PyTuple_GET_ITEM(members, i); };
      finish(id, frame.kind == Kind::slice
                     ? stolen(PySlice_New(part(0), part(1), part(2)))
                     : stolen(PyObject_CallObject(reinterpret_cast<PyObject*>(&PyRange_Type), members)));
      return true;
    }
    default: return true;
  }
}

bool Rebuild::step_dict(Frame& frame, Frames& frames) {
  while (frame.next < frame.count) {
    if (!frame.key) {
      PyObject* key = get(frame.node.key(static_cast<std::size_t>(frame.next)).id(), frames);
      if (key == nullptr) return false;
      Py_INCREF(key);
      // Names of attributes are looked up by their address first.
      if (frame.is_state && PyUnicode_CheckExact(key)) PyUnicode_InternInPlace(&key);
      frame.key = py::reinterpret_steal<py::object>(key);
    }
    PyObject* value = get(frame.node.value(static_cast<std::size_t>(frame.next)).id(), frames);
    if (value == nullptr) return false;
    const py::object held = py::reinterpret_borrow<py::object>(value);
    const py::object key = std::move(frame.key);
    frame.key = py::object();
    ++frame.next;
    require_hashable(PyDict_SetItem(frame.made.ptr(), key.ptr(), held.ptr()), frame.node);
  }
  return true;
}

bool Rebuild::step_opaque(Frame& frame, Frames& frames) {
  const Node& node = frame.node;
  const auto text = [&](std::string_view key) {
    const auto info = node.info();
    const auto found = info ? info->find(key) : std::nullopt;
    return found && found->kind() == Kind::text ? std::string(found->text()) : std::string();
  };
  static_cast<void>(frames);
  std::string name = text("qualname").empty() ? text("name") : text("qualname");
  if (!name.empty() && !text("module").empty()) name = text("module") + "." + name;
  const auto bytes = node.bytes();
  const py::object opened =
      joints_.open(text_of(name), text_of(text("format")),
                   py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size()), text_of(node.path()));
  finish(node.id(), opened);
  return true;
}

void Rebuild::prepare(NodeId start) {
  if (is_plain_) return;
  std::vector<NodeId> waiting;
  const auto meet = [&](const Node& at) {
    const NodeId id = at.id();
    reach(id);
    if (prepared_[id]) return;
    prepared_[id] = true;
    waiting.push_back(id);
  };
  meet(Node(image_, start));
  while (!waiting.empty()) {
    const Node at(image_, waiting.back());
    waiting.pop_back();
    const Kind kind = at.kind();
    if (kind == Kind::object) {
      validator_.check(at.id());
      const auto type = at.type();
      const Type* known = type && type->kind() == Kind::name ? &type_of(*type) : nullptr;
      const auto state = at.state();
      if (known != nullptr && !known->skips.empty() && state && state->kind() == Kind::dict) {
        for (std::uint64_t i = 0, count = state->size(); i < count; ++i) {
          const Node key = state->key(i);
          if (key.kind() == Kind::text &&
              std::find(known->skips.begin(), known->skips.end(), key.text()) != known->skips.end())
            continue;
          meet(state->value(i));
        }
      } else if (state) {
        meet(*state);
      }
      for (const auto& part : {at.args(), at.kwargs(), at.items(), at.entries()}) {
        if (part) meet(*part);
      }
    } else {
      for_each_child(at, kind, meet);
    }
  }
}

// What a hook would have looked after, and has declined.
void Rebuild::prepare_skipped(const Node& object, const Type& type) {
  const auto state = object.state();
  for (std::uint64_t i = 0, count = state && state->kind() == Kind::dict ? state->size() : 0; i < count; ++i) {
    const Node key = state->key(i);
    if (key.kind() == Kind::text && std::find(type.skips.begin(), type.skips.end(), key.text()) != type.skips.end())
      prepare(state->value(i).id());
  }
}

std::vector<std::pair<std::string, std::string>> Rebuild::versions() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [key, running] : joints_.running) {
    for (const auto& [type, version] : versions_in_states(model_.model, py::cast<std::string>(key))) {
      const Node name = node(type);
      if (name.kind() == Kind::name) found.emplace_back(type_of(name).today, version);
    }
  }
  return found;
}

}  // namespace mere::python
