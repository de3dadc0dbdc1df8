#pragma once
// The arithmetic of derived fields: the same operations in the same order on every machine, of IEEE 754's +, -, * and /
// alone. docs/filters.md 2.3 is normative.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "treefilter/payload.hpp"

namespace mere::treefilter {

// What is not a number has bits that differ between machines: it is derived as 0.
inline double settled(double value) noexcept {
  return value == value ? value : 0.0;
}

// The bits of what a correction is added to.
inline std::uint64_t bits_of(double value) noexcept {
  return std::bit_cast<std::uint64_t>(settled(value));
}

// About the logarithm to base 2 of a number above 0; 0 for what has none.
inline double log2_of(double x) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t exponent = bits >> 52;
  if (exponent == 0 || exponent >= 2047) return 0.0;  // 0, tiny, negative, infinite or not a number
  double power = static_cast<double>(static_cast<std::int64_t>(exponent) - 1023);
  double m = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffff) | 0x3ff0'0000'0000'0000);
  if (m > 1.4142135623730951) {
    m = m * 0.5;
    power = power + 1.0;
  }
  // log2(m) = 2 / ln 2 * (s + s^3 / 3 + s^5 / 5 + ...), s = (m - 1) / (m + 1); terms up to s^21 / 21.
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double sum = 1.0 / 21.0;
  for (int k = 19; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
  return power + s * sum * 2.8853900817779268;
}

// Impurity of classes from their totals in `weight`, `columns / outputs` for each output.
inline double gini(const LooseReal* totals, std::size_t columns, std::size_t outputs, double weight) noexcept {
  const std::size_t classes = columns / outputs;
  double sum = 0.0;
  for (std::size_t k = 0; k < outputs; ++k) {
    double squares = 0.0;
    for (std::size_t c = 0; c < classes; ++c) squares += totals[k * classes + c] * totals[k * classes + c];
    sum += 1.0 - squares / (weight * weight);
  }
  return sum / static_cast<double>(outputs);
}

inline double entropy(const LooseReal* totals, std::size_t columns, std::size_t outputs, double weight) noexcept {
  double sum = 0.0;
  for (std::size_t c = 0; c < columns; ++c) {
    if (!(totals[c] > 0.0)) continue;
    const double share = totals[c] / weight;
    sum -= share * log2_of(share);
  }
  return sum / static_cast<double>(outputs);
}

// A node as the rule for squared errors sees it.
struct Spread {
  double weight, impurity;
  const LooseReal* means;
};

inline double squared_error(const Spread& left, const Spread& right, double weight, const LooseReal* means,
                            std::size_t columns, std::size_t outputs) noexcept {
  const auto count = static_cast<double>(outputs);
  double left_squares = left.impurity * count, right_squares = right.impurity * count;
  for (std::size_t c = 0; c < columns; ++c) left_squares += left.means[c] * left.means[c];
  for (std::size_t c = 0; c < columns; ++c) right_squares += right.means[c] * right.means[c];
  double squares = (left.weight * left_squares + right.weight * right_squares) / weight;
  for (std::size_t c = 0; c < columns; ++c) squares -= means[c] * means[c];
  return squares / count;
}

// A weight that is a whole number which a double holds with all below it; else 0.
inline std::uint64_t whole_or_zero(double weight) noexcept {
  if (!(weight >= 0.0 && weight <= 9007199254740992.0)) return 0;
  const auto whole = static_cast<std::uint64_t>(weight);
  return static_cast<double>(whole) == weight ? whole : 0;
}

inline bool is_larger(std::uint64_t left_samples, std::uint64_t right_samples) noexcept {
  return static_cast<std::int64_t>(left_samples) > static_cast<std::int64_t>(right_samples);
}

inline double total_of(const LooseReal* values, std::size_t count) noexcept {
  double total = 0.0;
  for (std::size_t c = 0; c < count; ++c) total += values[c];
  return total;
}

// The values of a node from those of its children.
inline void derive_values(ValueRule rule, LooseReal* __restrict values, const LooseReal* left, const LooseReal* right,
                          double left_weight, double right_weight, double weight, std::size_t columns) noexcept {
  if (rule != ValueRule::means) {
    for (std::size_t c = 0; c < columns; ++c) values[c] = settled(left[c] + right[c]);
  } else {
    for (std::size_t c = 0; c < columns; ++c) {
      values[c] = settled((left[c] * left_weight + right[c] * right_weight) / weight);
    }
  }
}

// The impurity of a node by itself: of squared errors 0, as they come from the children.
inline double own_impurity(const Header& header, const LooseReal* values, std::size_t columns, double weight) noexcept {
  // Means of classes are shares already.
  const double total = header.value_rule == ValueRule::means ? 1.0 : weight;
  switch (header.impurity_rule) {
    case ImpurityRule::gini: return gini(values, columns, header.outputs, total);
    case ImpurityRule::entropy: return entropy(values, columns, header.outputs, total);
    default: return 0.0;
  }
}

}  // namespace mere::treefilter
