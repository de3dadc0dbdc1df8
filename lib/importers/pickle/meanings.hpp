#pragma once
// What the calls of a pickle stream stand for: docs/importers.md, "What becomes what", as a table of known shapes.

#include <optional>

#include "importers/pickle/numpy_types.hpp"
#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

enum class Meaning : std::uint8_t {
  plain_call,      // type(*args)
  plain_object,    // an instance of a class
  reconstructed,   // copyreg._reconstructor(C, object, None) or copyreg.__newobj__(C, ...): an instance too
  opaque,          // a function, class, cell or code object by value
  array,           // numpy.ndarray
  frombuffer,      // the same in protocol 5
  record_buffer,   // the same of elements of the class numpy.record
  object_array,    // numpy.ndarray of objects
  array_subclass,  // a call whose state holds an array
  masked_array,    // a call whose state holds two
  datetime_call,   // a call whose first argument is bytes, also where Python 2 wrote them as a str
  dtype,
  scalar,
  bytes,
  bytearray,
  set,
  frozenset,
  complex,
  slice,
  range,
};

// numpy.ndarray.__setstate__: (version, shape, dtype, fortran, data), in very old files without the version; for a
// masked array (version, shape, dtype, fortran, data, mask, fill value).
struct ArrayState {
  ValueId shape, dtype, fortran, data;
};
std::optional<ArrayState> find_array_state(const Values& values, const Call& call);

// `types` remembers the element types that it meets. Throws Error: what NumpyTypes::dtype throws, bad_text.
Meaning meaning_of(const Values& values, NumpyTypes& types, const Call& call);

}  // namespace mere::importers::pickle
