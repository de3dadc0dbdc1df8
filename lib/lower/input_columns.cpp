#include "lower/input_columns.hpp"

#include "lower/families/dict_columns.hpp"

namespace mere::lower {

namespace {

constexpr int kMaxDepth = 100;

// The last extent of an array of numbers; 0: it is none.
std::uint64_t last_extent(const Estimator& from, std::string_view attribute) {
  const NodeId id = from.find(attribute);
  if (id == kNoNode || !from.is_array(attribute) || from.reader().is_object_array(id)) return 0;
  const graph::ArrayState array = from.reader().array(id);
  return array.shape.empty() ? 0 : static_cast<std::uint64_t>(array.shape[array.shape.size() - 1]);
}

// What the estimator says of itself; 0: nothing.
std::uint64_t own_columns(const Estimator& from) {
  if (takes_dicts(from)) return dict_columns(from).size();
  if (takes_one_column(from)) return 1;
  for (const std::string_view name : {"n_features_in_", "n_features_", "_n_features"}) {
    if (from.find(name) == kNoNode) continue;
    const std::int64_t count = from.integer(name);
    from.require(count > 0, std::string(name) + " is " + std::to_string(count));
    return static_cast<std::uint64_t>(count);
  }
  if (from.has("X_thresholds_")) return 1;
  for (const std::string_view name :
       {"coef_", "scale_", "mean_", "support_vectors_", "statistics_", "theta_", "idf_"}) {
    if (const std::uint64_t count = last_extent(from, name)) return count;
  }
  if (from.find("_idf_diag") != kNoNode) return last_extent(from.child("_idf_diag"), "data");
  const NodeId categories = from.find("categories_");
  if (categories != kNoNode && from.reader().kind(categories) == Kind::list) {
    return from.reader().child_count(categories);
  }
  return 0;
}

// The estimator in a list of estimators or of (name, estimator) pairs that is used first, or nothing.
std::optional<Estimator> first_of(const Estimator& from, std::string_view attribute) {
  const graph::NodeReader& reader = from.reader();
  for (NodeId member : from.members(attribute)) {
    const Kind kind = reader.kind(member);
    if (kind == Kind::tuple || kind == Kind::list) {
      const std::vector<NodeId> pair = from.members_of(member, attribute);
      // Rows of estimators, one an output.
      for (const NodeId part : pair) {
        if (reader.kind(part) == Kind::object) return Estimator(reader, part);
      }
      continue;
    }
    if (kind == Kind::object) return Estimator(reader, member);
  }
  return std::nullopt;
}

std::optional<Estimator> inner(const Estimator& from) {
  for (const std::string_view name : {"best_estimator_", "estimator_", "regressor_", "estimator", "base_estimator"}) {
    const NodeId id = from.find(name);
    if (id != kNoNode && from.reader().kind(id) == Kind::object) return Estimator(from.reader(), id);
  }
  return std::nullopt;
}

}  // namespace

InputColumns input_columns(const Estimator& estimator) {
  Estimator from = estimator;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    if (const std::uint64_t count = own_columns(from)) return {from, count};
    std::optional<Estimator> next;
    for (const std::string_view name :
         {"steps", "estimators_", "transformer_list", "calibrated_classifiers_", "transformers_"}) {
      if (!next && from.find(name) != kNoNode) next = first_of(from, name);
    }
    if (!next) next = inner(from);
    if (!next) break;
    from = *next;
  }
  estimator.refuse("nothing in it says how many columns it takes");
}

}  // namespace mere::lower
