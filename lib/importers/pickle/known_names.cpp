#include "importers/pickle/known_names.hpp"

namespace mere::importers::pickle {

namespace {

struct KnownName {
  std::string_view module, qualname;
  Known known;
};

constexpr KnownName kKnownNames[] = {
    {"numpy.core.multiarray", "_reconstruct", Known::numpy_reconstruct},
    {"numpy._core.multiarray", "_reconstruct", Known::numpy_reconstruct},
    {"numpy.ma.core", "_mareconstruct", Known::numpy_mareconstruct},
    {"numpy", "ndarray", Known::numpy_ndarray},
    {"numpy", "memmap", Known::numpy_memmap},
    {"numpy.core.memmap", "memmap", Known::numpy_memmap},
    {"numpy._core.memmap", "memmap", Known::numpy_memmap},
    {"numpy", "record", Known::numpy_record},
    {"numpy.core.records", "record", Known::numpy_record},
    {"numpy.rec", "record", Known::numpy_record},
    {"numpy.core.numeric", "_frombuffer", Known::numpy_frombuffer},
    {"numpy._core.numeric", "_frombuffer", Known::numpy_frombuffer},
    {"numpy", "dtype", Known::numpy_dtype},
    {"numpy.core.multiarray", "scalar", Known::numpy_scalar},
    {"numpy._core.multiarray", "scalar", Known::numpy_scalar},
    {"numpy.core", "_ufunc_reconstruct", Known::ufunc_reconstruct},
    {"numpy._core", "_ufunc_reconstruct", Known::ufunc_reconstruct},
    {"copyreg", "_reconstructor", Known::reconstructor},
    {"copyreg", "__newobj__", Known::newobj},
    {"copyreg", "__newobj_ex__", Known::newobj_ex},
    {"builtins", "object", Known::object},
    {"builtins", "int", Known::integer},
    {"builtins", "float", Known::real},
    {"builtins", "str", Known::text},
    {"builtins", "list", Known::list},
    {"builtins", "dict", Known::dict},
    {"builtins", "set", Known::set},
    {"builtins", "frozenset", Known::frozenset},
    {"builtins", "bytes", Known::bytes},
    {"builtins", "bytearray", Known::bytearray},
    {"builtins", "complex", Known::complex},
    {"builtins", "slice", Known::slice},
    {"builtins", "range", Known::range},
    {"builtins", "Ellipsis", Known::ellipsis},
    {"builtins", "getattr", Known::attribute_of},
    {"builtins", "type", Known::type_of},
    {"_codecs", "encode", Known::codecs_encode},
    {"datetime", "date", Known::datetime},
    {"datetime", "time", Known::datetime},
    {"datetime", "datetime", Known::datetime},
    {"types", "FunctionType", Known::cloud_function},
    {"types", "LambdaType", Known::cloud_function},
    {"types", "CodeType", Known::cloud_code},
    {"types", "CellType", Known::cloud_cell},
    {"joblib.numpy_pickle", "NumpyArrayWrapper", Known::joblib_array},
    {"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper", Known::joblib_array},
    {"joblib.numpy_pickle", "NDArrayWrapper", Known::joblib_companion},
    {"sklearn.externals.joblib.numpy_pickle", "NDArrayWrapper", Known::joblib_companion},
    {"joblib.numpy_pickle", "ZNDArrayWrapper", Known::joblib_packed_companion},
    {"sklearn.externals.joblib.numpy_pickle", "ZNDArrayWrapper", Known::joblib_packed_companion},
};

// Of cloudpickle in its releases from 0.2 on.
constexpr KnownName kCloudNames[] = {
    {"", "_make_function", Known::cloud_function},
    {"", "_make_skel_func", Known::cloud_function},
    {"", "_make_skeleton_class", Known::cloud_class},
    {"", "_make_skeleton_enum", Known::cloud_class},
    {"", "_make_cell", Known::cloud_cell},
    {"", "_make_empty_cell", Known::cloud_cell},
    {"", "_builtin_type", Known::builtin_type},
    {"", "_fill_function", Known::cloud_function_setter},
    {"", "_function_setstate", Known::cloud_function_setter},
    {"", "_rehydrate_skeleton_class", Known::cloud_class_setter},
    {"", "_class_setstate", Known::cloud_class_setter},
};

// cloudpickle itself, or one of the copies that libraries bring: joblib.externals.cloudpickle.cloudpickle,
// pyspark.cloudpickle, ray.cloudpickle.cloudpickle_fast.
bool is_cloudpickle(std::string_view module) {
  const auto last = module.substr(module.rfind('.') + 1);  // npos + 1 is 0
  return last == "cloudpickle" || last == "cloudpickle_fast";
}

}  // namespace

Known find_known(std::string_view module, std::string_view qualname) {
  for (const KnownName& row : kKnownNames) {
    if (row.qualname == qualname && row.module == module) return row.known;
  }
  if (!is_cloudpickle(module)) return Known::nothing;
  for (const KnownName& row : kCloudNames) {
    if (row.qualname == qualname) return row.known;
  }
  return Known::nothing;
}

}  // namespace mere::importers::pickle
