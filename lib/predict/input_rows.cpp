#include "predict/input_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include <mere/error.hpp>

#include "program/operators/columns.hpp"

namespace mere::predict {

using program::Matrix;
using program::SparseRows;

namespace {

// Numbers up to here are exact as doubles, so that a cell of a table can be told by one.
constexpr std::uint64_t kMaxCells = std::uint64_t{1} << 53;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T>
T load_at(const void* from, std::ptrdiff_t bytes) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(from) + bytes, sizeof value);
  return value;
}

template <class T>
void load_rows(const Input& x, std::size_t first, std::size_t rows, double* to) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::byte* from = x.data + static_cast<std::ptrdiff_t>(first + r) * x.row_stride;
    for (std::size_t c = 0; c < x.columns; ++c) {
      *to++ = load_at<T>(from, static_cast<std::ptrdiff_t>(c) * x.column_stride);
    }
  }
}

Matrix block(const InputRows& of, std::size_t first, std::size_t rows) {
  Matrix m;
  m.rows = rows;
  m.columns = m.stride = of.columns;
  m.single = of.single;
  m.first_row = first;
  m.texts = of.texts;
  return m;
}

// "column 3" or "column 'city'".
std::string column_text(const program::Program& program, std::size_t column) {
  return "column " + (program.names.empty() ? std::to_string(column) : "'" + program.names[column] + "'");
}

std::string at_row(std::size_t row, const std::string& column) {
  return "the input at row " + std::to_string(row) + ", " + column;
}

}  // namespace

void InputRows::load(std::size_t, std::size_t, SparseRows&) const {}

std::size_t InputRows::rows_within(std::size_t, std::size_t count, std::size_t) const {
  return count;
}

DenseRows::DenseRows(const Input& x) : x_(x) {
  rows = x.rows;
  columns = x.columns;
  single = x.single;
}

Matrix DenseRows::dense(std::size_t first, std::size_t count, Workspace& workspace) const {
  Matrix m = block(*this, first, count);
  const auto address = reinterpret_cast<std::uintptr_t>(x_.data);
  const bool direct = !x_.single && address % alignof(double) == 0 &&
                      (x_.columns < 2 || x_.column_stride == std::ptrdiff_t{sizeof(double)}) &&
                      x_.row_stride % std::ptrdiff_t{sizeof(double)} == 0 && (count < 2 || x_.row_stride > 0);
  if (direct) {
    m.data = reinterpret_cast<const double*>(x_.data + static_cast<std::ptrdiff_t>(first) * x_.row_stride);
    m.stride = count < 2 ? x_.columns : static_cast<std::size_t>(x_.row_stride) / sizeof(double);
    return m;
  }
  double* copy = workspace.take<double>(count * x_.columns);
  if (x_.single) {
    load_rows<float>(x_, first, count, copy);
  } else {
    load_rows<double>(x_, first, count, copy);
  }
  m.data = copy;
  return m;
}

CsrRows::CsrRows(const CsrView& x) : x_(x) {
  rows = x.rows;
  columns = x.columns;
  single = x.single;
  if (rows == 0) return;
  if (x.starts == nullptr || (x.entries != 0 && (x.values == nullptr || x.indices == nullptr))) {
    throw Error(Reason::bad_argument, "the sparse rows have no values, indices or starts");
  }
  if (start(0) != 0) throw Error(Reason::bad_argument, "the first sparse row does not start at 0");
}

std::size_t CsrRows::start(std::size_t row) const {
  const std::int64_t at = x_.wide_starts ? load_at<std::int64_t>(x_.starts, static_cast<std::ptrdiff_t>(row * 8))
                                         : load_at<std::int32_t>(x_.starts, static_cast<std::ptrdiff_t>(row * 4));
  return at < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(at);
}

// take(column, value) for each entry.
template <class Take>
void CsrRows::each(std::size_t row, const Take& take) const {
  const std::size_t begin = start(row), end = start(row + 1);
  if (begin > end || end > x_.entries) {
    throw Error(Reason::bad_argument, "sparse row " + std::to_string(row) + " starts where it may not: it ends at " +
                                          std::to_string(end) + " of " + std::to_string(x_.entries) + " entries");
  }
  for (std::size_t i = begin; i < end; ++i) {
    const std::int64_t column = x_.wide_indices ? load_at<std::int64_t>(x_.indices, static_cast<std::ptrdiff_t>(i * 8))
                                                : load_at<std::int32_t>(x_.indices, static_cast<std::ptrdiff_t>(i * 4));
    if (column < 0 || static_cast<std::uint64_t>(column) >= columns) {
      throw Error(Reason::bad_argument, "sparse row " + std::to_string(row) + " has an entry in column " +
                                            std::to_string(column) + " of " + std::to_string(columns));
    }
    take(static_cast<std::uint32_t>(column), x_.single
                                                 ? load_at<float>(x_.values, static_cast<std::ptrdiff_t>(i * 4))
                                                 : load_at<double>(x_.values, static_cast<std::ptrdiff_t>(i * 8)));
  }
}

namespace {

// Entries from `begin` on by column; those of one column are added, in order.
void order_row(SparseRows& rows, std::size_t begin) {
  std::vector<std::pair<std::uint32_t, double>> row;
  for (std::size_t i = begin; i < rows.columns.size(); ++i) row.emplace_back(rows.columns[i], rows.values[i]);
  std::stable_sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  rows.columns.resize(begin);
  rows.values.resize(begin);
  for (const auto& [column, value] : row) {
    if (rows.columns.size() > begin && rows.columns.back() == column) {
      rows.values.back() += value;
    } else {
      rows.add(column, value);
    }
  }
}

}  // namespace

Matrix CsrRows::dense(std::size_t first, std::size_t count, Workspace& workspace) const {
  Matrix m = block(*this, first, count);
  double* to = workspace.take<double>(count * columns);
  std::fill_n(to, count * columns, 0.0);
  for (std::size_t r = 0; r < count; ++r) {
    each(first + r, [&](std::uint32_t column, double value) { to[r * columns + column] += value; });
  }
  m.data = to;
  return m;
}

void CsrRows::load(std::size_t first, std::size_t count, SparseRows& to) const {
  to.clear();
  for (std::size_t r = 0; r < count; ++r) {
    const std::size_t begin = to.columns.size();
    bool ascends = true;
    each(first + r, [&](std::uint32_t column, double value) {
      ascends = ascends && (to.columns.size() == begin || to.columns.back() < column);
      to.add(column, value);
    });
    if (!ascends) order_row(to, begin);
    to.end_row();
  }
}

std::size_t CsrRows::rows_within(std::size_t first, std::size_t count, std::size_t entries) const {
  while (count > 1 && start(first + count) - start(first) > entries) count /= 2;
  return count;
}

std::vector<bool> used_columns(const program::Program& program, const std::vector<std::size_t>& steps) {
  const auto count = static_cast<std::size_t>(program.columns);
  std::vector<bool> used(count, steps.empty());
  for (const std::size_t i : steps) {
    const program::Operator& step = *program.steps[i];
    if (std::find(step.inputs.begin(), step.inputs.end(), 0u) == step.inputs.end()) continue;
    const auto* select = dynamic_cast<const program::Select*>(&step);
    if (!select) return std::vector<bool>(count, true);
    for (const std::uint32_t column : select->columns) used[std::min<std::size_t>(column, count - 1)] = true;
  }
  return used;
}

TableRows::TableRows(const TableView& x, const program::Program& program, const std::vector<bool>& used)
    : program_(program), columns_(static_cast<std::size_t>(program.columns)) {
  rows = x.rows;
  columns = columns_.size();
  if (rows != 0 && columns > kMaxCells / rows) {
    throw Error(Reason::too_large, "a table of " + std::to_string(rows) + " rows of " + std::to_string(columns));
  }
  bool by_name = !program.names.empty();
  for (const Column& column : x.columns) {
    by_name = by_name && !column.name.empty();
    if (column.rows != rows) {
      throw Error(Reason::wrong_shape, "column '" + std::string(column.name) + "' of the table has " +
                                           std::to_string(column.rows) + " rows, the first has " +
                                           std::to_string(rows));
    }
  }
  if (!by_name && x.columns.size() != columns) {
    throw Error(Reason::wrong_shape, "the input has " + std::to_string(x.columns.size()) + " columns, " +
                                         program.estimator + " expects " + std::to_string(columns));
  }
  single = true;
  for (std::size_t c = 0; c < columns; ++c) {
    if (!used[c]) continue;
    if (by_name) {
      const auto found = std::find_if(x.columns.begin(), x.columns.end(),
                                      [&](const Column& column) { return column.name == program.names[c]; });
      if (found == x.columns.end()) {
        throw Error(Reason::no_path,
                    "the table has no column '" + program.names[c] + "', which " + program.estimator + " takes");
      }
      columns_[c] = &*found;
    } else {
      columns_[c] = &x.columns[c];
    }
    const Column& column = *columns_[c];
    if (column.kind == Column::Kind::text && !program.takes_text(c)) {
      throw Error(Reason::wrong_type, column_text(program, c) + " holds texts, the model takes numbers there");
    }
    single = single && column.kind == Column::Kind::f32 && !program.takes_text(c);
    if (program.takes_text(c)) texts = this;
  }
}

namespace {

double number_at(const Column& column, std::size_t row) {
  const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(row) * column.stride;
  switch (column.kind) {
    case Column::Kind::f64: return load_at<double>(column.values, at);
    case Column::Kind::f32: return load_at<float>(column.values, at);
    case Column::Kind::i64: return static_cast<double>(load_at<std::int64_t>(column.values, at));
    case Column::Kind::boolean: return load_at<std::uint8_t>(column.values, at) != 0 ? 1 : 0;
    case Column::Kind::text: break;
  }
  return kNan;
}

bool is_missing(const Column& column, std::size_t row) {
  return column.missing != nullptr && column.missing[row] != 0;
}

// Nothing: missing.
std::optional<std::string_view> text_at(const Column& column, std::size_t row) noexcept {
  if (is_missing(column, row)) return std::nullopt;
  if (column.offsets != nullptr) {
    const std::int64_t begin = column.offsets[row], end = column.offsets[row + 1];
    if (begin < 0 || begin > end || static_cast<std::uint64_t>(end) > column.bytes.size()) return std::nullopt;
    return column.bytes.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }
  std::size_t index = row;
  if (column.codes != nullptr) {
    if (column.codes[row] < 0) return std::nullopt;
    index = static_cast<std::size_t>(column.codes[row]);
  }
  if (index >= column.texts.size() || column.texts[index].data() == nullptr) return std::nullopt;
  return column.texts[index];
}

}  // namespace

Matrix TableRows::dense(std::size_t first, std::size_t count, Workspace& workspace) const {
  Matrix m = block(*this, first, count);
  double* to = workspace.take<double>(count * columns);
  for (std::size_t c = 0; c < columns; ++c) {
    const Column* column = columns_[c];
    for (std::size_t r = 0; r < count; ++r) {
      double& cell = to[r * columns + c];
      const std::size_t row = first + r;
      cell = kNan;
      if (column == nullptr || is_missing(*column, row)) continue;
      if (!program_.takes_text(c)) {
        cell = number_at(*column, row);
        continue;
      }
      if (column->kind == Column::Kind::text) {
        if (text_at(*column, row)) {
          cell = static_cast<double>(row * columns + c);
        } else if (column->offsets != nullptr) {
          throw Error(Reason::bad_argument,
                      at_row(row, column_text(program_, c)) + ": its text lies outside the bytes");
        }
        continue;
      }
      if (!std::isnan(number_at(*column, row))) {
        throw Error(Reason::wrong_type, at_row(row, column_text(program_, c)) + " is a number, the model takes texts");
      }
    }
  }
  m.data = to;
  return m;
}

std::optional<std::string_view> TableRows::find(double number) const noexcept {
  if (std::isnan(number)) return std::nullopt;
  if (number < 0) return program::constant_text(program_.texts, number);
  if (!(number < static_cast<double>(rows) * static_cast<double>(columns))) return std::nullopt;
  const auto cell = static_cast<std::uint64_t>(number);
  const std::size_t row = static_cast<std::size_t>(cell / columns);
  const Column* column = columns_[static_cast<std::size_t>(cell % columns)];
  if (column == nullptr || column->kind != Column::Kind::text || row >= rows) return std::nullopt;
  return text_at(*column, row);
}

}  // namespace mere::predict
