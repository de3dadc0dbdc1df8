#include "stream_builder.hpp"

#include <span>
#include <utility>

#include "dtypes.hpp"

namespace py = pybind11;

namespace mere::python {

StreamBuilder::StreamBuilder(py::object dump_opaque, py::handle map_type) : dump_opaque_(std::move(dump_opaque)) {
  const py::module_ numpy = py::module_::import("numpy");
  ndarray_ = py::detail::npy_api::get().PyArray_Type_;
  // Types of modules that stay.
  memmap_ = reinterpret_cast<PyTypeObject*>(numpy.attr("memmap").ptr());
  map_type_ = map_type.is_none() ? memmap_ : reinterpret_cast<PyTypeObject*>(map_type.ptr());
  record_ = numpy.attr("record");
  modules_ = py::module_::import("sys").attr("modules");
  reducers_ = py::module_::import("copyreg").attr("dispatch_table");
}

std::int64_t StreamBuilder::part_of(PyObject* object) {
  const PyTypeObject* type = Py_TYPE(object);
  if (type == ndarray_ || type == memmap_ || type == map_type_) return array_part(object);
  if (PyFunction_Check(object) || PyType_Check(object) || PyCode_Check(object) || PyCell_Check(object))
    return opaque_part(object);
  return -1;
}

// Nothing for elements that the stream has to hold: objects, and types that only NumPy's own pickling tells whole.
const std::optional<Dtype>& StreamBuilder::type_of(PyObject* array) {
  PyObject* descr = py::detail::array_proxy(array)->descr;
  const auto [found, fresh] = types_.try_emplace(descr);
  if (!fresh) return found->second;
  keep(descr);
  const py::handle type(descr);
  if (type.attr("hasobject").cast<bool>() || py::object(type.attr("type")).is(record_) ||
      !type.attr("metadata").is_none())
    return found->second;
  try {
    found->second = dtype_of(type);
  } catch (const Error& error) {
    // Types that a file has no form for are pickled as NumPy pickles them.
    if (error.reason() != Reason::not_supported && error.reason() != Reason::unknown_type) throw;
  }
  return found->second;
}

std::int64_t StreamBuilder::array_part(PyObject* array) {
  const auto [found, fresh] = numbers_.try_emplace(array, -1);
  if (!fresh) return found->second;
  keep(array);
  const std::optional<Dtype>& type = type_of(array);
  if (!type) return -1;
  const auto* proxy = py::detail::array_proxy(array);
  static_assert(sizeof(*proxy->dimensions) == sizeof(std::int64_t));
  const auto ndim = static_cast<std::size_t>(proxy->nd);
  const auto number = parts_.add_array(*type, {reinterpret_cast<const std::int64_t*>(proxy->dimensions), ndim},
                                       {reinterpret_cast<const std::int64_t*>(proxy->strides), ndim},
                                       reinterpret_cast<const std::byte*>(proxy->data));
  return found->second = static_cast<std::int64_t>(number);
}

// As pickle.whichmodule and save_global look for it.
bool StreamBuilder::has_name(PyObject* object) {
  const py::handle thing(object);
  if (PyCode_Check(object) || PyCell_Check(object)) return false;
  if (PyType_Check(object)) {
    if (object == reinterpret_cast<PyObject*>(Py_TYPE(Py_None)) ||
        object == reinterpret_cast<PyObject*>(Py_TYPE(Py_NotImplemented)) ||
        object == reinterpret_cast<PyObject*>(Py_TYPE(Py_Ellipsis))) {
      return true;  // pickle spells these
    }
    // A metaclass may have its own way of being pickled.
    if (reducers_.contains(py::type::of(thing))) return true;
  }
  const py::object module = py::getattr(thing, "__module__", py::none());
  if (!py::isinstance<py::str>(module)) return true;  // pickle searches, and says what it thinks
  const py::object qualname = py::getattr(thing, "__qualname__", py::getattr(thing, "__name__", py::none()));
  if (!py::isinstance<py::str>(qualname)) return false;
  py::object at;
  try {
    at = modules_.contains(module) ? py::object(modules_[module])
                                   : py::module_::import("importlib").attr("import_module")(module);
    for (const py::handle part : qualname.attr("split")(".")) at = at.attr(py::str(part));
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_Exception)) throw;
    return false;
  }
  return at.is(thing);
}

std::int64_t StreamBuilder::opaque_part(PyObject* object) {
  if (const auto found = numbers_.find(object); found != numbers_.end()) return found->second;
  keep(object);
  if (has_name(object)) return numbers_[object] = -1;
  if (dump_opaque_.is_none()) {
    const py::handle thing(object);
    const auto text = [&](const char* name) {
      const py::object found = py::getattr(thing, name, py::none());
      return py::isinstance<py::str>(found) ? py::cast<std::string>(found) : std::string();
    };
    const std::string name =
        text("__qualname__").empty() ? py::cast<std::string>(py::repr(thing)) : text("__qualname__");
    throw Error(Reason::bad_argument,
                (text("__module__").empty() ? name : text("__module__") + "." + name) +
                    " cannot be imported by name, so that pickle refuses it: with allow_opaque=True it is carried by "
                    "value, as cloudpickle writes it");
  }
  const py::object pickled = dump_opaque_(py::handle(object));
  kept_.push_back(pickled);
  char* data = nullptr;
  Py_ssize_t length = 0;
  if (PyBytes_AsStringAndSize(pickled.ptr(), &data, &length) != 0) throw py::error_already_set();
  const auto number = parts_.add_opaque({reinterpret_cast<const std::byte*>(data), static_cast<std::size_t>(length)});
  return numbers_[object] = static_cast<std::int64_t>(number);
}

}  // namespace mere::python
