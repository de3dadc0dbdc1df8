#pragma once
// Python's values of the leaves of a graph. The GIL is held; all throw what Python raises.

#include <pybind11/pybind11.h>

#include <string_view>

#include <mere/node.hpp>

namespace mere::python {

// A new reference, as CPython's functions give one, or their error.
inline pybind11::object stolen(PyObject* made) {
  if (made == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(made);
}

// Texts of files may hold lone surrogates, as Python's may.
inline pybind11::object text_of(std::string_view utf8) {
  return stolen(PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), "surrogatepass"));
}

// An int of any size.
inline pybind11::object integer_of(const Node& node) {
  if (!node.is_big()) return stolen(PyLong_FromLongLong(node.integer()));
  const std::span<const std::byte> bytes = node.integer_bytes();
  const pybind11::bytes twos_complement(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return pybind11::handle(reinterpret_cast<PyObject*>(&PyLong_Type))
      .attr("from_bytes")(twos_complement, "little", pybind11::arg("signed") = true);
}

}  // namespace mere::python
