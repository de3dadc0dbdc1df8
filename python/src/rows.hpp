#pragma once
// Rows to predict for, as Python has them: views over NumPy arrays and texts that stay Python's.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include <mere/predictor.hpp>

namespace mere::python {

// A two-dimensional array of float32 or float64, native, of any strides; the caller holds it. Throws Error: wrong_type.
MatrixView matrix_of(const pybind11::array& x);

// The three arrays of a scipy.sparse.csr_matrix with `columns` columns; the caller holds them. Throws Error:
// wrong_type.
CsrView sparse_of(const pybind11::array& values, const pybind11::array& indices, const pybind11::array& starts,
                  std::size_t columns);

// Columns of a table, each a tuple (name or None, values): an array of float64, float32, int64 or bool with one
// dimension; a list of str, where None is missing; or (codes, texts), an array of int32 and a list of str. Holds what
// it views.
class TableRows {
 public:
  // Throws Error: wrong_type, wrong_shape.
  explicit TableRows(const pybind11::list& columns);
  TableView view() const { return TableView(columns_); }

 private:
  std::string_view text_of(pybind11::handle value, std::string_view column);
  void add_texts(std::string_view name, const pybind11::list& texts);

  pybind11::list kept_;
  std::deque<std::vector<std::string_view>> texts_;
  std::vector<Column> columns_;
};

}  // namespace mere::python
