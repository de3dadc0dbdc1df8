#pragma once
// Functions of numbers, compiled once for each instruction set. Nothing here may emit code that is shared between them:
// no templates or inline functions of the C++ library.

#include <cstddef>

namespace mere::predict {

// rows x columns, `stride` numbers from row to row.
struct NumberRows {
  const double* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
};

enum class Operation : unsigned char { add, subtract, multiply, divide };

struct FunctionCode {
  // One number of one; `out` may be `x`. All give what the plain meaning gives, but exp, expit and tanh, which are
  // within a few units of the last place of it.
  using Each = void (*)(const double* x, std::size_t count, double* out);
  Each exp, expit, tanh, relu, negative, absolute, square, sqrt, one_minus, reciprocal;
  // Rounds to float32 and back.
  Each round;

  // x OP operand, one a column, or one for all (`step` 0).
  void (*arithmetic)(Operation operation, const NumberRows& x, const double* operand, std::size_t step, double* out,
                     std::size_t out_stride);
  void (*softmax)(const NumberRows& x, double* out, std::size_t out_stride);
  // Rows before the first that has a number not within `limit` of 0 (NaN is not).
  std::size_t (*rows_within)(const NumberRows& x, double limit);
};

extern const FunctionCode kScalarFunctions;
#if defined(__x86_64__)
extern const FunctionCode kAvx2Functions;
extern const FunctionCode kAvx512Functions;
#endif

}  // namespace mere::predict
