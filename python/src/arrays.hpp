#pragma once
// Arrays of a model as NumPy's, over the map or copied out of it.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <mere/array.hpp>
#include <mere/array_layout.hpp>

namespace mere::python {

// The memmaps over a file's bytes that its arrays are views of: one of C order and one of Fortran's, as joblib takes
// the order of a map for that of the array it passes. Without them arrays are copied out.
struct ArrayBases {
  pybind11::object rows;
  pybind11::object columns;

  explicit operator bool() const { return rows && !rows.is_none(); }
};

// An exact ndarray over the elements where they lie, kept by the base of its order, whose writability it takes; a
// copy where there is no base or the array is compressed. Throws Error: what numpy_dtype() throws. The GIL is held.
pybind11::object array_of(const ArrayView& array, const ArrayBases& bases);

// The same over the elements alone, of what was read of it already; `type` is NumPy's for them. There are bases.
pybind11::object array_over(const ArrayLayout& array, const pybind11::object& type, const ArrayBases& bases);

// An ndarray of its own, C order, writable; reads compressed arrays too.
pybind11::object copy_of(const ArrayView& array);

// Element 0 of an array of `bytes`: the NumPy scalar.
pybind11::object numpy_scalar(const Dtype& type, std::span<const std::byte> bytes);

}  // namespace mere::python
