// Rows of what scipy.sparse.save_npz writes: an archive of `format`, `shape` and the arrays of that layout.

#include <algorithm>
#include <limits>

#include "matrix_file.hpp"

namespace mere::command {

namespace {

[[noreturn]] void fail(std::string_view name, const std::string& what) {
  throw Error(Reason::bad_record, std::string(name) + ": a sparse matrix " + what);
}

ArrayView member(const Node& root, std::string_view name, std::string_view key) {
  const std::optional<Node> found = root.find(key);
  if (!found || found->kind() != Kind::array || found->dtype().type_class() == TypeClass::object) {
    fail(name, "without the array " + std::string(key));
  }
  const ArrayView array = found->array();
  if (array.ndim() != 1) fail(name, "whose " + std::string(key) + " has shape " + array.shape().to_text());
  return array;
}

std::vector<std::int64_t> integers(const ArrayView& array, std::string_view name, std::string_view key) {
  std::vector<std::int64_t> out;
  if (array.dtype() == Dtype::of<std::int64_t>()) {
    for (const std::int64_t value : array.values<std::int64_t>()) out.push_back(value);
  } else if (array.dtype() == Dtype::of<std::int32_t>()) {
    for (const std::int32_t value : array.values<std::int32_t>()) out.push_back(value);
  } else {
    fail(name, "whose " + std::string(key) + " are of type " + array.dtype().to_text());
  }
  return out;
}

// Entries by row, of equal ones in their order.
void sort_rows(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& columns, std::size_t row_count,
               std::string_view name, LoadedRows& to) {
  if (rows.size() != to.values.size() || columns.size() != to.values.size()) {
    fail(name, "of " + std::to_string(to.values.size()) + " values, " + std::to_string(rows.size()) + " rows and " +
                   std::to_string(columns.size()) + " columns");
  }
  to.starts.assign(row_count + 1, 0);
  for (const std::int64_t row : rows) {
    if (row < 0 || static_cast<std::uint64_t>(row) >= row_count) fail(name, "with row " + std::to_string(row));
    ++to.starts[static_cast<std::size_t>(row) + 1];
  }
  for (std::size_t r = 0; r < row_count; ++r) to.starts[r + 1] += to.starts[r];
  std::vector<std::int64_t> next(to.starts.begin(), to.starts.end() - 1);
  std::vector<double> values(to.values.size());
  to.indices.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(rows[i])]++);
    values[at] = to.values[i];
    to.indices[at] = columns[i];
  }
  to.values = std::move(values);
}

}  // namespace

bool find_sparse(const Node& root, std::string_view name, const Limits& limits, LoadedRows& to) {
  if (root.kind() != Kind::dict) return false;
  const std::optional<Node> format = root.find("format"), shape_node = root.find("shape");
  if (!format || !shape_node || format->kind() != Kind::array || !root.find("data")) return false;
  std::string layout(static_cast<std::size_t>(std::min<std::uint64_t>(format->array().nbytes(), 16)), '\0');
  if (layout.empty() || layout.size() == 16) fail(name, "whose format is no word");
  format->array().copy_to(std::as_writable_bytes(std::span(layout)));
  layout.erase(std::find_if(layout.begin(), layout.end(), [](char c) { return c < 'a' || c > 'z'; }), layout.end());
  if (layout != "csr" && layout != "csc" && layout != "coo") {
    throw Error(Reason::not_supported,
                std::string(name) + ": a sparse matrix of format '" + layout + "'; csr, csc and coo can be read");
  }
  const std::vector<std::int64_t> shape = integers(member(root, name, "shape"), name, "shape");
  if (shape.size() != 2 || shape[0] < 0 || shape[1] < 1 ||
      static_cast<std::uint64_t>(std::max(shape[0], shape[1])) > limits.memory_bytes / sizeof(std::int64_t)) {
    fail(name, "whose shape is none that can be predicted for");
  }
  const auto rows = static_cast<std::size_t>(shape[0]);
  convert_elements(member(root, name, "data"), name, to.values);
  const bool single = member(root, name, "data").dtype() == Dtype::of<float>();
  if (layout == "csr") {
    to.indices = integers(member(root, name, "indices"), name, "indices");
    to.starts = integers(member(root, name, "indptr"), name, "indptr");
    if (to.starts.size() != rows + 1) fail(name, "whose indptr is not of its rows");
  } else if (layout == "csc") {
    const std::vector<std::int64_t> row_of = integers(member(root, name, "indices"), name, "indices");
    const std::vector<std::int64_t> starts = integers(member(root, name, "indptr"), name, "indptr");
    std::vector<std::int64_t> column_of;
    for (std::size_t c = 0; c + 1 < starts.size(); ++c) {
      if (starts[c] < 0 || starts[c] > starts[c + 1] || static_cast<std::uint64_t>(starts[c + 1]) > row_of.size()) {
        fail(name, "whose indptr falls, or passes its end");
      }
      column_of.resize(static_cast<std::size_t>(starts[c + 1]), static_cast<std::int64_t>(c));
    }
    sort_rows(row_of, column_of, rows, name, to);
  } else {
    sort_rows(integers(member(root, name, "row"), name, "row"), integers(member(root, name, "col"), name, "col"), rows,
              name, to);
  }
  CsrView view(std::span<const double>(to.values), std::span<const std::int64_t>(to.indices),
               std::span<const std::int64_t>(to.starts), static_cast<std::size_t>(shape[1]));
  view.rows = rows;
  if (single) {
    // The numbers are exact as doubles; what the estimator makes of float32 is another matter.
    to.floats.assign(to.values.begin(), to.values.end());
    view.values = to.floats.data();
    view.single = true;
  }
  to.view = view;
  return true;
}

}  // namespace mere::command
