#pragma once
// What both kinds of gradient boosting make of their trees: sums, sums by stage, and the link of the loss.

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lower/lowering.hpp"
#include "program/operators/tree_ensemble.hpp"

namespace mere::lower {

enum class Link { identity, log, logit, half_logit, softmax };

struct LossLink {
  std::string_view class_name;
  Link link;
};

// By the class of the loss that was fitted: the parameter may have been set since. Throws Error: not_lowerable, schema.
Link link_of(const Estimator& from, bool classifier, std::span<const LossLink> losses);

struct Boosted {
  ValueId raw = 0;     // a column a class; one for two classes and for numbers
  ValueId each = 0;    // a column a tree, alone
  ValueId stages = 0;  // those after each stage, side by side
  std::size_t classes = 0, stage_count = 0;
};

// Adds the trees, which take turns among classes, twice: summed, and each in a column of its own. `base`: what sums
// start from; empty: they start from the value `start`.
Boosted add_boosted(Lowering& to, std::unique_ptr<program::TreeEnsemble> trees, std::size_t classes,
                    std::vector<double> base, std::optional<ValueId> start, ValueId in);

// Probabilities of every stage, from scores of `classes` columns a stage; of one column: [1 - p, p] in turn, by the
// logistic function.
ValueId staged_probabilities(Lowering& to, ValueId stages, std::size_t stage_count, std::size_t classes);

// Which of two classes: the second where the raw prediction is above 0, or at least 0. By probability, the second or
// the largest: rounding makes some raw predictions that differ equal there, and the first class counts.
enum class ClassRule { raw, raw_or_zero, probability };
Methods boosted_classifier(Lowering& to, const Estimator& from, const Boosted& model, Link link, ClassRule rule);
Methods boosted_regressor(Lowering& to, const Boosted& model, Link link);

}  // namespace mere::lower
