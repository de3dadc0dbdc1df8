#pragma once
// The rows to predict for, from a file.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <mere/model.hpp>
#include <mere/predictor.hpp>
#include <mere/score.hpp>

#include "terminal.hpp"

namespace mere::command {

// A matrix in memory, and what it lies in.
struct LoadedMatrix {
  MatrixView view;
  Model file;                  // of .npy and .npz
  std::vector<double> values;  // of CSV, and of elements that are no floating-point numbers
};

// Reads an .npy of two dimensions, an .npz with one such member (or one called X), or CSV with a header line, told by
// the bytes; "-" is standard input. Whole numbers and booleans become float64. Columns of a CSV are found by name if
// the model has names (others are ignored), else they come in order; an empty cell is a missing value, NaN. Throws
// Error: no_file, wrong_shape, wrong_type, no_path (a column is missing), bad_record (CSV), too_large, ...
LoadedMatrix load_matrix(const std::string& path, const Predictor& predictor, const Limits& limits,
                         const Manners& manners);

// What is true for each row: an .npy of one dimension (or one column), of numbers, booleans or fixed-size texts; an
// .npz with one such member or one called y; or CSV with a header and one column, or one called y. Throws Error as
// load_matrix.
Targets load_targets(const std::string& path, const Limits& limits, const Manners& manners);

// The numbers of CSV text, row-major, in the order of `names`, or in its own.
// `columns`: how many are expected.
std::vector<double> parse_csv(std::string_view text, std::string_view name, const std::vector<std::string>& names,
                              std::size_t columns);
// The cells of one column of CSV text: the one called `column`, or the only one.
std::vector<std::string> parse_csv_column(std::string_view text, std::string_view name, std::string_view column);
// A number as Python's float() reads it, NaN of an empty text; nothing for what is none.
std::optional<double> parse_number(std::string_view text);

}  // namespace mere::command
