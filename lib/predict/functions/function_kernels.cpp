#include "predict/functions/function_kernels.hpp"

#include <limits>
#include <string>

#include "predict/functions/function_code.hpp"

namespace mere::predict {

using program::Matrix;
using program::MutableMatrix;

namespace {

const FunctionCode& code_for(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::avx512) return kAvx512Functions;
  if (level == CpuLevel::avx2) return kAvx2Functions;
#endif
  static_cast<void>(level);
  return kScalarFunctions;
}

NumberRows rows_of(const Matrix& x) {
  return {x.data, x.rows, x.columns, x.stride};
}

// All rows at once if they lie side by side, else each.
void each_row(FunctionCode::Each call, const Matrix& x, const MutableMatrix& out) {
  if (x.stride == x.columns && out.stride == x.columns) return call(x.data, x.rows * x.columns, out.data);
  for (std::size_t r = 0; r < x.rows; ++r) call(x.row(r), x.columns, out.row(r));
}

class FunctionKernel : public Kernel {
 public:
  explicit FunctionKernel(CpuLevel level) : code_(code_for(level)), name_("functions " + std::string(to_text(level))) {}
  std::string_view name() const override { return name_; }

 protected:
  // What the operators of this page that keep single do last.
  void round_if_single(const Matrix& in, MutableMatrix& out) const {
    out.single = in.single;
    if (in.single) each_row(code_.round, out, out);
  }
  const FunctionCode& code_;

 private:
  std::string name_;
};

class CheckKernel final : public FunctionKernel {
 public:
  CheckKernel(const program::Check& op, CpuLevel level) : FunctionKernel(level), op_(op) {}

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace&) const override {
    const Matrix& x = in[0];
    const double limit =
        op_.single_range ? double{std::numeric_limits<float>::max()} : std::numeric_limits<double>::infinity();
    // Of a row with a number beyond, the plain meaning says which it is and whether it is refused.
    for (std::size_t r = 0; r < x.rows; ++r) {
      r += code_.rows_within({x.row(r), x.rows - r, x.columns, x.stride}, limit);
      if (r == x.rows) return;
      Matrix odd = x;
      odd.data = x.row(r);
      odd.rows = 1;
      odd.first_row += r;
      op_.apply({&odd, 1}, out);
    }
  }

 private:
  const program::Check& op_;
};

class ArithmeticKernel final : public FunctionKernel {
 public:
  ArithmeticKernel(const program::Arithmetic& op, CpuLevel level)
      : FunctionKernel(level),
        op_(op),
        operation_(op.operation == "add"        ? Operation::add
                   : op.operation == "subtract" ? Operation::subtract
                   : op.operation == "multiply" ? Operation::multiply
                                                : Operation::divide) {}

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace& workspace) const override {
    const Matrix& x = in[0];
    const double* operand = op_.operand.data();
    if (op_.operand_as_input && x.single) {
      double* rounded = workspace.take<double>(op_.operand.size());
      code_.round(operand, op_.operand.size(), rounded);
      operand = rounded;
    }
    code_.arithmetic(operation_, rows_of(x), operand, op_.operand.size() == 1 ? 0 : 1, out.data, out.stride);
    round_if_single(x, out);
  }

 private:
  const program::Arithmetic& op_;
  Operation operation_;
};

class SoftmaxKernel final : public FunctionKernel {
 public:
  explicit SoftmaxKernel(CpuLevel level) : FunctionKernel(level) {}

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace&) const override {
    code_.softmax(rows_of(in[0]), out.data, out.stride);
    round_if_single(in[0], out);
  }
};

class MapKernel final : public FunctionKernel {
 public:
  MapKernel(FunctionCode::Each call, CpuLevel level) : FunctionKernel(level), call_(call) {}

  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace&) const override {
    each_row(call_, in[0], out);
    round_if_single(in[0], out);
  }

 private:
  FunctionCode::Each call_;
};

struct NamedFunction {
  std::string_view name;
  FunctionCode::Each FunctionCode::*call;
};

constexpr NamedFunction kFunctions[] = {{"exp", &FunctionCode::exp},
                                        {"expit", &FunctionCode::expit},
                                        {"tanh", &FunctionCode::tanh},
                                        {"relu", &FunctionCode::relu},
                                        {"negative", &FunctionCode::negative},
                                        {"absolute", &FunctionCode::absolute},
                                        {"square", &FunctionCode::square},
                                        {"sqrt", &FunctionCode::sqrt},
                                        {"one_minus", &FunctionCode::one_minus},
                                        {"reciprocal", &FunctionCode::reciprocal}};

}  // namespace

std::unique_ptr<Kernel> bind_check(const program::Check& op, CpuLevel level) {
  return std::make_unique<CheckKernel>(op, level);
}

std::unique_ptr<Kernel> bind_arithmetic(const program::Arithmetic& op, CpuLevel level) {
  return std::make_unique<ArithmeticKernel>(op, level);
}

std::unique_ptr<Kernel> bind_softmax(const program::Softmax&, CpuLevel level) {
  return std::make_unique<SoftmaxKernel>(level);
}

std::unique_ptr<Kernel> bind_map(const program::Map& op, CpuLevel level) {
  for (const NamedFunction& known : kFunctions) {
    if (known.name == op.function) return std::make_unique<MapKernel>(code_for(level).*known.call, level);
  }
  return nullptr;
}

}  // namespace mere::predict
