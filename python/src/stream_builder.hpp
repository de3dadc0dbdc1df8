#pragma once
// Takes arrays, and functions without a name, out of a pickle stream while it is written.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <mere/object_stream.hpp>

namespace mere::python {

// One stream's. The GIL is held in all of it.
class StreamBuilder {
 public:
  // `dump_opaque`: object -> bytes, for what has no name that pickle could write; None: that is an error.
  // `map_type`: a subclass of numpy.memmap that stands for the bytes of a file alone.
  StreamBuilder(pybind11::object dump_opaque, pybind11::handle map_type);

  // The number that stands for `object`, or -1 if the stream is to hold it. Throws what Python raises, and
  // Error(bad_argument): without a name.
  std::int64_t part_of(PyObject* object);
  const StreamParts& parts() const { return parts_; }

 private:
  std::int64_t array_part(PyObject* array);
  std::int64_t opaque_part(PyObject* object);
  const std::optional<Dtype>& type_of(PyObject* array);
  bool has_name(PyObject* object);
  void keep(PyObject* object) { kept_.push_back(pybind11::reinterpret_borrow<pybind11::object>(object)); }

  pybind11::object dump_opaque_;
  PyTypeObject *ndarray_, *memmap_, *map_type_;
  pybind11::object record_, modules_, reducers_;
  StreamParts parts_;
  std::unordered_map<PyObject*, std::int64_t> numbers_;        // by the object's address: all are kept
  std::unordered_map<PyObject*, std::optional<Dtype>> types_;  // by the address of NumPy's
  std::vector<pybind11::object> kept_;
};

}  // namespace mere::python
