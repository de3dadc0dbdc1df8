#pragma once
// Arrays of a model as NumPy's, over the map or copied out of it.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <mere/array.hpp>
#include <mere/array_layout.hpp>

namespace mere::python {

// An exact ndarray over the elements where they lie. `base` is what keeps them: the memmap of the file, whose
// writability it takes. Throws Error: not_mapped (compressed: copy_of()), what numpy_dtype() throws. The GIL is held.
pybind11::object array_over(const ArrayView& array, pybind11::handle base);

// The same of what was read of it already; `type` is NumPy's for its elements.
pybind11::object array_over(const ArrayLayout& array, const pybind11::object& type, pybind11::handle base);

// An ndarray of its own, C order, writable; reads compressed arrays too.
pybind11::object copy_of(const ArrayView& array);

// Element 0 of an array of `bytes`: the NumPy scalar.
pybind11::object numpy_scalar(const Dtype& type, std::span<const std::byte> bytes);

}  // namespace mere::python
