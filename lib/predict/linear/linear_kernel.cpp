#include "predict/linear/linear_kernel.hpp"

#include <string>

#include "predict/linear/linear_code.hpp"

namespace mere::predict {

namespace {

LinearCode code_for(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::avx512) return kAvx512Linear;
  if (level == CpuLevel::avx2) return kAvx2Linear;
#endif
  static_cast<void>(level);
  return kScalarLinear;
}

class LinearKernel final : public Kernel {
 public:
  LinearKernel(const program::Linear& op, CpuLevel level)
      : op_(op), code_(code_for(level)), name_("linear " + std::string(to_text(level))) {
    linear_.weights = op.weights.data();
    linear_.bias = op.bias.empty() ? nullptr : op.bias.data();
    linear_.bias_step = op.bias.size() == 1 ? 0 : 1;
    linear_.outputs = static_cast<std::size_t>(op.weights.shape()[0]);
    linear_.columns = static_cast<std::size_t>(op.weights.shape()[1]);
  }

  void run(std::span<const program::Matrix> in, program::MutableMatrix& out, Workspace&) const override {
    const program::Matrix& x = in[0];
    // float32 rounds after each sum, which the plain meaning does.
    if (x.single && op_.single) return op_.apply(in, out);
    code_(linear_, x.data, x.rows, x.stride, out.data, out.stride);
  }
  std::string_view name() const override { return name_; }
  std::size_t block_doubles() const override { return op_.weights.size() < kSmallBlock ? kSmallBlock : kLargeBlock; }

 private:
  const program::Linear& op_;
  LinearArrays linear_;
  LinearCode code_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Kernel> bind_linear(const program::Linear& op, CpuLevel level) {
  return std::make_unique<LinearKernel>(op, level);
}

}  // namespace mere::predict
