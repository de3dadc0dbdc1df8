#pragma once
// The few names that the importer understands.

#include <cstdint>
#include <string_view>

namespace mere::importers::pickle {

enum class Known : std::uint8_t {
  nothing,
  numpy_reconstruct,
  numpy_mareconstruct,
  numpy_ndarray,
  numpy_memmap,
  numpy_record,
  numpy_frombuffer,
  numpy_dtype,
  numpy_scalar,
  reconstructor,
  newobj,
  newobj_ex,
  object,
  integer,
  real,
  text,
  list,
  dict,
  set,
  frozenset,
  bytes,
  bytearray,
  complex,
  slice,
  range,
  ellipsis,
  codecs_encode,
  datetime,  // date, time and datetime
  joblib_array,
  joblib_companion,
  joblib_packed_companion,
  // Used up where they are understood: such a name is none of the file's.
  attribute_of,       // getattr
  type_of,            // type
  ufunc_reconstruct,  // numpy.core._ufunc_reconstruct(module, name)
  builtin_type,       // cloudpickle's _builtin_type(name)
  // What cloudpickle makes functions and classes from, and what then fills them.
  cloud_function,
  cloud_class,
  cloud_code,
  cloud_cell,
  cloud_function_setter,
  cloud_class_setter,
};

Known find_known(std::string_view module, std::string_view qualname);

}  // namespace mere::importers::pickle
