// Which columns of the input have texts: those that something asks texts of, through steps that only move columns.

#include <algorithm>
#include <limits>

#include <mere/error.hpp>

#include "lower/lowering.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/texts.hpp"

namespace mere::lower {

namespace {

// Puts numbers where they were, or moves them: texts pass through.
bool moves_columns(const program::Operator& step) {
  return step.passes_through() || dynamic_cast<const program::Select*>(&step) ||
         dynamic_cast<const program::Concat*>(&step) || dynamic_cast<const program::Impute*>(&step);
}

bool takes_texts(const program::Operator& step) {
  return dynamic_cast<const program::CategorizeTexts*>(&step) || dynamic_cast<const program::TokenOperator*>(&step) ||
         dynamic_cast<const program::IsMissing*>(&step) || dynamic_cast<const program::Constant*>(&step);
}

}  // namespace

void Lowering::need_texts(const Estimator& from, ValueId value, std::uint64_t column) {
  while (value != 0) {
    const program::Operator& step = *program_.steps[value - 1];
    if (!moves_columns(step)) from.refuse("it takes texts, but what comes before it makes numbers");
    if (const auto* select = dynamic_cast<const program::Select*>(&step)) column = select->columns[column];
    std::size_t input = 0;
    if (dynamic_cast<const program::Concat*>(&step)) {
      while (column >= columns_[step.inputs[input]]) column -= columns_[step.inputs[input++]];
    }
    value = step.inputs[input];
  }
  if (program_.kinds.empty()) program_.kinds.assign(program_.columns, std::string(program::kNumbers));
  program_.kinds[column] = program::kTexts;
}

double Lowering::text_constant(const std::string& text) {
  const auto found = std::find(program_.texts.begin(), program_.texts.end(), text);
  const auto index = static_cast<std::size_t>(found - program_.texts.begin());
  if (found == program_.texts.end()) program_.texts.push_back(text);
  return program::Texts::constant(index);
}

void Lowering::check_texts(const Estimator& from) {
  if (program_.kinds.empty()) return;
  program_.dense_only.clear();
  // The column of the input that each column of a value has texts of; none: numbers.
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::vector<std::uint64_t>> sources(columns_.size());
  for (std::uint64_t c = 0; c < program_.columns; ++c) sources[0].push_back(program_.takes_text(c) ? c : kNone);
  const auto find_text = [&](ValueId value) {
    const auto found = std::find_if(sources[value].begin(), sources[value].end(), [](auto c) { return c != kNone; });
    return found == sources[value].end() ? kNone : *found;
  };
  const auto column_text = [&](std::uint64_t c) {
    return program_.names.empty() ? std::to_string(c) : "'" + program_.names[c] + "'";
  };
  for (std::size_t i = 0; i < program_.steps.size(); ++i) {
    const program::Operator& step = *program_.steps[i];
    std::vector<std::uint64_t>& made = sources[i + 1];
    if (!moves_columns(step)) {
      for (const ValueId id : step.inputs) {
        const std::uint64_t text = find_text(id);
        if (text == kNone || takes_texts(step)) continue;
        from.refuse("column " + column_text(text) + " has texts, but numbers are computed of it");
      }
      continue;
    }
    // An empty list stands for numbers everywhere.
    if (std::all_of(step.inputs.begin(), step.inputs.end(), [&](ValueId id) { return find_text(id) == kNone; }))
      continue;
    std::vector<std::uint64_t> all;
    from.require_memory(sizeof(std::uint64_t) * columns_[i + 1], "a value beside texts");
    for (const ValueId id : step.inputs) {
      if (sources[id].empty()) {
        all.insert(all.end(), static_cast<std::size_t>(columns_[id]), kNone);
      } else {
        all.insert(all.end(), sources[id].begin(), sources[id].end());
      }
    }
    if (const auto* select = dynamic_cast<const program::Select*>(&step)) {
      for (const std::uint32_t column : select->columns) made.push_back(all[column]);
    } else {
      made = std::move(all);
    }
  }
  for (const Method& method : program_.methods) {
    const std::uint64_t text = find_text(method.value);
    if (text != kNone) from.refuse("the result of " + method.name + " has the texts of column " + column_text(text));
  }
}

}  // namespace mere::lower
