#include "program/operators/linear.hpp"

namespace mere::program {

void Linear::fields(Fields& fields) {
  fields.field("weights", weights);
  fields.field("bias", bias);
  fields.field("single", single);
}

std::uint64_t Linear::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (weights.shape().size() != 2 || static_cast<std::uint64_t>(weights.shape()[1]) != in_columns[0]) {
    fail_check(*this, "weights have shape " + weights.shape().to_text() + " for " + std::to_string(in_columns[0]) +
                          " columns");
  }
  const auto outputs = static_cast<std::uint64_t>(weights.shape()[0]);
  if (!bias.empty() && (bias.shape().size() != 1 || (bias.size() != 1 && bias.size() != outputs))) {
    fail_check(*this, "bias has shape " + bias.shape().to_text() + " for " + std::to_string(outputs) + " outputs");
  }
  return outputs;
}

void Linear::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  out.single = x.single && single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* row = x.row(r);
    for (std::size_t o = 0; o < out.columns; ++o) {
      const double* weight = weights.data() + o * x.columns;
      double sum = 0;
      for (std::size_t c = 0; c < x.columns; ++c) sum += row[c] * weight[c];
      if (out.single) sum = static_cast<float>(sum);
      if (!bias.empty()) sum += bias[bias.size() == 1 ? 0 : o];
      out.row(r)[o] = out.single ? static_cast<float>(sum) : sum;
    }
  }
}

}  // namespace mere::program
