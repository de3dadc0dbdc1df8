// Estimators made of others.

#include "lower/families.hpp"

namespace mere::lower {

namespace {

// A step that lets its input through: None or the text 'passthrough'.
bool lets_through(const graph::NodeReader& reader, NodeId step) {
  return reader.kind(step) == Kind::null || (reader.kind(step) == Kind::text && reader.text(step) == "passthrough");
}

ValueId transformed(Lowering& to, const Estimator& from, NodeId step, ValueId in) {
  const Methods methods = to.lower(step, in);
  const Method* transform = methods.find("transform");
  if (!transform) from.refuse("a step before the last has no transform");
  return transform->value;
}

}  // namespace

Methods lower_pipeline(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<NodeId> steps = from.members("steps");
  from.require(!steps.empty(), "it has no steps");
  ValueId x = in;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::vector<NodeId> pair = from.members_of(steps[i], "steps");
    from.require(pair.size() == 2, "a step is no pair of name and estimator");
    const bool last = i + 1 == steps.size();
    if (lets_through(to.reader(), pair[1])) {
      if (!last) continue;
      Methods methods;
      methods.add("transform", x);
      return methods;
    }
    if (last) return to.lower(pair[1], x);
    x = transformed(to, from, pair[1], x);
  }
  return {};
}

// Outputs side by side, each times its weight.
Methods lower_feature_union(Lowering& to, const Estimator& from, ValueId in) {
  std::vector<ValueId> parts;
  for (const NodeId member : from.members("transformer_list")) {
    const std::vector<NodeId> pair = from.members_of(member, "transformer_list");
    from.require(pair.size() == 2 && to.reader().kind(pair[0]) == Kind::text,
                 "a transformer is no pair of name and estimator");
    const graph::NodeReader& reader = to.reader();
    if (reader.kind(pair[1]) == Kind::text && reader.text(pair[1]) == "drop") continue;
    ValueId part = lets_through(reader, pair[1]) ? in : transformed(to, from, pair[1], in);
    const NodeId weights = from.find("transformer_weights");
    const NodeId weight = weights == kNoNode ? kNoNode : reader.find(weights, std::string(reader.text(pair[0])));
    if (weight != kNoNode && reader.kind(weight) != Kind::null) {
      const std::optional<double> factor = reader.find_real(weight);
      from.require(factor.has_value(), "a weight is no number");
      part = to.arithmetic(part, "multiply", *factor);
    }
    parts.push_back(part);
  }
  if (parts.empty()) from.refuse("all its transformers are dropped");
  Methods methods;
  methods.add("transform", to.concat(parts));
  return methods;
}

}  // namespace mere::lower
