#include "errors.hpp"

#include <cerrno>
#include <exception>

#include <mere/error.hpp>

namespace py = pybind11;

namespace mere::python {

void set_python_error(const Error& error) {
  // The class is chosen in Python, where it is made too: mere._errors.error_of(code, reason, message).
  try {
    const py::object make = py::module_::import("mere._errors").attr("error_of");
    const std::string_view message = error.message();
    const py::object text = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
    const py::object made = make(std::string(to_text(error.code())), std::string(to_text(error.reason())), text);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  } catch (py::error_already_set& other) {
    other.restore();
  }
}

void bind_errors(py::module_& module) {
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      set_python_error(error);
    }
  });
  // For tests: the exception of every reason.
  module.def("raise_error", [](const std::string& reason, const std::string& message) {
    const auto found = find_reason(reason);
    if (!found) throw py::value_error("no reason is called " + reason);
    throw Error(*found, message);
  });
  module.def("reasons", [] {
    py::list words;
#define MERE_ADD_REASON(word, code) words.append(#word);
    MERE_REASONS(MERE_ADD_REASON)
#undef MERE_ADD_REASON
    return words;
  });
}

}  // namespace mere::python
