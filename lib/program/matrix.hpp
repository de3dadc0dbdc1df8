#pragma once
// The values that flow through a program: rows of doubles.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "program/texts.hpp"

namespace mere::program {

// Rows of which only some columns are given, the others are 0. Entries of a row may come in any order and more than
// once; they add up.
struct SparseRows {
  std::vector<std::size_t> starts{0};  // of each row, and the end
  std::vector<std::uint32_t> columns;
  std::vector<double> values;

  void clear() {
    starts.assign(1, 0);
    columns.clear();
    values.clear();
  }
  void add(std::uint32_t column, double value) {
    columns.push_back(column);
    values.push_back(value);
  }
  void end_row() { starts.push_back(columns.size()); }
};

// Row-major, `stride` doubles from row to row (at least `columns`). Borrows.
struct Matrix {
  const double* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
  // NumPy would hold this as float32: every number is one, and operators that keep the type round what they make.
  bool single = false;
  std::size_t first_row = 0;           // row 0 here is this row of what the caller gave: for messages
  const Texts* texts = nullptr;        // what numbers in columns of texts stand for; null: there are none
  const SparseRows* sparse = nullptr;  // not null: the rows are here and `data` is null (kernels that ask for it)

  const double* row(std::size_t i) const { return data + i * stride; }
};

struct MutableMatrix {
  double* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
  bool single = false;
  std::size_t first_row = 0;
  const Texts* texts = nullptr;

  double* row(std::size_t i) const { return data + i * stride; }
  operator Matrix() const { return {data, rows, columns, stride, single, first_row, texts}; }
};

}  // namespace mere::program
