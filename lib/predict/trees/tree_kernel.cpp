#include "predict/trees/tree_kernel.hpp"

#include <algorithm>
#include <string>

#include "predict/float_mode.hpp"
#include "predict/trees/tree_code.hpp"

namespace mere::predict {

using program::LeafKind;
using program::Matrix;
using program::MutableMatrix;
using program::TreeEnsemble;
using program::TreeLayout;

namespace {

constexpr std::size_t kMostBlockRows = 2048;
// Rows of a block, as trees compare them, take no more: they stay in the second cache beside a tree.
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
// Rows are padded up to so many numbers.
constexpr std::size_t kWidestPadded = 4096;

const TreeCode& code_for(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::avx512) return kAvx512Trees;
  if (level == CpuLevel::avx2) return kAvx2Trees;
#endif
  static_cast<void>(level);
  return kScalarTrees;
}

LeafForm form_of(LeafKind kind) {
  switch (kind) {
    case LeafKind::vote: return LeafForm::vote;
    case LeafKind::counts8: return LeafForm::counts8;
    case LeafKind::counts16: return LeafForm::counts16;
    case LeafKind::number: return LeafForm::number;
    case LeafKind::rows: break;
  }
  return LeafForm::rows;
}

class TreeKernel final : public Kernel {
 public:
  TreeKernel(const TreeEnsemble& op, const TreeCode& code, bool vectors, std::string name)
      : op_(op), layout_(op.nodes.kind(op)), code_(code), vectors_(vectors), name_(std::move(name)) {
    arrays_.nodes = op.nodes.nodes.data();
    arrays_.starts = op.nodes.starts.data();
    arrays_.categories = op.nodes.categories.data();
    arrays_.edges = op.nodes.edges.data();
    arrays_.values = op.values.data();
    arrays_.counts8 = op.counts8.data();
    arrays_.counts16 = op.counts16.data();
    arrays_.columns = op.columns.empty() ? nullptr : op.columns.data();
    arrays_.trees = static_cast<std::size_t>(op.nodes.trees);
    arrays_.width = static_cast<std::size_t>(op.leaf_width);
    arrays_.outputs = static_cast<std::size_t>(op.outputs);
    arrays_.category_sets = op.nodes.categories.size() / program::kCategoryWords;
    arrays_.last_node = static_cast<std::uint32_t>(op.nodes.nodes.shape()[0] - 1);
    arrays_.missing = op.nodes.missing;
    arrays_.form = form_of(op.leaf_kind());
    if (arrays_.form != LeafForm::number) arrays_.last_leaf = static_cast<std::uint32_t>(op.leaf_count() - 1);
    if (arrays_.form == LeafForm::counts8) arrays_.row_length = static_cast<std::size_t>(op.counts8.shape()[1]);
    if (arrays_.form == LeafForm::counts16) arrays_.row_length = static_cast<std::size_t>(op.counts16.shape()[1]);
  }

  std::string_view name() const override { return name_; }
  std::size_t block_doubles() const override { return kLargeBlock; }

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace& workspace) const override {
    const Matrix& x = in[0];
    const PlainFloats plain_floats;
    TreeArrays arrays = arrays_;
    arrays.last_column = static_cast<std::uint32_t>(x.columns - 1);
    arrays.delta_bits = 31 - program::feature_bits(x.columns);
    const bool padded = layout_ == TreeLayout::n8 && !vectors_ && x.columns <= kWidestPadded;
    const std::size_t stride = padded ? std::size_t{1} << program::feature_bits(x.columns) : x.columns;
    const bool doubles = layout_ == TreeLayout::n16d || layout_ == TreeLayout::bins;
    const std::size_t row_bytes = stride * (doubles ? sizeof(double) : sizeof(float));
    const std::size_t most_rows =
        std::min(x.rows, std::clamp<std::size_t>(kBlockBytes / row_bytes, 64, kMostBlockRows));
    float* singles = doubles ? nullptr : workspace.take<float>(most_rows * stride);
    std::uint32_t* votes =
        arrays.form == LeafForm::vote ? workspace.take<std::uint32_t>(most_rows * arrays.outputs) : nullptr;
    double* scratch = nullptr;
    if (layout_ == TreeLayout::bins || layout_ == TreeLayout::shallow) {
      const std::size_t of_block = arrays.outputs <= kScratchOutputs ? kScratchRows * arrays.outputs : 0;
      scratch = workspace.take<double>(std::max(arrays.trees + kScratchTrees, of_block));
    }
    for (std::size_t first = 0; first < x.rows; first += most_rows) {
      const std::size_t rows = std::min(most_rows, x.rows - first);
      start(out, first, rows, votes);
      const TreeSums sums{out.row(first), out.stride, votes, scratch};
      if (doubles) {
        const TreeRows<double> as_they_are{x.row(first), rows, x.stride, false};
        (layout_ == TreeLayout::n16d ? code_.n16d : code_.bins)(arrays, as_they_are, sums);
      } else {
        round_rows(x, first, rows, stride, singles);
        const TreeRows<float> rounded{singles, rows, stride, padded};
        (layout_ == TreeLayout::n8    ? code_.n8
         : layout_ == TreeLayout::n12 ? code_.n12
                                      : code_.shallow)(arrays, rounded, sums);
      }
      finish(out, first, rows, votes);
    }
  }

 private:
  static void round_rows(const Matrix& x, std::size_t first, std::size_t rows, std::size_t stride, float* to) {
    for (std::size_t r = 0; r < rows; ++r, to += stride) {
      const double* from = x.row(first + r);
      for (std::size_t c = 0; c < x.columns; ++c) to[c] = static_cast<float>(from[c]);
      std::fill(to + x.columns, to + stride, to[x.columns - 1]);
    }
  }

  void start(MutableMatrix& out, std::size_t first, std::size_t rows, std::uint32_t* votes) const {
    if (votes) {
      std::fill_n(votes, rows * arrays_.outputs, 0u);
      return;
    }
    for (std::size_t r = 0; r < rows; ++r) {
      double* to = out.row(first + r);
      if (op_.base.empty()) {
        std::fill_n(to, arrays_.outputs, 0.0);
      } else {
        std::copy_n(op_.base.data(), arrays_.outputs, to);
      }
    }
  }

  void finish(MutableMatrix& out, std::size_t first, std::size_t rows, const std::uint32_t* votes) const {
    const auto trees = static_cast<double>(arrays_.trees);
    for (std::size_t r = 0; r < rows; ++r) {
      double* to = out.row(first + r);
      if (votes) {
        for (std::size_t k = 0; k < arrays_.outputs; ++k) to[k] = *votes++;
      }
      if (op_.mean) {
        for (std::size_t k = 0; k < arrays_.outputs; ++k) to[k] /= trees;
      }
    }
  }

  const TreeEnsemble& op_;
  TreeLayout layout_;
  const TreeCode& code_;
  bool vectors_;
  std::string name_;
  TreeArrays arrays_;
};

}  // namespace

std::unique_ptr<Kernel> bind_trees(const TreeEnsemble& op, CpuLevel level) {
  return bind_trees(op, code_for(level), level != CpuLevel::scalar, "trees " + std::string(to_text(level)));
}

std::unique_ptr<Kernel> bind_trees(const TreeEnsemble& op, const TreeCode& code, bool vectors, std::string_view name) {
  return std::make_unique<TreeKernel>(op, code, vectors, std::string(name));
}

}  // namespace mere::predict
