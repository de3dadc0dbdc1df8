// Which operator has which kernel.

#include "predict/functions/function_kernels.hpp"
#include "predict/kernel.hpp"
#include "predict/linear/linear_kernel.hpp"
#include "predict/pairwise/pairwise_kernels.hpp"
#include "predict/trees/tree_kernel.hpp"

namespace mere::predict {

namespace {

class PlainKernel final : public Kernel {
 public:
  explicit PlainKernel(const program::Operator& op) : op_(op) {}
  void run(std::span<const program::Matrix> in, program::MutableMatrix& out, Workspace&) const override {
    op_.apply(in, out);
  }
  std::string_view name() const override { return "plain"; }

 private:
  const program::Operator& op_;
};

}  // namespace

std::unique_ptr<Kernel> bind(const program::Operator& op) {
  if (const auto* check = dynamic_cast<const program::Check*>(&op)) return bind_check(*check);
  if (const auto* arithmetic = dynamic_cast<const program::Arithmetic*>(&op)) return bind_arithmetic(*arithmetic);
  if (const auto* softmax = dynamic_cast<const program::Softmax*>(&op)) return bind_softmax(*softmax);
  if (const auto* map = dynamic_cast<const program::Map*>(&op)) {
    if (auto kernel = bind_map(*map)) return kernel;
  }
  if (const auto* trees = dynamic_cast<const program::TreeEnsemble*>(&op)) return bind_trees(*trees);
  if (const auto* linear = dynamic_cast<const program::Linear*>(&op)) return bind_linear(*linear);
  if (const auto* pairwise = dynamic_cast<const program::Pairwise*>(&op)) {
    if (auto kernel = bind_pairwise(*pairwise)) return kernel;
  }
  if (const auto* pairs = dynamic_cast<const program::PairDecisions*>(&op)) return bind_pair_decisions(*pairs);
  return std::make_unique<PlainKernel>(op);
}

}  // namespace mere::predict
