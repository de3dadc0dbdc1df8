#pragma once
// The few names that the importer understands, and what Python 2 called the others.

#include <cstdint>
#include <string_view>
#include <utility>

namespace mere::importers::pickle {

enum class Known : std::uint8_t {
  nothing,
  numpy_reconstruct,
  numpy_ndarray,
  numpy_memmap,
  numpy_frombuffer,
  numpy_dtype,
  numpy_scalar,
  reconstructor,
  newobj,
  newobj_ex,
  object,
  set,
  frozenset,
  bytes,
  bytearray,
  complex,
  slice,
  range,
  ellipsis,
  codecs_encode,
  joblib_array,
  joblib_companion,
  joblib_packed_companion,
};

Known find_known(std::string_view module, std::string_view qualname);

// Protocols 0 to 2 write names as Python 2 had them: their names in Python 3, as CPython maps them
// (Lib/_compat_pickle.py).
std::pair<std::string_view, std::string_view> python3_name(std::string_view module, std::string_view qualname);

}  // namespace mere::importers::pickle
