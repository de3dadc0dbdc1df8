// Scalers: each column by numbers of its own, in the order in which scikit-learn applies them.

#include "lower/families.hpp"
#include "program/operators/elementwise.hpp"

namespace mere::lower {

namespace {

constexpr Accepts kNanAllowed{.nan = true};

// A column's numbers, or nothing if `flag` is a parameter that is off or the attribute is None.
ValueId apply_columns(Lowering& to, const Estimator& from, ValueId in, std::string_view flag,
                      std::string_view attribute, std::string_view operation, bool operand_as_input = false) {
  if (!flag.empty() && !from.boolean(flag)) return in;
  if (from.find(attribute) == kNoNode) return in;
  auto step = std::make_unique<program::Arithmetic>();
  step->operation = operation;
  step->operand = from.reals(attribute, 1);
  step->operand_as_input = operand_as_input;
  return to.add(std::move(step), in);
}

}  // namespace

// sklearn/preprocessing/_data.py: X -= mean_, X /= scale_; since 1.8 those are first made of the type of X.
Methods lower_standard_scaler(Lowering& to, const Estimator& from, ValueId in) {
  ValueId x = to.check(in, kNanAllowed);
  const bool as_input = to.version(from) >= Version{1, 8};
  x = apply_columns(to, from, x, "with_mean", "mean_", "subtract", as_input);
  x = apply_columns(to, from, x, "with_std", "scale_", "divide", as_input);
  Methods methods;
  methods.add("transform", x);
  return methods;
}

// X *= scale_, X += min_, and clipping to feature_range if asked for (0.24 on).
Methods lower_min_max_scaler(Lowering& to, const Estimator& from, ValueId in) {
  ValueId x = to.check(in, kNanAllowed);
  x = to.arithmetic(x, "multiply", from.reals("scale_", 1));
  x = to.arithmetic(x, "add", from.reals("min_", 1));
  if (from.boolean_or("clip", false)) {
    const std::vector<NodeId> range = from.members("feature_range");
    from.require(range.size() == 2, "feature_range is no pair");
    const auto bound = [&](std::size_t i) {
      const std::optional<double> value = to.reader().find_real(range[i]);
      from.require(value.has_value(), "feature_range holds something that is no number");
      return Array<double>(std::vector<double>{*value});
    };
    auto clip = std::make_unique<program::Clip>();
    clip->low = bound(0);
    clip->high = bound(1);
    x = to.add(std::move(clip), x);
  }
  Methods methods;
  methods.add("transform", x);
  return methods;
}

Methods lower_max_abs_scaler(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods;
  methods.add("transform", to.arithmetic(to.check(in, kNanAllowed), "divide", from.reals("scale_", 1)));
  return methods;
}

Methods lower_robust_scaler(Lowering& to, const Estimator& from, ValueId in) {
  ValueId x = to.check(in, kNanAllowed);
  x = apply_columns(to, from, x, "with_centering", "center_", "subtract");
  x = apply_columns(to, from, x, "with_scaling", "scale_", "divide");
  Methods methods;
  methods.add("transform", x);
  return methods;
}

}  // namespace mere::lower
