#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/node.hpp>

#include "arrays.hpp"
#include "dtypes.hpp"
#include "leaf_values.hpp"
#include "model.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

std::string utf8_of(const py::str& text) {
  const py::bytes encoded =
      py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass"));
  if (!encoded) throw py::error_already_set();
  return encoded;
}

py::bytes bytes_of(std::span<const std::byte> bytes) {
  return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

ModelNode child(const ModelNode& at, const Node& node) {
  return {at.model, node, at.bases};
}

Node item_at(const ModelNode& at, std::int64_t index) {
  const auto size = static_cast<std::int64_t>(at.node.size());
  const std::int64_t from_start = index < 0 ? index + size : index;
  if (from_start < 0 || from_start >= size) {
    throw Error(Reason::no_path, "index " + std::to_string(index) + " is outside a " +
                                     std::string(to_text(at.node.kind())) + " of " + std::to_string(size));
  }
  return at.node[static_cast<std::size_t>(from_start)];
}

bool has_items(Kind kind) {
  return kind != Kind::dict && kind != Kind::object;
}

py::object member(const ModelNode& at, const py::object& key) {
  if (py::isinstance<py::str>(key)) return value_of(child(at, at.node[utf8_of(py::str(key))]));
  const Kind kind = at.node.kind();
  if (!has_items(kind)) {
    // A dict may have keys of any kind; only texts have an index.
    for (std::uint64_t i = 0; kind == Kind::dict && i < at.node.size(); ++i) {
      const py::object found = value_of(child(at, at.node.key(i)));
      if (!py::isinstance<ModelNode>(found) && !py::isinstance<py::array>(found) && found.equal(key)) {
        return value_of(child(at, at.node.value(i)));
      }
    }
    throw Error(Reason::no_path, "no entry has the key " + py::repr(key).cast<std::string>());
  }
  if (!PyIndex_Check(key.ptr())) throw py::type_error("a node is indexed by a number or a text");
  return value_of(child(at, item_at(at, py::int_(key).cast<std::int64_t>())));
}

// Names of an object's state, or keys of a dict.
py::list keys_of(const ModelNode& at) {
  Node node = at.node;
  py::list keys;
  if (node.kind() == Kind::object) {
    std::optional<Node> state = node.state();
    // (dict, slots), as an object with slots has it.
    if (state && state->kind() == Kind::tuple) {
      for (std::uint64_t part = 0; part < state->size(); ++part) {
        const Node names = (*state)[part];
        for (std::uint64_t i = 0; names.kind() == Kind::dict && i < names.size(); ++i) {
          keys.append(value_of(child(at, names.key(i))));
        }
      }
      return keys;
    }
    if (!state || state->kind() != Kind::dict) return keys;
    node = *state;
  }
  if (node.kind() != Kind::dict)
    throw Error(Reason::wrong_kind, "a " + std::string(to_text(node.kind())) + " has no keys");
  for (std::uint64_t i = 0; i < node.size(); ++i) keys.append(value_of(child(at, node.key(i))));
  return keys;
}

py::object optional_child(const ModelNode& at, const std::optional<Node>& node) {
  return node ? value_of(child(at, *node)) : py::none();
}

// Every node once, parents first: (path, kind, node). Stops after `most` nodes.
py::list walk(const ModelNode& at, std::uint64_t most) {
  py::list found;
  Walk walk(at.node);
  while (walk.next() && most-- != 0) {
    found.append(
        py::make_tuple(text_of(walk.path()), std::string(to_text(walk.node().kind())), child(at, walk.node())));
  }
  return found;
}

}  // namespace

py::object value_of(const ModelNode& at) {
  const Node& node = at.node;
  switch (node.kind()) {
    case Kind::null: return py::none();
    case Kind::boolean: return py::bool_(node.boolean());
    case Kind::integer: return integer_of(node);
    case Kind::real: return py::float_(node.real());
    case Kind::complex: return py::cast(node.complex());
    case Kind::text: return text_of(node.text());
    case Kind::bytes: return bytes_of(node.bytes());
    case Kind::bytearray: return py::bytearray(bytes_of(node.bytes()));
    case Kind::ellipsis: return py::ellipsis();
    case Kind::scalar: return numpy_scalar(node.dtype(), node.scalar_bytes());
    case Kind::dtype: return numpy_dtype(node.dtype());
    case Kind::array: {
      if (node.dtype().type_class() != TypeClass::object) return array_of(node.array(), at.bases);
      return py::cast(at);
    }
    default: return py::cast(at);
  }
}

void bind_nodes(py::module_& module) {
  py::class_<ModelNode>(module, "Node", R"(A part of an open model that is no plain value: a list, dict, object, ...

Index it by number, key or name; ``len()``, iteration and ``keys()`` work as they do on what it stands for. Leaves are
Python's own values and arrays are NumPy's, over the map. Nothing is ever looked up, imported or run.)")
      .def_property_readonly("kind", [](const ModelNode& self) { return std::string(to_text(self.node.kind())); })
      .def_property_readonly("id", [](const ModelNode& self) { return self.node.id(); })
      .def_property_readonly("path", [](const ModelNode& self) { return text_of(self.node.path()); })
      .def_property_readonly("type_name",
                             [](const ModelNode& self) -> py::object {
                               const Kind kind = self.node.kind();
                               if (kind == Kind::object) return text_of(self.node.type_name());
                               if (kind == Kind::name) return text_of(self.node.name());
                               return py::none();
                             })
      .def_property_readonly("args", [](const ModelNode& self) { return optional_child(self, self.node.args()); })
      .def_property_readonly("state", [](const ModelNode& self) { return optional_child(self, self.node.state()); })
      .def_property_readonly("items_appended",
                             [](const ModelNode& self) { return optional_child(self, self.node.items()); })
      .def_property_readonly("entries", [](const ModelNode& self) { return optional_child(self, self.node.entries()); })
      .def_property_readonly("shape",
                             [](const ModelNode& self) { return py::tuple(py::cast(self.node.object_array_shape())); })
      .def("at",
           [](const ModelNode& self, const std::string& path) { return value_of(child(self, self.node.at(path))); })
      .def("node", [](const ModelNode& self, const std::string& path) { return child(self, self.node.at(path)); })
      .def("walk", &walk, py::arg("most") = std::uint64_t{1} << 32)
      .def("keys", &keys_of)
      .def("__getitem__", &member)
      .def("__contains__",
           [](const ModelNode& self, const py::object& key) {
             if (py::isinstance<py::str>(key)) return self.node.find(utf8_of(py::str(key))).has_value();
             try {
               member(self, key);
               return true;
             } catch (const Error& error) {
               if (error.code() == Errc::not_found) return false;
               throw;
             }
           })
      .def("__len__",
           [](const ModelNode& self) {
             return self.node.kind() == Kind::object ? py::len(keys_of(self)) : self.node.size();
           })
      .def("__iter__",
           [](const ModelNode& self) -> py::object {
             if (!has_items(self.node.kind())) return py::iter(keys_of(self));
             py::list items;
             for (std::uint64_t i = 0; i < self.node.size(); ++i) {
               items.append(value_of(child(self, self.node[static_cast<std::size_t>(i)])));
             }
             return py::iter(items);
           })
      .def("__eq__",
           [](const ModelNode& self, const py::object& other) {
             return py::isinstance<ModelNode>(other) && self.node == other.cast<const ModelNode&>().node;
           })
      .def("__hash__", [](const ModelNode& self) { return self.node.id(); })
      .def("__bool__", [](const ModelNode&) { return true; })
      .def("__repr__", [](const ModelNode& self) {
        const std::string kind(to_text(self.node.kind()));
        if (self.node.kind() == Kind::object || self.node.kind() == Kind::name) {
          return "<mere.Node " + kind + " " +
                 std::string(self.node.kind() == Kind::object ? self.node.type_name() : self.node.name()) + ">";
        }
        return "<mere.Node " + kind + " of " + std::to_string(self.node.size()) + ">";
      });
}

}  // namespace mere::python
