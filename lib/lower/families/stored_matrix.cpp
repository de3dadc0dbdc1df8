#include "lower/families/stored_matrix.hpp"

#include <mere/size.hpp>

#include "lower/families/steps.hpp"

namespace mere::lower {

namespace {

constexpr std::uint64_t kMaxDense = std::uint64_t{1} << 24;

Array<double> densified(const Estimator& from, std::string_view attribute) {
  const std::string what(attribute);
  const Estimator sparse = from.child(attribute);
  const std::string& name = sparse.class_name();
  if (name.rfind("scipy.sparse.", 0) != 0 || name.find("csr") == std::string::npos) {
    from.refuse(what + " is a " + name);
  }
  const std::vector<NodeId> shape = sparse.members("_shape");
  std::uint64_t extents[2] = {};
  if (shape.size() == 1) from.refuse(what + " is a sparse array of one dimension");
  from.require(shape.size() == 2, what + " has another number of dimensions than 2");
  for (std::size_t i = 0; i < 2; ++i) {
    const std::optional<std::int64_t> extent = sparse.reader().find_integer(shape[i]);
    from.require(extent && *extent >= 0, what + " has a shape that is none");
    extents[i] = static_cast<std::uint64_t>(*extent);
  }
  const auto [rows, columns] = extents;
  const Array<double> data = sparse.reals("data", 1);
  const Array<std::int64_t> indices = sparse.integers("indices", 1), starts = sparse.integers("indptr", 1);
  from.require(starts.size() == rows + 1 && rows != 0 && indices.size() == data.size(), what + " contradicts itself");
  if (!(Size(rows) * Size(columns)).fits(kMaxDense)) from.refuse(what + " is too large to be dense");
  from.require_memory(rows * columns * sizeof(double), attribute);
  std::vector<double> dense(static_cast<std::size_t>(rows * columns), 0.0);
  for (std::size_t r = 0; r < rows; ++r) {
    from.require(
        starts[r] >= 0 && starts[r] <= starts[r + 1] && starts[r + 1] <= static_cast<std::int64_t>(data.size()),
        what + " has rows that do not lie in it");
    for (auto i = static_cast<std::size_t>(starts[r]); i < static_cast<std::size_t>(starts[r + 1]); ++i) {
      from.require(indices[i] >= 0 && static_cast<std::uint64_t>(indices[i]) < columns,
                   what + " has a column that does not exist");
      dense[r * columns + static_cast<std::size_t>(indices[i])] += data[i];
    }
  }
  return reals(std::move(dense), rows, columns);
}

}  // namespace

bool is_sparse_matrix(const Estimator& from, std::string_view attribute) {
  const NodeId id = from.find(attribute);
  return id != kNoNode && from.reader().kind(id) == Kind::object;
}

bool is_stored_single(const Estimator& from, std::string_view attribute) {
  return is_sparse_matrix(from, attribute) ? from.child(attribute).is_single("data") : from.is_single(attribute);
}

Array<double> stored_matrix(const Estimator& from, std::string_view attribute) {
  if (is_sparse_matrix(from, attribute)) return densified(from, attribute);
  if (!from.is_array(attribute)) from.fail(std::string(attribute) + " is no array");
  return matrix(from, attribute);
}

Array<double> stored_matrix(const Estimator& from, std::string_view attribute, std::uint64_t columns) {
  Array<double> found = stored_matrix(from, attribute);
  from.require(columns_of(found) == columns, std::string(attribute) + " has shape " + found.shape().to_text() +
                                                 " for " + std::to_string(columns) + " columns");
  return found;
}

}  // namespace mere::lower
