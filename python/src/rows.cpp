#include "rows.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace py = pybind11;

namespace mere::python {

namespace {

std::string described(const py::array& array) {
  return "an array of " + py::str(array.attr("dtype")).cast<std::string>() + " with " + std::to_string(array.ndim()) +
         " dimensions";
}

template <class T>
bool is_flat(const py::array& array) {
  return py::isinstance<py::array_t<T>>(array) && array.ndim() == 1 &&
         (array.shape(0) < 2 || array.strides(0) == static_cast<py::ssize_t>(sizeof(T)));
}

template <class Narrow, class Wide>
bool is_wide(const py::array& array, const char* what, const char* expected) {
  if (is_flat<Wide>(array)) return true;
  if (is_flat<Narrow>(array)) return false;
  throw Error(Reason::wrong_type, std::string(what) + " of sparse rows: " + described(array) + "; " + expected +
                                      " side by side are expected");
}

}  // namespace

MatrixView matrix_of(const py::array& x) {
  MatrixView view;
  const bool is_single = py::isinstance<py::array_t<float>>(x);
  if ((!is_single && !py::isinstance<py::array_t<double>>(x)) || x.ndim() != 2) {
    throw Error(Reason::wrong_type, "the rows are " + described(x) + "; float32 or float64 with 2 is expected");
  }
  view.data = x.data();
  view.single = is_single;
  view.rows = static_cast<std::size_t>(x.shape(0));
  view.columns = static_cast<std::size_t>(x.shape(1));
  view.row_stride = x.strides(0);
  view.column_stride = x.strides(1);
  return view;
}

CsrView sparse_of(const py::array& values, const py::array& indices, const py::array& starts, std::size_t columns) {
  CsrView view;
  view.single = !is_wide<float, double>(values, "values", "float32 or float64");
  view.wide_indices = is_wide<std::int32_t, std::int64_t>(indices, "indices", "int32 or int64");
  view.wide_starts = is_wide<std::int32_t, std::int64_t>(starts, "indptr", "int32 or int64");
  if (starts.size() == 0) throw Error(Reason::wrong_shape, "sparse rows whose indptr is empty");
  view.values = values.data();
  view.indices = indices.data();
  view.starts = starts.data();
  view.rows = static_cast<std::size_t>(starts.size()) - 1;
  view.columns = columns;
  view.entries = static_cast<std::size_t>(std::min(values.size(), indices.size()));
  return view;
}

TableRows::TableRows(const py::list& columns) : kept_(columns) {
  columns_.reserve(columns.size());
  std::optional<std::size_t> rows;
  for (const py::handle member : columns) {
    const py::tuple column = py::reinterpret_borrow<py::tuple>(member);
    const std::string_view name = column[0].is_none() ? std::string_view() : text_of(column[0], "names of columns");
    const py::object values = column[1];
    if (py::isinstance<py::list>(values)) {
      add_texts(name, py::list(values));
    } else if (py::isinstance<py::tuple>(values)) {
      const py::tuple parts(values);
      const py::array codes(parts[0]);
      if (!is_flat<std::int32_t>(codes)) throw Error(Reason::wrong_type, "codes of categories: " + described(codes));
      add_texts(name, py::list(parts[1]));
      columns_.pop_back();
      columns_.push_back(Column::categories(
          name, {static_cast<const std::int32_t*>(codes.data()), static_cast<std::size_t>(codes.size())},
          texts_.back()));
    } else {
      const py::array numbers(values);
      Column made = Column::numbers(name, std::span<const double>());
      if (py::isinstance<py::array_t<double>>(numbers)) {
        made.kind = Column::Kind::f64;
      } else if (py::isinstance<py::array_t<float>>(numbers)) {
        made.kind = Column::Kind::f32;
      } else if (py::isinstance<py::array_t<std::int64_t>>(numbers)) {
        made.kind = Column::Kind::i64;
      } else if (py::isinstance<py::array_t<bool>>(numbers)) {
        made.kind = Column::Kind::boolean;
      } else {
        throw Error(Reason::wrong_type, "column '" + std::string(name) + "' is " + described(numbers));
      }
      if (numbers.ndim() != 1)
        throw Error(Reason::wrong_shape, "column '" + std::string(name) + "' is " + described(numbers));
      made.values = numbers.data();
      made.stride = numbers.strides(0);
      made.rows = static_cast<std::size_t>(numbers.size());
      columns_.push_back(made);
    }
    const std::size_t found = columns_.back().rows;
    if (rows && *rows != found) {
      throw Error(Reason::wrong_shape, "column '" + std::string(name) + "' has " + std::to_string(found) +
                                           " rows, those before it " + std::to_string(*rows));
    }
    rows = found;
  }
}

// The text's UTF-8, which Python keeps as long as the text.
std::string_view TableRows::text_of(py::handle value, std::string_view column) {
  if (!PyUnicode_Check(value.ptr())) {
    throw Error(Reason::wrong_type, "column '" + std::string(column) + "': " +
                                        py::str(py::type::handle_of(value).attr("__name__")).cast<std::string>() +
                                        " where a text is expected");
  }
  Py_ssize_t length = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &length);
  if (utf8 == nullptr) throw py::error_already_set();
  return {utf8, static_cast<std::size_t>(length)};
}

void TableRows::add_texts(std::string_view name, const py::list& texts) {
  std::vector<std::string_view>& views = texts_.emplace_back();
  views.reserve(texts.size());
  for (const py::handle value : texts) {
    views.push_back(value.is_none() ? std::string_view() : text_of(value, name));
  }
  columns_.push_back(Column::strings(name, views));
}

}  // namespace mere::python
