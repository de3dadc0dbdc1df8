#pragma once
// The values that flow through a program: rows of doubles.

#include <cstddef>

namespace mere::program {

// Row-major, `stride` doubles from row to row (at least `columns`). Borrows.
struct Matrix {
  const double* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
  // NumPy would hold this as float32: every number is one, and operators that keep the type round what they make.
  bool single = false;
  std::size_t first_row = 0;  // row 0 here is this row of what the caller gave: for messages

  const double* row(std::size_t i) const { return data + i * stride; }
};

struct MutableMatrix {
  double* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
  bool single = false;
  std::size_t first_row = 0;

  double* row(std::size_t i) const { return data + i * stride; }
  operator Matrix() const { return {data, rows, columns, stride, single, first_row}; }
};

}  // namespace mere::program
