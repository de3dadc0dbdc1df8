// The part of Rebuild that makes objects, and its binding.

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "leaf_values.hpp"
#include "rebuild.hpp"
#include "rebuild_frame.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

// The raw bytes of an array in the state of another array, as ndarray.__setstate__ takes them.
py::object raw_of(const py::handle& array, bool fortran) {
  const char* order = fortran ? "F" : "C";
  if (py::cast<std::string>(array.attr("dtype").attr("kind")) == "O")
    return array.attr("ravel")(order).attr("tolist")();
  return array.attr("tobytes")(order);
}

}  // namespace

Rebuild::Type& Rebuild::type_of(const Node& name) {
  const auto [found, fresh] = types_.try_emplace(name.id());
  Type& type = found->second;
  if (!fresh) return type;
  const auto today = present_name(name.module(), name.qualname());
  type.today = today.first.empty() ? today.second : today.first + "." + today.second;
  type.is_method = type.today == "builtins.method";
  type.is_array = today.second == "_reconstruct" && today.first.starts_with("numpy");
  type.is_masked = today.second == "_mareconstruct" && today.first.starts_with("numpy");
  const py::str key(type.today);
  if (PyObject* hook = PyDict_GetItemWithError(joints_.hooks.ptr(), key.ptr()); hook != nullptr) {
    type.hook = hook;
    if (py::hasattr(hook, "skips")) {
      for (const py::handle skip : py::handle(hook).attr("skips")) type.skips.push_back(py::cast<std::string>(skip));
    }
  } else if (PyErr_Occurred() != nullptr) {
    throw py::error_already_set();
  }
  return type;
}

py::object Rebuild::type_value(Type& type, const Node& name) {
  if (!type.value) {
    py::object value = joints_.find(py::str(std::string(name.module())), py::str(std::string(name.qualname())));
    type.value = std::move(value);
  }
  return type.value;
}

// What Python's code says against a state or argument becomes an Error that names the node; what is no verdict on the
// data stays what it is.
void Rebuild::fail_for_python(const Frame& frame, py::error_already_set& error) {
  const py::module_ errors = py::module_::import("mere._errors");
  if (!error.matches(PyExc_Exception) || error.matches(PyExc_Warning) || error.matches(PyExc_MemoryError) ||
      error.matches(PyExc_RecursionError) || error.matches(errors.attr("Error"))) {
    throw error;
  }
  const auto type = frame.node.type();
  const std::string what = frame.node.path() + ": " + (type ? std::string(type->name()) : std::string("an object")) +
                           " cannot be made of what the file has: " +
                           py::cast<std::string>(py::str(py::type::of(error.value()).attr("__name__"))) + ": " +
                           py::cast<std::string>(py::str(error.value()));
  const py::object raised = errors.attr("MismatchError")(what, py::arg("reason") = "wrong_type");
  raised.attr("__cause__") = error.value();
  PyErr_SetObject(py::type::handle_of(raised).ptr(), raised.ptr());
  throw py::error_already_set();
}

bool Rebuild::step_object(Frame& frame, Frames& frames) {
  using Stage = Frame::Stage;
  const NodeId id = frame.node.id();
  // Until it is made, a cycle may have made it.
  if (frame.stage < Stage::items && made_[id] != nullptr) return true;
  if (frame.node.form() == ObjectForm::record) {
    throw Error(Reason::not_supported,
                frame.node.path() + ": a record of C++ has no Python type: mere.open() reads it");
  }
  if (frame.stage == Stage::type) {
    const auto type = frame.node.type();
    if (!type || type->kind() != Kind::name)
      throw Error(Reason::bad_node, frame.node.path() + ": an object without a type");
    Type& known = type_of(*type);
    type_value(known, *type);
    if (known.hook) {
      const py::object hook = py::reinterpret_borrow<py::object>(known.hook), value = known.value;
      py::object made;
      try {
        made = hook(py::cast(this, py::return_value_policy::reference), id, value);
      } catch (py::error_already_set& error) {
        fail_for_python(frame, error);
      }
      if (made.ptr() != Py_NotImplemented) {
        finish(id, made);
        return true;
      }
      prepare_skipped(frame.node, type_of(*type));
    }
    frame.stage = Stage::args;
  }
  if (frame.stage == Stage::args) {
    if (const auto args = frame.node.args()) {
      if (args->kind() != Kind::tuple)
        throw Error(Reason::bad_node, frame.node.path() + ": arguments that are no tuple");
      PyObject* made = get(args->id(), frames);
      if (made == nullptr) return false;
      frame.args = py::reinterpret_borrow<py::object>(made);
    } else {
      frame.args = stolen(PyTuple_New(0));
    }
    frame.stage = Stage::kwargs;
  }
  if (frame.stage == Stage::kwargs) {
    if (const auto kwargs = frame.node.kwargs()) {
      if (kwargs->kind() != Kind::dict)
        throw Error(Reason::bad_node, frame.node.path() + ": keyword arguments that are no dict");
      PyObject* made = get(kwargs->id(), frames);
      if (made == nullptr) return false;
      frame.kwargs = py::reinterpret_borrow<py::object>(made);
    }
    frame.stage = Stage::make;
  }
  if (frame.stage == Stage::make && !make_object(frame, frames)) return true;
  if (frame.stage == Stage::items && !add_items(frame, frames)) return false;
  if (frame.stage == Stage::entries && !add_entries(frame, frames)) return false;
  return set_state(frame, frames);
}

// False: a cycle had made it.
bool Rebuild::make_object(Frame& frame, Frames& frames) {
  static_cast<void>(frames);
  const NodeId id = frame.node.id();
  if (made_[id] != nullptr) return false;
  const Type& type = type_of(frame.node.type().value());
  PyObject* callable = type.value.ptr();
  PyObject* kwargs = frame.kwargs ? frame.kwargs.ptr() : nullptr;
  if (kwargs != nullptr) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(kwargs, &position, &key, &value) != 0) {
      if (!PyUnicode_Check(key))
        throw Error(Reason::bad_node, frame.node.path() + ": the name of a keyword argument is no text");
    }
  }
  try {
    if (type.is_method) {
      if (PyTuple_GET_SIZE(frame.args.ptr()) != 2)
        throw Error(Reason::bad_node, frame.node.path() + ": a method is made of an object and a name");
      frame.made =
          stolen(PyObject_GetAttr(PyTuple_GET_ITEM(frame.args.ptr(), 0), PyTuple_GET_ITEM(frame.args.ptr(), 1)));
    } else if (frame.node.form() == ObjectForm::call) {
      frame.made = stolen(PyObject_Call(callable, frame.args.ptr(), kwargs));
    } else {
      auto* cls = reinterpret_cast<PyTypeObject*>(callable);
      if (!PyType_Check(callable) || cls->tp_new == nullptr) {
        throw Error(Reason::bad_node, frame.node.path() + ": an instance of " + type.today + ", which is no class");
      }
      frame.made = stolen(cls->tp_new(cls, frame.args.ptr(), kwargs));
    }
  } catch (py::error_already_set& error) {
    fail_for_python(frame, error);
  }
  ++containers_;
  finish(id, frame.made);
  frame.stage = Frame::Stage::items;
  return true;
}

bool Rebuild::add_items(Frame& frame, Frames& frames) {
  if (const auto items = frame.node.items()) {
    if (items->kind() != Kind::list) throw Error(Reason::bad_node, frame.node.path() + ": items that are no list");
    if (!frame.collected) {
      frame.collected = stolen(PyList_New(0));
      frame.next = 0;
      frame.count = items->size();
    }
    while (frame.next < frame.count) {
      PyObject* member = get((*items)[static_cast<std::size_t>(frame.next)].id(), frames);
      if (member == nullptr) return false;
      ++frame.next;
      if (PyList_Append(frame.collected.ptr(), member) != 0) throw py::error_already_set();
    }
    try {
      if (py::hasattr(frame.made, "extend")) {
        frame.made.attr("extend")(frame.collected);
      } else {
        const py::object append = frame.made.attr("append");
        for (const py::handle member : py::list(frame.collected)) append(member);
      }
    } catch (py::error_already_set& error) {
      fail_for_python(frame, error);
    }
    frame.collected = py::object();
  }
  frame.next = 0;
  frame.stage = Frame::Stage::entries;
  return true;
}

bool Rebuild::add_entries(Frame& frame, Frames& frames) {
  if (const auto entries = frame.node.entries()) {
    if (entries->kind() != Kind::dict) throw Error(Reason::bad_node, frame.node.path() + ": entries that are no dict");
    const std::uint64_t count = entries->size();
    while (frame.next < count) {
      if (!frame.key) {
        PyObject* key = get(entries->key(static_cast<std::size_t>(frame.next)).id(), frames);
        if (key == nullptr) return false;
        frame.key = py::reinterpret_borrow<py::object>(key);
      }
      PyObject* value = get(entries->value(static_cast<std::size_t>(frame.next)).id(), frames);
      if (value == nullptr) return false;
      ++frame.next;
      const py::object key = std::move(frame.key), held = py::reinterpret_borrow<py::object>(value);
      frame.key = py::object();
      if (PyObject_SetItem(frame.made.ptr(), key.ptr(), held.ptr()) != 0) {
        py::error_already_set error;
        fail_for_python(frame, error);
      }
    }
  }
  frame.stage = Frame::Stage::state;
  return true;
}

bool Rebuild::set_state(Frame& frame, Frames& frames) {
  const auto state = frame.node.state();
  if (!state) return true;
  const std::size_t depth = frames.size();
  PyObject* made = get(state->id(), frames);
  if (made == nullptr) {
    frames[depth].is_state = true;
    return false;
  }
  try {
    apply_state(frame, py::reinterpret_borrow<py::object>(made));
  } catch (py::error_already_set& error) {
    fail_for_python(frame, error);
  }
  return true;
}

// As unpickling does it: a setter, __setstate__, or attributes from a dict and from slots.
void Rebuild::apply_state(Frame& frame, py::object state) {
  const Type& type = type_of(frame.node.type().value());
  if (const auto setter = frame.node.setter()) {
    if (setter->kind() != Kind::name)
      throw Error(Reason::bad_node, frame.node.path() + ": a state setter that is no name");
    type_value(type_of(*setter), *setter)(frame.made, state);
    return;
  }
  if ((type.is_array || type.is_masked) && PyTuple_CheckExact(state.ptr())) {
    const std::size_t parts = type.is_array ? 5 : 7;
    const py::tuple given(state);
    if (given.size() == parts && py::isinstance<py::array>(given[4])) {
      const bool fortran = py::cast<bool>(py::bool_(given[3]));
      py::tuple raw(parts);
      for (std::size_t i = 0; i < parts; ++i) {
        raw[i] = i >= 4 && i < parts - (type.is_masked ? 1 : 0) && py::isinstance<py::array>(given[i])
                     ? raw_of(given[i], fortran)
                     : py::object(given[i]);
      }
      state = raw;
    }
  }
  if (py::hasattr(frame.made, "__setstate__")) {
    frame.made.attr("__setstate__")(ready_state(type, state));
    return;
  }
  py::object slots;
  if (PyTuple_Check(state.ptr()) && PyTuple_GET_SIZE(state.ptr()) == 2) {
    const py::tuple both(state);
    slots = both[1];
    state = both[0];
  }
  if (!state.is_none()) {
    if (!PyDict_Check(state.ptr())) throw Error(Reason::schema, frame.node.path() + ": a state that is no dict");
    const py::object attributes = frame.made.attr("__dict__");
    state = ready_state(type, state);
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(state.ptr(), &position, &key, &value) != 0) {
      if (PyObject_SetItem(attributes.ptr(), key, value) != 0) throw py::error_already_set();
    }
  }
  if (slots && !slots.is_none()) {
    if (!PyDict_Check(slots.ptr()))
      throw Error(Reason::schema, frame.node.path() + ": a state of slots that is no dict");
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(slots.ptr(), &position, &key, &value) != 0) {
      const py::object name = py::reinterpret_borrow<py::object>(key), held = py::reinterpret_borrow<py::object>(value);
      if (PyObject_SetAttr(frame.made.ptr(), name.ptr(), held.ptr()) != 0) throw py::error_already_set();
    }
  }
}

// A state that says which release wrote it becomes one of the release that runs, which has been said already.
py::object Rebuild::ready_state(const Type& type, py::object state) {
  if (!PyDict_CheckExact(state.ptr())) return state;
  for (const auto& [key, running] : joints_.running) {
    PyObject* written = PyDict_GetItemWithError(state.ptr(), key.ptr());
    if (written == nullptr) {
      if (PyErr_Occurred() != nullptr) throw py::error_already_set();
      continue;
    }
    const py::object version = py::reinterpret_borrow<py::object>(written);
    if (version.equal(running)) continue;
    if (!joints_.migrate.is_none()) state = joints_.migrate(type.today, version, state);
    if (PyDict_SetItem(state.ptr(), key.ptr(), running.ptr()) != 0) throw py::error_already_set();
  }
  return state;
}

namespace {

// A builder that is kept by what it has built is a cycle, which the collector has to see.
void make_collectable(PyHeapTypeObject* heap_type) {
  PyTypeObject* type = &heap_type->ht_type;
  type->tp_flags |= Py_TPFLAGS_HAVE_GC;
  type->tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
#if PY_VERSION_HEX >= 0x03090000
    Py_VISIT(Py_TYPE(self));
#endif
    if (py::detail::instance* instance = reinterpret_cast<py::detail::instance*>(self);
        instance->simple_layout && instance->simple_holder_constructed) {
      return py::cast<const Rebuild&>(py::handle(self)).traverse(visit, arg);
    }
    return 0;
  };
  type->tp_clear = [](PyObject* self) {
    if (reinterpret_cast<py::detail::instance*>(self)->simple_holder_constructed)
      py::cast<Rebuild&>(py::handle(self)).clear();
    return 0;
  };
}

py::list ids_of(const Rebuild& self, NodeId id) {
  const Node at = self.node(id);
  py::list ids;
  if (at.kind() != Kind::object) for_each_child(at, at.kind(), [&](const Node& child) { ids.append(child.id()); });
  return ids;
}

py::object optional_id(const std::optional<Node>& node) {
  return node ? py::object(py::int_(node->id())) : py::none();
}

}  // namespace

void bind_rebuild(py::module_& module) {
  py::class_<Rebuild>(module, "Rebuild", py::custom_type_setup(make_collectable),
                      R"(Makes the objects of an open model, each node once. See rebuild.hpp.)")
      .def(py::init([](const OpenModel& model, py::object find, py::dict hooks, py::object open, py::object migrate,
                       py::dict running) {
             return std::make_unique<Rebuild>(model, RebuildJoints{std::move(find), std::move(hooks), std::move(open),
                                                                   std::move(migrate), std::move(running)});
           }),
           py::arg("model"), py::arg("find"), py::arg("hooks"), py::arg("open"), py::arg("migrate") = py::none(),
           py::arg("running") = py::dict())
      .def_property_readonly("root", [](const Rebuild& self) { return self.model().model.root().id(); })
      .def_property_readonly(
          "joints",
          [](const Rebuild& self) {
            const RebuildJoints& joints = self.joints();
            return py::make_tuple(self.model(), joints.find, joints.hooks, joints.open, joints.migrate, joints.running);
          },
          "What another Rebuild of the same file takes.")
      .def("prepare", &Rebuild::prepare, "Checks the states of all that a node leads to, but what hooks skip.")
      .def("build", &Rebuild::build, "The object of a node.")
      .def("build_state", &Rebuild::build_state, py::arg("node"), py::arg("skip") = std::vector<std::string>(),
           "The state of an object, a new dict, without the names given.")
      .def("remember", &Rebuild::remember, "An object stands for a node from now on.")
      .def("known", &Rebuild::known, "The object of a node, or None if it was not made yet.")
      .def("set_plain", &Rebuild::set_plain, "There is nothing to check: the file names no types.")
      .def("set_copied", &Rebuild::set_copied, "What makes of each array copied out what is kept.")
      .def("versions", &Rebuild::versions, "[(type, version that wrote it)] of all objects of the file.")
      .def("kind", [](const Rebuild& self, NodeId id) { return std::string(to_text(self.node(id).kind())); })
      .def("type_name", &Rebuild::type_name, "An object's type by its present full name, or an empty text.")
      .def("path", [](const Rebuild& self, NodeId id) { return self.node(id).path(); })
      .def("members", &ids_of,
           "The nodes in a list, tuple, set or array of objects; of a dict keys and values in turn.")
      .def("shape",
           [](const Rebuild& self, NodeId id) { return py::tuple(py::cast(self.node(id).object_array_shape())); })
      .def("args", [](const Rebuild& self, NodeId id) { return optional_id(self.node(id).args()); })
      .def("state", [](const Rebuild& self, NodeId id) { return optional_id(self.node(id).state()); })
      .def(
          "find",
          [](const Rebuild& self, NodeId id, const std::string& name) { return optional_id(self.node(id).find(name)); },
          "The node of a name in an object's state, or of a text key of a dict; None if it has none.")
      .def("node", [](const Rebuild& self, NodeId id) {
        return ModelNode{self.model().model, self.node(id), self.model().bases};
      });
}

}  // namespace mere::python
