// One tree as scikit-learn keeps it, walked where it lies.

#include <mere/predictor.hpp>

#include <cmath>
#include <cstring>

#include <mere/error.hpp>

namespace mere {

namespace {

template <class T>
T field_of(const std::byte* node, std::size_t offset) {
  T value;
  std::memcpy(&value, node + offset, sizeof value);
  return value;
}

// A leaf is a node without a left child: sklearn.tree._tree.TREE_LEAF is -1.
template <bool kMissing>
std::int64_t leaf_of(const TreeNodes& nodes, const std::byte* row, const MatrixView& x) {
  const auto* first = static_cast<const std::byte*>(nodes.first);
  std::size_t at = 0;
  for (std::size_t steps = 0; steps < nodes.count; ++steps) {
    const std::byte* node = first + at * nodes.stride;
    const auto left = field_of<std::int64_t>(node, nodes.left);
    if (left < 0) break;
    const auto feature = static_cast<std::size_t>(field_of<std::int64_t>(node, nodes.feature));
    const std::byte* cell =
        row + static_cast<std::ptrdiff_t>(feature < x.columns ? feature : x.columns - 1) * x.column_stride;
    const float value = x.single ? field_of<float>(cell, 0) : static_cast<float>(field_of<double>(cell, 0));
    bool go_left = static_cast<double>(value) <= field_of<double>(node, nodes.threshold);
    if constexpr (kMissing) {
      if (std::isnan(value)) go_left = field_of<std::uint8_t>(node, nodes.missing_left) != 0;
    }
    const auto next = static_cast<std::size_t>(go_left ? left : field_of<std::int64_t>(node, nodes.right));
    at = next < nodes.count ? next : nodes.count - 1;
  }
  return static_cast<std::int64_t>(at);
}

}  // namespace

void tree_leaves(const TreeNodes& nodes, const MatrixView& x, std::span<std::int64_t> out) {
  if (nodes.count == 0 || x.columns == 0) {
    throw Error(Reason::wrong_shape, "a tree of " + std::to_string(nodes.count) + " nodes was asked about rows of " +
                                         std::to_string(x.columns) + " columns");
  }
  if (out.size() != x.rows) {
    throw Error(Reason::wrong_shape,
                "there is room for " + std::to_string(out.size()) + " leaves of " + std::to_string(x.rows) + " rows");
  }
  const auto* rows = static_cast<const std::byte*>(x.data);
  const bool missing = nodes.missing_left != TreeNodes::kNone;
  for (std::size_t r = 0; r < x.rows; ++r) {
    const std::byte* row = rows + static_cast<std::ptrdiff_t>(r) * x.row_stride;
    out[r] = missing ? leaf_of<true>(nodes, row, x) : leaf_of<false>(nodes, row, x);
  }
}

}  // namespace mere
