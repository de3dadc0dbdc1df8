#pragma once
// The rows to predict for, from a file.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mere/model.hpp>
#include <mere/predictor.hpp>
#include <mere/score.hpp>

#include "terminal.hpp"

namespace mere::command {

// Rows in memory, and what they lie in.
struct LoadedRows {
  std::variant<MatrixView, CsrView, TableView> view;
  Model file;                                        // of .npy and .npz
  std::vector<double> values;                        // of CSV, and of elements that are no floating-point numbers
  std::vector<float> floats;                         // of sparse rows of float32
  std::vector<std::int64_t> indices, starts;         // of sparse rows
  std::vector<std::vector<double>> numbers;          // of a table
  std::vector<std::vector<std::string>> texts;       // of a table
  std::vector<std::vector<std::string_view>> views;  // of its texts
  std::vector<Column> columns;                       // of a table
  std::vector<std::string> names;                    // of its columns

  std::size_t rows() const {
    return std::visit([](const auto& x) { return x.rows; }, view);
  }
};

// Reads an .npy of two dimensions, an .npz with one such member (or one called X), what scipy.sparse.save_npz writes
// (csr, csc or coo), or CSV with a header line, told by the bytes; "-" is standard input. Whole numbers and booleans
// become float64. Columns of a CSV are found by name if the model has names (others are ignored), else they come in
// order; the model says which have texts; an empty cell is a missing value. An .npy of fixed-size texts is a table of
// texts. Throws Error: no_file, wrong_shape, wrong_type, no_path (a column is missing), bad_record (CSV, sparse),
// too_large, ...
LoadedRows load_rows(const std::string& path, const Predictor& predictor, const Limits& limits, const Manners& manners);

// What is true for each row: an .npy of one dimension (or one column), of numbers, booleans or fixed-size texts; an
// .npz with one such member or one called y; or CSV with a header and one column, or one called y. Throws Error as
// load_rows.
Targets load_targets(const std::string& path, const Limits& limits, const Manners& manners);

// The numbers of CSV text, row-major, in the order of `names`, or in its own.
// `columns`: how many are expected.
std::vector<double> parse_csv(std::string_view text, std::string_view name, const std::vector<std::string>& names,
                              std::size_t columns);
// A table of the columns that the model takes and the header has, by name, or by position if the model has no names.
void parse_csv_table(std::string_view text, std::string_view name, const std::vector<InputColumn>& columns,
                     LoadedRows& to);
// Rows of an archive that scipy.sparse.save_npz wrote; false: it is none.
bool find_sparse(const Node& root, std::string_view name, const Limits& limits, LoadedRows& to);
// Elements of any type of numbers, in C order, added to `out`.
void convert_elements(const ArrayView& array, std::string_view name, std::vector<double>& out);
// The cells of one column of CSV text: the one called `column`, or the only one.
std::vector<std::string> parse_csv_column(std::string_view text, std::string_view name, std::string_view column);
// A number as Python's float() reads it, NaN of an empty text; nothing for what is none.
std::optional<double> parse_number(std::string_view text);

}  // namespace mere::command
