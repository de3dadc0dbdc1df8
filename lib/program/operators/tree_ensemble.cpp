#include "program/operators/tree_ensemble.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace mere::program {

namespace {

struct LeafWord {
  std::string_view word;
  LeafKind kind;
};

constexpr LeafWord kLeafKinds[] = {
    {"vote", LeafKind::vote},         {"rows", LeafKind::rows},     {"counts8", LeafKind::counts8},
    {"counts16", LeafKind::counts16}, {"number", LeafKind::number},
};

// Adds the counts of one row, each divided by what the last two elements say.
template <class T>
void add_counts(const Array<T>& counts, std::size_t leaf, std::size_t width, double* to) {
  const auto length = static_cast<std::size_t>(counts.shape()[1]);
  const T* row = counts.data() + leaf * length;
  const std::uint32_t divisor = row[length - 2] | static_cast<std::uint32_t>(row[length - 1]) << (8 * sizeof(T));
  const double by = std::max<std::uint32_t>(divisor, 1);
  for (std::size_t k = 0; k < width; ++k) to[k] += row[k] / by;
}

}  // namespace

void TreeEnsemble::fields(Fields& fields) {
  nodes.fields(fields);
  fields.field("leaf", leaf);
  fields.field("outputs", outputs);
  fields.field("leaf_width", leaf_width);
  fields.field("values", values);
  fields.field("counts8", counts8);
  fields.field("counts16", counts16);
  fields.field("columns", columns);
  fields.field("base", base);
  fields.field("mean", mean);
}

LeafKind TreeEnsemble::leaf_kind() const {
  for (const LeafWord& known : kLeafKinds) {
    if (known.word == leaf) return known.kind;
  }
  fail_check(*this, "there is no kind of leaf called " + leaf);
}

std::uint64_t TreeEnsemble::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  nodes.check(*this, in_columns[0]);
  const TreeLayout layout = nodes.kind(*this);
  const LeafKind kind = leaf_kind();
  if (outputs < 1 || static_cast<std::uint64_t>(outputs) > kMaxColumns) {
    fail_check(*this, "has " + std::to_string(outputs) + " outputs");
  }
  if (leaf_width < 1 || leaf_width > outputs || (columns.empty() && outputs % leaf_width != 0)) {
    fail_check(*this,
               "has leaves of " + std::to_string(leaf_width) + " numbers for " + std::to_string(outputs) + " outputs");
  }
  if (!columns.empty()) {
    require_shape(*this, "columns", columns.shape(), std::array{static_cast<std::uint64_t>(nodes.trees)});
  }
  if (!base.empty()) require_shape(*this, "base", base.shape(), std::array{static_cast<std::uint64_t>(outputs)});
  const bool of_one_number = layout == TreeLayout::bins || layout == TreeLayout::shallow;
  if (of_one_number && (kind != LeafKind::rows || leaf_width != 1)) {
    fail_check(*this, "layout " + nodes.layout + " has leaves of one number, in values");
  }
  const auto check_table = [&](std::string_view field, const Dims& shape, std::size_t size, std::int64_t least) {
    const bool long_enough =
        shape.size() == 2 && size > 0 && shape[1] >= least && (least == leaf_width ? shape[1] == least : true);
    if (!long_enough || static_cast<std::uint64_t>(shape[0]) > kMaxTreeNodes) {
      fail_check(*this, std::string(field) + " has shape " + shape.to_text() + " for leaves of " +
                            std::to_string(leaf_width) + " numbers");
    }
  };
  switch (kind) {
    case LeafKind::vote:
      if (leaf_width != outputs || !base.empty()) fail_check(*this, "votes are for all outputs, and start from 0");
      break;
    case LeafKind::rows: check_table("values", values.shape(), values.size(), leaf_width); break;
    case LeafKind::counts8: check_table("counts8", counts8.shape(), counts8.size(), leaf_width + 2); break;
    case LeafKind::counts16: check_table("counts16", counts16.shape(), counts16.size(), leaf_width + 2); break;
    case LeafKind::number:
      if (layout != TreeLayout::n16d || leaf_width != 1) fail_check(*this, "numbers lie in nodes of layout n16d");
      break;
  }
  if (layout == TreeLayout::shallow) {
    require_shape(*this, "values", values.shape(),
                  std::array{static_cast<std::uint64_t>(nodes.positions()), std::uint64_t{1}});
  }
  return static_cast<std::uint64_t>(outputs);
}

std::size_t TreeEnsemble::leaf_count() const {
  switch (leaf_kind()) {
    case LeafKind::vote: return static_cast<std::size_t>(outputs);
    case LeafKind::rows: return static_cast<std::size_t>(values.shape()[0]);
    case LeafKind::counts8: return static_cast<std::size_t>(counts8.shape()[0]);
    case LeafKind::counts16: return static_cast<std::size_t>(counts16.shape()[0]);
    case LeafKind::number: break;
  }
  return 0;
}

std::size_t TreeEnsemble::first_column(std::size_t tree) const {
  const auto width = static_cast<std::size_t>(leaf_width), all = static_cast<std::size_t>(outputs);
  if (columns.empty()) return tree % (all / width) * width;
  return std::min<std::size_t>(columns[tree], all - width);
}

void TreeEnsemble::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const TreeWalk walk(nodes, nodes.kind(*this), x.columns);
  const LeafKind kind = leaf_kind();
  const std::size_t leaves = leaf_count(), trees = static_cast<std::size_t>(nodes.trees);
  const auto width = static_cast<std::size_t>(leaf_width);
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* to = out.row(r);
    for (std::size_t k = 0; k < out.columns; ++k) to[k] = base.empty() ? 0 : base[k];
    for (std::size_t t = 0; t < trees; ++t) {
      const std::uint64_t payload = walk.leaf(t, x.row(r)).payload;
      double* at = to + first_column(t);
      if (kind == LeafKind::number) {
        *at += std::bit_cast<double>(payload);
        continue;
      }
      // Of n16d the lower half: a file may have anything in the other.
      const std::size_t leaf_index = std::min<std::size_t>(payload & 0xffffffff, leaves - 1);
      switch (kind) {
        case LeafKind::vote: to[leaf_index] += 1; break;
        case LeafKind::counts8: add_counts(counts8, leaf_index, width, at); break;
        case LeafKind::counts16: add_counts(counts16, leaf_index, width, at); break;
        default:
          for (std::size_t k = 0; k < width; ++k) at[k] += values[leaf_index * width + k];
      }
    }
    if (mean) {
      for (std::size_t k = 0; k < out.columns; ++k) to[k] /= static_cast<double>(trees);
    }
  }
}

void TreeLeaves::fields(Fields& fields) {
  nodes.fields(fields);
  fields.field("node_ids", node_ids);
}

std::uint64_t TreeLeaves::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  nodes.check(*this, in_columns[0]);
  require_shape(*this, "node_ids", node_ids.shape(), std::array{static_cast<std::uint64_t>(nodes.positions())});
  return static_cast<std::uint64_t>(nodes.trees);
}

void TreeLeaves::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const TreeWalk walk(nodes, nodes.kind(*this), x.columns);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t t = 0; t < out.columns; ++t) out.row(r)[t] = node_ids[walk.leaf(t, x.row(r)).position];
  }
}

}  // namespace mere::program
