#include "lower/families/steps.hpp"

#include <cstring>

#include "program/operators/columns.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/features.hpp"
#include "program/operators/pairwise.hpp"

namespace mere::lower {

ValueId widen(Lowering& to, ValueId in) {
  auto step = std::make_unique<program::Cast>();
  step->to = "double";
  return to.add(std::move(step), in);
}

ValueId combine(Lowering& to, std::string_view operation, std::vector<ValueId> parts) {
  if (parts.size() == 1) return parts[0];
  auto step = std::make_unique<program::Combine>();
  step->operation = operation;
  return to.add(std::move(step), std::move(parts));
}

ValueId reduce(Lowering& to, ValueId in, std::string_view operation, std::uint64_t group) {
  auto step = std::make_unique<program::Reduce>();
  step->operation = operation;
  step->group = static_cast<std::int64_t>(group);
  return to.add(std::move(step), in);
}

ValueId constant(Lowering& to, ValueId in, Array<double> row) {
  auto step = std::make_unique<program::Constant>();
  step->row = std::move(row);
  return to.add(std::move(step), in);
}

ValueId clip(Lowering& to, ValueId in, std::optional<double> low, std::optional<double> high) {
  auto step = std::make_unique<program::Clip>();
  if (low) step->low = reals({*low});
  if (high) step->high = reals({*high});
  return to.add(std::move(step), in);
}

ValueId not_below(Lowering& to, ValueId in, double low) {
  auto step = std::make_unique<program::NotBelow>();
  step->low = low;
  return to.add(std::move(step), in);
}

ValueId pairwise(Lowering& to, ValueId in, std::string_view function, Array<double> vectors,
                 const KernelParameters& parameters) {
  auto step = std::make_unique<program::Pairwise>();
  step->function = function;
  step->vectors = std::move(vectors);
  step->gamma = parameters.gamma;
  step->coef0 = parameters.coef0;
  step->degree = parameters.degree;
  return to.add(std::move(step), in);
}

ValueId slice(Lowering& to, ValueId in, std::uint64_t begin, std::uint64_t count) {
  if (begin == 0 && count == to.columns(in)) return in;
  std::vector<std::uint32_t> columns;
  for (std::uint64_t i = 0; i < count; ++i) columns.push_back(static_cast<std::uint32_t>(begin + i));
  return to.select(in, std::move(columns));
}

ValueId tile(Lowering& to, ValueId in, std::uint64_t times) {
  return times == 1 ? in : to.concat(std::vector<ValueId>(static_cast<std::size_t>(times), in));
}

Array<double> reals(std::vector<double> values) {
  return Array<double>(std::move(values));
}

Array<double> reals(std::vector<double> values, std::uint64_t rows, std::uint64_t columns) {
  return Array<double>(std::move(values), {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)});
}

std::uint64_t rows_of(const Array<double>& matrix) {
  return static_cast<std::uint64_t>(matrix.shape()[0]);
}

std::uint64_t columns_of(const Array<double>& matrix) {
  return static_cast<std::uint64_t>(matrix.shape()[1]);
}

Array<double> transposed(const Array<double>& matrix) {
  const std::size_t rows = rows_of(matrix), columns = columns_of(matrix);
  std::vector<double> out(matrix.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = matrix[r * columns + c];
  }
  return reals(std::move(out), columns, rows);
}

Array<double> mapped(const Array<double>& values, const std::function<double(double)>& function) {
  std::vector<double> out;
  out.reserve(values.size());
  for (const double v : values) out.push_back(function(v));
  return Array<double>(std::move(out), values.shape());
}

Array<double> flattened(const Array<double>& values) {
  return Array<double>::borrow(values.span(), {static_cast<std::int64_t>(values.size())},
                               std::make_shared<Array<double>>(values));
}

std::size_t dimensions(const Estimator& from, std::string_view attribute) {
  if (!from.is_array(attribute)) return 0;
  const NodeId id = from.find(attribute);
  if (from.reader().is_object_array(id)) from.refuse(std::string(attribute) + " is an array of objects");
  return from.reader().array(id).shape.size();
}

Array<double> matrix(const Estimator& from, std::string_view attribute) {
  const std::size_t ndim = dimensions(from, attribute);
  if (ndim != 1) return from.reals(attribute, 2);
  const Array<double> row = from.reals(attribute, 1);
  return Array<double>::borrow(row.span(), {1, static_cast<std::int64_t>(row.size())},
                               std::make_shared<Array<double>>(row));
}

Array<double> vector(const Estimator& from, std::string_view attribute) {
  if (dimensions(from, attribute) == 0) return reals({from.real(attribute)});
  return from.reals(attribute, 1);
}

Array<double> matrix(const Estimator& from, std::string_view attribute, std::uint64_t rows, std::uint64_t columns) {
  Array<double> found = matrix(from, attribute);
  from.require(rows_of(found) == rows && columns_of(found) == columns,
               std::string(attribute) + " has shape " + found.shape().to_text() + ", expected (" +
                   std::to_string(rows) + ", " + std::to_string(columns) + ")");
  return found;
}

Array<double> vector(const Estimator& from, std::string_view attribute, std::uint64_t size) {
  Array<double> found = vector(from, attribute);
  from.require(found.size() == size, std::string(attribute) + " has shape " + found.shape().to_text() + ", expected (" +
                                         std::to_string(size) + ",)");
  return found;
}

Labels classes_of(const Estimator& from) {
  return from.labels_of(from.need("classes_"), "classes_");
}

Labels integer_labels(std::vector<std::int64_t> values) {
  Labels labels;
  auto kept = std::make_shared<const std::vector<std::int64_t>>(std::move(values));
  labels.dtype = Dtype::of<std::int64_t>();
  labels.count = kept->size();
  labels.bytes = std::as_bytes(std::span(*kept));
  labels.owner = std::move(kept);
  return labels;
}

Labels labels_at(const Estimator& from, std::string_view attribute, std::size_t index) {
  const std::vector<NodeId> all = from.members(attribute);
  from.require(index < all.size(), std::string(attribute) + " has " + std::to_string(all.size()) + " members");
  return from.labels_of(all[index], attribute);
}

void add_scores(Lowering& to, const Estimator& from, Methods& methods, ValueId scores, const Labels& labels) {
  const std::uint64_t columns = to.columns(scores);
  from.require(columns == 1 ? labels.count == 2 : labels.count == columns,
               std::to_string(columns) + " columns of scores for " + std::to_string(labels.count) + " classes");
  methods.add("decision_function", scores).flat = columns == 1;
  to.add_classes(methods, columns == 1 ? to.above(scores, 0) : to.arg_max(scores), {labels});
}

void add_inliers(Lowering& to, Methods& methods, ValueId scores, bool or_equal) {
  to.add_classes(methods, to.above(scores, 0, or_equal), {integer_labels({-1, 1})});
}

ValueId one_versus_rest(Lowering& to, ValueId p) {
  return to.columns(p) == 1 ? to.with_complement(p) : to.normalize_rows(p);
}

ValueId last_arg_max(Lowering& to, ValueId in) {
  std::vector<std::uint32_t> backwards;
  for (std::uint64_t c = to.columns(in); c-- > 0;) backwards.push_back(static_cast<std::uint32_t>(c));
  const double last = static_cast<double>(to.columns(in)) - 1;
  return to.arithmetic(to.map(to.arg_max(to.select(in, std::move(backwards))), "negative"), "add", last);
}

ValueId need_method(const Estimator& from, const Methods& methods, std::string_view name) {
  const Method* method = methods.find(name);
  if (!method) from.refuse("it holds an estimator that has no " + std::string(name));
  return method->value;
}

}  // namespace mere::lower
