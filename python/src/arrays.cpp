#include "arrays.hpp"

#include <array>
#include <cstring>

#include "dtypes.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

static_assert(sizeof(Py_intptr_t) == sizeof(std::int64_t));

py::object new_array(const py::dtype& type, const Dims& shape, const std::int64_t* strides, void* data, int flags) {
  auto& api = py::detail::npy_api::get();
  py::dtype kept = type;
  PyObject* made = api.PyArray_NewFromDescr_(api.PyArray_Type_, kept.release().ptr(), static_cast<int>(shape.size()),
                                             reinterpret_cast<Py_intptr_t*>(const_cast<std::int64_t*>(shape.data())),
                                             reinterpret_cast<Py_intptr_t*>(const_cast<std::int64_t*>(strides)), data,
                                             flags, nullptr);
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}

constexpr int kWriteable = 0x0400;  // NPY_ARRAY_WRITEABLE

}  // namespace

py::object array_of(const ArrayView& array, const ArrayBases& bases) {
  if (!bases || !array.is_mapped()) return copy_of(array);
  const auto layout = ArrayLayouts(array.image()).find(array.node_id());
  if (!layout) return copy_of(array);
  return array_over(*layout, numpy_dtype(layout->dtype), bases);
}

py::object array_over(const ArrayLayout& array, const py::object& type, const ArrayBases& bases) {
  const int writeable = py::detail::array_proxy(bases.rows.ptr())->flags & kWriteable;
  // Without elements it lies anywhere.
  const void* data = array.data == nullptr ? py::detail::array_proxy(bases.rows.ptr())->data
                                           : reinterpret_cast<const char*>(array.data);
  py::object made = new_array(py::reinterpret_borrow<py::dtype>(type), array.shape, array.strides.data(),
                              const_cast<void*>(data), writeable);
  const int flags = py::detail::array_proxy(made.ptr())->flags;
  const bool is_fortran = (flags & py::array::f_style) != 0 && (flags & py::array::c_style) == 0;
  const py::object& base = is_fortran ? bases.columns : bases.rows;
  auto& api = py::detail::npy_api::get();
  if (api.PyArray_SetBaseObject_(made.ptr(), base.inc_ref().ptr()) != 0) throw py::error_already_set();
  return made;
}

py::object copy_of(const ArrayView& array) {
  const py::dtype type = numpy_dtype(array.dtype());
  py::object made = new_array(type, array.shape(), nullptr, nullptr, 0);
  auto* proxy = py::detail::array_proxy(made.ptr());
  array.copy_to({reinterpret_cast<std::byte*>(proxy->data), static_cast<std::size_t>(array.nbytes())});
  return made;
}

py::object numpy_scalar(const Dtype& type, std::span<const std::byte> bytes) {
  const py::object made = new_array(numpy_dtype(type), Dims(), nullptr, nullptr, 0);
  if (bytes.size() != type.itemsize()) {
    throw Error(Reason::bad_type, "a scalar of " + std::to_string(bytes.size()) + " bytes is no " + type.to_text());
  }
  std::memcpy(py::detail::array_proxy(made.ptr())->data, bytes.data(), bytes.size());
  return made[py::tuple()];
}

}  // namespace mere::python
