#pragma once
// What the families of bagging, AdaBoost, voting and stacking ask of the estimators they hold.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lower/families/steps.hpp"
#include "lower/lowering.hpp"

namespace mere::lower {

// Members of the list estimators_. Throws Error: schema (none).
std::vector<Estimator> members_of_ensemble(const Estimator& from);

// Numbers of a list or of an array; nothing where the attribute is None.
std::optional<std::vector<double>> find_numbers(const Estimator& from, std::string_view attribute);

// Where each class of a member stands among all classes; all.size() for one that is not there.
std::vector<std::size_t> class_positions(const Estimator& from, const Labels& member, const Labels& all);
// Classes of a member that was fitted on indices of classes. Throws Error: schema (an index of `count` or more),
// not_lowerable (classes that are no whole numbers).
std::vector<std::size_t> encoded_classes(const Estimator& member, const Labels& labels, std::uint64_t count);

// The value of `predict`, which has one column; `labels`: of a classifier. Throws Error: not_lowerable.
struct Prediction {
  ValueId value = 0;
  const Labels* labels = nullptr;
};
Prediction one_prediction(const Estimator& member, const Methods& methods);

// Columns of `in` put where `positions` says, among `count` columns of zeros.
ValueId spread(Lowering& to, ValueId in, const std::vector<std::size_t>& positions, std::uint64_t count);

// The row of `count` numbers that the vote for class `position` adds.
struct Vote {
  double hit = 1, miss = 0;
};
// Sum of votes: member m for class c of its own votes as votes[m] for class positions[m][c].
ValueId votes_of(Lowering& to, const std::vector<ValueId>& indices,
                 const std::vector<std::vector<std::size_t>>& positions, const std::vector<Vote>& votes,
                 std::uint64_t count);

}  // namespace mere::lower
