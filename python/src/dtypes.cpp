#include "dtypes.hpp"

#include <array>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

namespace py = pybind11;

namespace mere::python {

namespace {

struct SmallFloat {
  TypeClass type_class;
  const char* name;  // in ml_dtypes
};
constexpr SmallFloat kSmallFloats[] = {
    {TypeClass::bfloat16, "bfloat16"},
    {TypeClass::float8_e4m3fn, "float8_e4m3fn"},
    {TypeClass::float8_e5m2, "float8_e5m2"},
    {TypeClass::float8_e4m3fnuz, "float8_e4m3fnuz"},
    {TypeClass::float8_e5m2fnuz, "float8_e5m2fnuz"},
    {TypeClass::float8_e4m3b11fnuz, "float8_e4m3b11fnuz"},
    {TypeClass::float8_e8m0fnu, "float8_e8m0fnu"},
};

constexpr const char* kTimeUnits[] = {"Y", "M", "W", "", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", ""};

py::object numpy() {
  return py::module_::import("numpy");
}

char plain_letter(TypeClass type_class) {
  switch (type_class) {
    case TypeClass::boolean: return 'b';
    case TypeClass::integer: return 'i';
    case TypeClass::unsigned_integer: return 'u';
    case TypeClass::real:
    case TypeClass::long_double: return 'f';
    case TypeClass::complex:
    case TypeClass::complex_long_double: return 'c';
    case TypeClass::bytes: return 'S';
    case TypeClass::unicode: return 'U';
    case TypeClass::raw: return 'V';
    default: return 0;
  }
}

py::dtype from_text(const std::string& text) {
  return py::reinterpret_borrow<py::dtype>(numpy().attr("dtype")(text));
}

// A type whose size NumPy counts in an int.
void require_small(const Dtype& type) {
  if (type.itemsize() > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    throw Error(Reason::not_supported, "elements of " + std::to_string(type.itemsize()) + " bytes: NumPy has none");
  }
}

py::dtype make_plain(const Dtype& type, char letter) {
  std::uint64_t count = type.itemsize();
  if (letter == 'U') count /= 4;
  const char order = type.byte_order() == ByteOrder::big ? '>' : type.itemsize() == 1 ? '|' : '<';
  return from_text(std::string{order, letter} + std::to_string(count));
}

py::dtype make_time(const Dtype& type) {
  std::string text{type.byte_order() == ByteOrder::big ? '>' : '<',
                   type.type_class() == TypeClass::datetime ? 'M' : 'm', '8'};
  const auto unit = static_cast<std::size_t>(type.unit());
  if (type.unit() != TimeUnit::generic && unit < std::size(kTimeUnits)) {
    text += '[';
    if (type.multiple() != 1) text += std::to_string(type.multiple());
    text += std::string(kTimeUnits[unit]) + ']';
  }
  return from_text(text);
}

py::dtype make_record(const Dtype& type) {
  py::list names, formats, offsets, titles;
  bool has_titles = false;
  for (const Field& field : type.fields()) {
    names.append(py::str(field.name));
    formats.append(numpy_dtype(field.type));
    offsets.append(field.offset);
    has_titles = has_titles || !field.title.empty();
    if (field.title.empty()) {
      titles.append(py::none());
    } else {
      titles.append(py::str(field.title));
    }
  }
  py::dict parts;
  parts["names"] = names;
  parts["formats"] = formats;
  parts["offsets"] = offsets;
  parts["itemsize"] = type.itemsize();
  if (has_titles) parts["titles"] = titles;
  return py::reinterpret_borrow<py::dtype>(numpy().attr("dtype")(parts, type.aligned()));
}

py::dtype make_dtype(const Dtype& type) {
  require_small(type);
  if (const char letter = plain_letter(type.type_class())) return make_plain(type, letter);
  switch (type.type_class()) {
    case TypeClass::datetime:
    case TypeClass::timedelta: return make_time(type);
    case TypeClass::object: return from_text("O");
    case TypeClass::record: return make_record(type);
    case TypeClass::subarray: {
      py::tuple shape(type.shape().size());
      for (std::size_t i = 0; i < type.shape().size(); ++i) shape[i] = py::int_(type.shape()[i]);
      return py::reinterpret_borrow<py::dtype>(numpy().attr("dtype")(py::make_tuple(numpy_dtype(type.base()), shape)));
    }
    case TypeClass::other: return from_text("V" + std::to_string(type.itemsize()));
    default: break;
  }
  for (const SmallFloat& small : kSmallFloats) {
    if (small.type_class != type.type_class()) continue;
    try {
      return py::reinterpret_borrow<py::dtype>(
          numpy().attr("dtype")(py::module_::import("ml_dtypes").attr(small.name)));
    } catch (py::error_already_set& error) {
      if (!error.matches(PyExc_ImportError) && !error.matches(PyExc_AttributeError)) throw;
      throw Error(Reason::not_supported, "elements of " + type.to_text() + " need the Python package ml_dtypes");
    }
  }
  throw Error(Reason::not_supported, "elements of " + type.to_text() + ": NumPy has none");
}

Dtype record_of(py::handle type) {
  std::vector<Field> fields;
  const py::dict by_name(type.attr("fields"));
  for (const py::handle name : type.attr("names")) {
    const py::tuple entry(by_name[name]);
    Field field;
    field.name = name.cast<std::string>();
    field.type = dtype_of(entry[0]);
    field.offset = entry[1].cast<std::uint64_t>();
    if (entry.size() > 2 && py::isinstance<py::str>(entry[2])) field.title = entry[2].cast<std::string>();
    fields.push_back(std::move(field));
  }
  return Dtype::record(std::move(fields), type.attr("itemsize").cast<std::uint64_t>(),
                       type.attr("isalignedstruct").cast<bool>());
}

}  // namespace

py::dtype numpy_dtype(const Dtype& type) {
  // Numbers are the types of nearly all arrays: each is made once, and lives as long as the process.
  static std::unordered_map<std::uint64_t, PyObject*>* known = new std::unordered_map<std::uint64_t, PyObject*>;
  const bool is_number = type.type_class() <= TypeClass::complex && type.itemsize() <= 64;
  const std::uint64_t key = static_cast<std::uint64_t>(type.type_class()) |
                            static_cast<std::uint64_t>(type.byte_order()) << 8 | type.itemsize() << 16;
  if (is_number) {
    if (const auto found = known->find(key); found != known->end()) {
      return py::reinterpret_borrow<py::dtype>(found->second);
    }
  }
  py::dtype made = [&] {
    try {
      return make_dtype(type);
    } catch (py::error_already_set& error) {
      throw Error(Reason::bad_type,
                  "NumPy has no element type " + type.to_text() + ": " + py::str(error.value()).cast<std::string>());
    }
  }();
  if (static_cast<std::uint64_t>(made.attr("itemsize").cast<std::int64_t>()) != type.itemsize()) {
    throw Error(Reason::bad_type, "elements of " + type.to_text() + " have " + std::to_string(type.itemsize()) +
                                      " bytes in the file; NumPy's have other");
  }
  if (is_number) known->emplace(key, made.inc_ref().ptr());
  return made;
}

Dtype dtype_of(py::handle type) {
  if (!type.attr("subdtype").is_none()) {
    const py::tuple parts(type.attr("subdtype"));
    std::vector<std::int64_t> shape;
    for (const py::handle length : parts[1]) shape.push_back(length.cast<std::int64_t>());
    return Dtype::subarray(dtype_of(parts[0]), std::move(shape));
  }
  if (!type.attr("names").is_none()) return record_of(type);
  const auto kind = type.attr("kind").cast<std::string>();
  const auto itemsize = type.attr("itemsize").cast<std::uint64_t>();
  if (kind == "O") return Dtype(TypeClass::object, itemsize, ByteOrder::none);
  const auto name = type.attr("name").cast<std::string>();
  for (const SmallFloat& small : kSmallFloats) {
    if (name == small.name) return Dtype(small.type_class, itemsize);
  }
  constexpr std::string_view kKinds = "biufcSUVMm";
  if (kind.size() != 1 || kKinds.find(kind[0]) == std::string_view::npos) {
    throw Error(Reason::not_supported, "arrays of " + py::str(type).cast<std::string>() + " have no form in a file");
  }
  return Dtype::parse(type.attr("str").cast<std::string>());
}

}  // namespace mere::python
