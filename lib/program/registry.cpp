// All operators, by the names that files have.

#include <array>

#include "program/operator.hpp"
#include "program/operators/check.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/features.hpp"
#include "program/operators/linear.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/pairs.hpp"
#include "program/operators/pairwise.hpp"
#include "program/operators/rows.hpp"
#include "program/operators/tables.hpp"
#include "program/operators/texts.hpp"
#include "program/operators/tree_ensemble.hpp"
#include "program/operators/votes.hpp"

namespace mere::program {

namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Operator> (*make)();
};

template <class T>
std::unique_ptr<Operator> make() {
  return std::make_unique<T>();
}

constexpr Entry kOperators[] = {
    {"Above", make<Above>},
    {"ArgMax", make<ArgMax>},
    {"Arithmetic", make<Arithmetic>},
    {"Cast", make<Cast>},
    {"Categorize", make<Categorize>},
    {"CategorizeTexts", make<CategorizeTexts>},
    {"Check", make<Check>},
    {"Clip", make<Clip>},
    {"Combine", make<Combine>},
    {"Concat", make<Concat>},
    {"Constant", make<Constant>},
    {"Convolve", make<Convolve>},
    {"CountTokens", make<CountTokens>},
    {"HashTokens", make<HashTokens>},
    {"Impute", make<Impute>},
    {"ImputeNearest", make<ImputeNearest>},
    {"Interpolate", make<Interpolate>},
    {"IsMissing", make<IsMissing>},
    {"Linear", make<Linear>},
    {"LookUp", make<LookUp>},
    {"Map", make<Map>},
    {"Neighbors", make<Neighbors>},
    {"NormalizeRows", make<NormalizeRows>},
    {"NotBelow", make<NotBelow>},
    {"OneHot", make<OneHot>},
    {"PairDecisions", make<PairDecisions>},
    {"PairProbabilities", make<PairProbabilities>},
    {"PairVotes", make<PairVotes>},
    {"Pairwise", make<Pairwise>},
    {"PowerTransform", make<PowerTransform>},
    {"Products", make<Products>},
    {"Quantiles", make<Quantiles>},
    {"Rank", make<Rank>},
    {"Reduce", make<Reduce>},
    {"RunningSum", make<RunningSum>},
    {"Select", make<Select>},
    {"Softmax", make<Softmax>},
    {"SolveLower", make<SolveLower>},
    {"Splines", make<Splines>},
    {"TreeEnsemble", make<TreeEnsemble>},
    {"TreeLeaves", make<TreeLeaves>},
    {"Votes", make<Votes>},
    {"WeightedMedian", make<WeightedMedian>},
};

}  // namespace

std::unique_ptr<Operator> make_operator(std::string_view name) {
  for (const Entry& entry : kOperators) {
    if (entry.name == name) return entry.make();
  }
  return nullptr;
}

std::span<const std::string_view> operator_names() {
  static const auto names = [] {
    std::array<std::string_view, std::size(kOperators)> list;
    for (std::size_t i = 0; i < list.size(); ++i) list[i] = kOperators[i].name;
    return list;
  }();
  return names;
}

}  // namespace mere::program
