#include "predict/pairwise/pairwise_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "predict/pairwise/pairwise_code.hpp"

namespace mere::predict {

using program::Matrix;
using program::MutableMatrix;

namespace {

const PairwiseCode& code_for(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::avx512) return kAvx512Pairwise;
  if (level == CpuLevel::avx2) return kAvx2Pairwise;
#endif
  static_cast<void>(level);
  return kScalarPairwise;
}

// Of more pairs the sums of many rows at once would take too much memory.
constexpr std::size_t kMostTurnedPairs = std::size_t{1} << 16;

struct NamedFunction {
  std::string_view name;
  PairFunction function;
};

constexpr NamedFunction kFunctions[] = {{"squared_euclidean", PairFunction::squared_euclidean},
                                        {"euclidean", PairFunction::euclidean},
                                        {"manhattan", PairFunction::manhattan},
                                        {"chebyshev", PairFunction::chebyshev},
                                        {"dot", PairFunction::dot},
                                        {"rbf", PairFunction::rbf},
                                        {"laplacian", PairFunction::laplacian},
                                        {"polynomial", PairFunction::polynomial},
                                        {"sigmoid", PairFunction::sigmoid}};

std::optional<PairFunction> function_of(const program::Pairwise& op) {
  for (const NamedFunction& known : kFunctions) {
    if (known.name != op.function) continue;
    // Powers that the plain meaning takes by squaring.
    const bool whole = op.degree >= 0 && op.degree < 1024 && op.degree == std::floor(op.degree);
    if (known.function == PairFunction::polynomial && !whole) return {};
    return known.function;
  }
  return {};
}

class PairwiseKernel final : public Kernel {
 public:
  PairwiseKernel(const program::Pairwise& op, PairFunction function, CpuLevel level)
      : op_(op), code_(code_for(level)), name_("pairwise " + std::string(to_text(level))) {
    arrays_.function = function;
    arrays_.vectors = op.vectors.data();
    arrays_.count = static_cast<std::size_t>(op.vectors.shape()[0]);
    arrays_.columns = static_cast<std::size_t>(op.vectors.shape()[1]);
    arrays_.gamma = op.gamma;
    arrays_.coef0 = op.coef0;
    if (function == PairFunction::polynomial) arrays_.degree = static_cast<unsigned>(op.degree);
  }

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace& workspace) const override {
    const Matrix& x = in[0];
    if (x.columns == 0) return op_.apply(in, out);
    code_.pairwise(arrays_, x.data, x.rows, x.stride, out.data, out.stride, workspace.take<double>(kPanelDoubles));
  }
  std::string_view name() const override { return name_; }
  std::size_t block_doubles() const override { return kLargeBlock; }

 private:
  const program::Pairwise& op_;
  PairwiseArrays arrays_;
  const PairwiseCode& code_;
  std::string name_;
};

class PairDecisionsKernel final : public Kernel {
 public:
  PairDecisionsKernel(const program::PairDecisions& op, CpuLevel level)
      : op_(op), code_(code_for(level)), name_("pairwise " + std::string(to_text(level))) {}

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace& workspace) const override {
    const Matrix& x = in[0];
    DecisionArrays arrays;
    arrays.coefficients = op_.coefficients.data();
    arrays.bias = op_.bias.data();
    arrays.classes = op_.counts.size();
    arrays.vectors = x.columns;
    // Counts that lie end with the vectors.
    auto* starts = workspace.take<std::size_t>(arrays.classes + 1);
    starts[0] = 0;
    for (std::size_t c = 0; c < arrays.classes; ++c) {
      const std::int64_t count = op_.counts[c];
      starts[c + 1] = starts[c] + (count < 0 ? 0 : std::min(x.columns - starts[c], static_cast<std::size_t>(count)));
    }
    arrays.starts = starts;
    if (out.columns > kMostTurnedPairs) {
      for (std::size_t r = 0; r < x.rows; ++r) {
        kScalarPairwise.decide(arrays, x.row(r), 1, x.stride, out.row(r), out.stride, nullptr);
      }
      return;
    }
    double* scratch = workspace.take<double>(kDecisionDoubles + out.columns * kDecisionRows);
    // Of few rows the sums are added one by one, which compilers do best where they know no wide vectors.
    const PairwiseCode& code = x.rows < kDecisionRows / 2 ? kScalarPairwise : code_;
    code.decide(arrays, x.data, x.rows, x.stride, out.data, out.stride, scratch);
  }
  std::string_view name() const override { return name_; }

 private:
  const program::PairDecisions& op_;
  const PairwiseCode& code_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Kernel> bind_pairwise(const program::Pairwise& op, CpuLevel level) {
  const std::optional<PairFunction> function = function_of(op);
  if (!function) return nullptr;
  return std::make_unique<PairwiseKernel>(op, *function, level);
}

std::unique_ptr<Kernel> bind_pair_decisions(const program::PairDecisions& op, CpuLevel level) {
  return std::make_unique<PairDecisionsKernel>(op, level);
}

}  // namespace mere::predict
