#pragma once
// Single classes that a parameter names: by their value among an estimator's classes, or beside them.

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lower/lowering.hpp"

namespace mere::lower {

using LabelValue = std::variant<double, std::string>;

// Of one number or text. Throws Error: not_lowerable (it is neither), naming `what`.
LabelValue label_value(const Estimator& from, NodeId id, std::string_view what);
// One for each output: of a list, a tuple or an array, or of one value alone. Throws the same.
std::vector<LabelValue> label_values(const Estimator& from, NodeId id, std::string_view what);

// Where it stands among the classes at node `classes`: numbers by value, texts by their characters.
std::optional<std::size_t> find_label(const Estimator& from, NodeId classes, const LabelValue& value);

// `labels` and behind them one more. Throws Error: not_lowerable (their type does not hold it).
Labels with_label(const Estimator& from, const Labels& labels, const LabelValue& value);

}  // namespace mere::lower
