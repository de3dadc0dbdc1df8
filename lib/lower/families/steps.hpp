#pragma once
// Steps and readings that several families share.

#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "lower/lowering.hpp"

namespace mere::lower {

// A float32 input goes on as float64, as where NumPy's result is one.
ValueId widen(Lowering& to, ValueId in);
ValueId combine(Lowering& to, std::string_view operation, std::vector<ValueId> parts);
ValueId reduce(Lowering& to, ValueId in, std::string_view operation, std::uint64_t group = 0);
ValueId constant(Lowering& to, ValueId in, Array<double> row);
ValueId clip(Lowering& to, ValueId in, std::optional<double> low, std::optional<double> high);
ValueId not_below(Lowering& to, ValueId in, double low);

struct KernelParameters {
  double gamma = 1, coef0 = 0, degree = 0;
};
ValueId pairwise(Lowering& to, ValueId in, std::string_view function, Array<double> vectors,
                 const KernelParameters& parameters = {});

// Columns [begin, begin + count) or every `step`th of all.
ValueId slice(Lowering& to, ValueId in, std::uint64_t begin, std::uint64_t count);
// Each column `times` times: the row again and again.
ValueId tile(Lowering& to, ValueId in, std::uint64_t times);

Array<double> reals(std::vector<double> values);
Array<double> reals(std::vector<double> values, std::uint64_t rows, std::uint64_t columns);
std::uint64_t rows_of(const Array<double>& matrix);
std::uint64_t columns_of(const Array<double>& matrix);
Array<double> transposed(const Array<double>& matrix);
Array<double> mapped(const Array<double>& values, const std::function<double(double)>& function);
Array<double> flattened(const Array<double>& values);

// An array attribute of one or two dimensions as rows, or as one row.
std::size_t dimensions(const Estimator& from, std::string_view attribute);
Array<double> matrix(const Estimator& from, std::string_view attribute);  // (rows, columns); 1-D: one row
Array<double> vector(const Estimator& from, std::string_view attribute);  // 1-D; a number: one element
// As matrix or vector, and of this shape. Throws Error: schema.
Array<double> matrix(const Estimator& from, std::string_view attribute, std::uint64_t rows, std::uint64_t columns);
Array<double> vector(const Estimator& from, std::string_view attribute, std::uint64_t size);

Labels classes_of(const Estimator& from);                 // classes_
Labels integer_labels(std::vector<std::int64_t> values);  // of classes that no array has: 1 and -1
Labels labels_at(const Estimator& from, std::string_view attribute, std::size_t index);  // of a list of arrays

// decision_function and predict of a classifier by its scores: one column for two classes, or one for each.
void add_scores(Lowering& to, const Estimator& from, Methods& methods, ValueId scores, const Labels& labels);
// predict of 1 and -1 by the sign of one column; 0 goes with 1 if `or_equal`.
void add_inliers(Lowering& to, Methods& methods, ValueId scores, bool or_equal);
// Probabilities of two or more classes from independent ones: [1 - p, p], or each by their sum.
ValueId one_versus_rest(Lowering& to, ValueId p);

// The index of the largest of a row; of equal ones the last.
ValueId last_arg_max(Lowering& to, ValueId in);

// What a FunctionTransformer does backwards (families/features.cpp).
ValueId lower_inverse_function(Lowering& to, const Estimator& from, ValueId in);

// The estimator's only or last method, or a refusal.
ValueId need_method(const Estimator& from, const Methods& methods, std::string_view name);

}  // namespace mere::lower
