#pragma once
// Rows to predict for that are no dense matrix: sparse ones, and tables of columns with names. Views; all borrow.
// What a program makes of them: docs/operators.md, "Input".

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mere {

// Rows of which only some columns are given, the others are 0: scipy.sparse.csr_matrix. Native byte order, no gaps, any
// alignment. Of a column that a row gives twice the numbers are added, in order. Nothing is believed before use: an
// index outside the columns, or starts that fall or pass `entries`, give Error(bad_argument).
struct CsrView {
  const void* values = nullptr;   // float64, or float32 if `single`
  const void* indices = nullptr;  // the column of each value: int32, or int64 if `wide_indices`
  const void* starts = nullptr;   // scipy's indptr, rows + 1 of them: int32, or int64 if `wide_starts`
  bool single = false, wide_indices = false, wide_starts = false;
  std::size_t rows = 0, columns = 0;
  std::size_t entries = 0;  // of `values` and of `indices`

  CsrView() = default;
  template <class Value, class Index, class Start>
  CsrView(std::span<const Value> with_values, std::span<const Index> with_indices, std::span<const Start> with_starts,
          std::size_t with_columns)
      : values(with_values.data()),
        indices(with_indices.data()),
        starts(with_starts.data()),
        single(sizeof(Value) == 4),
        wide_indices(sizeof(Index) == 8),
        wide_starts(sizeof(Start) == 8),
        rows(with_starts.empty() ? 0 : with_starts.size() - 1),
        columns(with_columns),
        entries(with_values.size() < with_indices.size() ? with_values.size() : with_indices.size()) {
    static_assert(sizeof(Value) == 4 || sizeof(Value) == 8);
    static_assert(sizeof(Index) == 4 || sizeof(Index) == 8);
    static_assert(sizeof(Start) == 4 || sizeof(Start) == 8);
  }
};

// One column of a table: numbers or texts (UTF-8). The functions below make one; each takes one element a row.
struct Column {
  enum class Kind : std::uint8_t { f64, f32, i64, boolean, text };

  std::string_view name;  // empty: none, then columns go by their position
  Kind kind = Kind::f64;
  std::size_t rows = 0;
  // One byte a row, not 0 where the element is missing; null: none is, but for NaN and for texts without data.
  const std::uint8_t* missing = nullptr;

  // Numbers: the first, and the bytes from one to the next (any sign, any alignment); bool is a byte.
  const void* values = nullptr;
  std::ptrdiff_t stride = 0;

  // Texts, in one of three forms: a view a row, missing where its data() is null; a category's index a row (negative or
  // past the end: missing) into such views; or bytes of which row i has those from offsets[i] to offsets[i + 1].
  std::span<const std::string_view> texts;
  const std::int32_t* codes = nullptr;
  const std::int64_t* offsets = nullptr;
  std::string_view bytes;

  static Column numbers(std::string_view name, std::span<const double> values) {
    return made(name, Kind::f64, values.data(), values.size(), sizeof(double));
  }
  static Column numbers(std::string_view name, std::span<const float> values) {
    return made(name, Kind::f32, values.data(), values.size(), sizeof(float));
  }
  static Column numbers(std::string_view name, std::span<const std::int64_t> values) {
    return made(name, Kind::i64, values.data(), values.size(), sizeof(std::int64_t));
  }
  static Column numbers(std::string_view name, std::span<const bool> values) {
    return made(name, Kind::boolean, values.data(), values.size(), sizeof(bool));
  }
  static Column strings(std::string_view name, std::span<const std::string_view> texts) {
    Column column = made(name, Kind::text, nullptr, texts.size(), 0);
    column.texts = texts;
    return column;
  }
  static Column categories(std::string_view name, std::span<const std::int32_t> codes,
                           std::span<const std::string_view> texts) {
    Column column = made(name, Kind::text, nullptr, codes.size(), 0);
    column.codes = codes.data();
    column.texts = texts;
    return column;
  }
  // One offset more than rows.
  static Column strings(std::string_view name, std::span<const std::int64_t> offsets, std::string_view bytes) {
    Column column = made(name, Kind::text, nullptr, offsets.empty() ? 0 : offsets.size() - 1, 0);
    column.offsets = offsets.data();
    column.bytes = bytes;
    return column;
  }

 private:
  static Column made(std::string_view name, Kind kind, const void* values, std::size_t rows, std::ptrdiff_t stride) {
    Column column;
    column.name = name;
    column.kind = kind;
    column.values = values;
    column.rows = rows;
    column.stride = stride;
    return column;
  }
};

// Columns side by side. If the model has names and every column here has one, columns are found by name, in any order;
// others are ignored, and one that is missing is an Error(no_path) that names it. Else they go by position, and there
// have to be as many as the model takes. A text where a number is expected, and a number (that is not missing) where a
// text is, give Error(wrong_type).
struct TableView {
  std::span<const Column> columns;
  std::size_t rows = 0;

  TableView() = default;
  TableView(std::span<const Column> with_columns)
      : columns(with_columns), rows(with_columns.empty() ? 0 : with_columns.front().rows) {}
};

}  // namespace mere
