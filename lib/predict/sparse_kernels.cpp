// Operators over sparse rows: those that leave 0 as it is keep rows sparse, those that add up skip zeros.

#include <algorithm>
#include <cmath>
#include <mutex>

#include <mere/error.hpp>

#include "predict/kernel.hpp"
#include "program/operators/check.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/linear.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/rows.hpp"
#include "program/operators/texts.hpp"

namespace mere::predict {

using program::Matrix;
using program::MutableMatrix;
using program::SparseRows;

Sparsity Kernel::sparsity(const std::vector<bool>&) const {
  return Sparsity::none;
}

void Kernel::run_sparse(std::span<const Matrix>, MutableMatrix&, SparseRows&, Workspace&) const {}

namespace {

// Code for sparse inputs beside a kernel for dense ones.
template <class Op>
class SparseKernel : public Kernel {
 public:
  SparseKernel(const Op& op, std::unique_ptr<Kernel> dense) : op_(op), dense_(std::move(dense)) {}
  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace& workspace) const final {
    if (in[0].sparse) return run_rows(in, out);
    dense_->run(in, out, workspace);
  }
  std::string_view name() const final { return dense_->name(); }
  std::size_t block_doubles() const final { return dense_->block_doubles(); }

 protected:
  virtual void run_rows(std::span<const Matrix>, MutableMatrix&) const {}
  static bool first_only(const std::vector<bool>& sparse) {
    return !sparse.empty() && sparse[0] && std::find(sparse.begin() + 1, sparse.end(), true) == sparse.end();
  }
  const Op& op_;

 private:
  std::unique_ptr<Kernel> dense_;
};

// The values of all rows as one row.
Matrix all_values(const Matrix& x) {
  Matrix m;
  m.data = x.sparse->values.data();
  m.rows = 1;
  m.columns = m.stride = x.sparse->values.size();
  m.single = x.single;
  m.first_row = x.first_row;
  return m;
}

class SparseLinear final : public SparseKernel<program::Linear> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    return first_only(sparse) ? Sparsity::takes : Sparsity::none;
  }
  void run_rows(std::span<const Matrix> in, MutableMatrix& out) const override {
    const Matrix& x = in[0];
    const SparseRows& rows = *x.sparse;
    const Array<double>& bias = op_.bias;
    out.single = x.single && op_.single;
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t o = 0; o < out.columns; ++o) {
        const double* weight = op_.weights.data() + o * x.columns;
        double sum = 0;
        for (std::size_t i = rows.starts[r]; i < rows.starts[r + 1]; ++i)
          sum += rows.values[i] * weight[rows.columns[i]];
        if (out.single) sum = static_cast<float>(sum);
        if (!bias.empty()) sum += bias[bias.size() == 1 ? 0 : o];
        out.row(r)[o] = out.single ? static_cast<float>(sum) : sum;
      }
    }
  }
};

// Zeros pass every check.
class SparseCheck final : public SparseKernel<program::Check> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    return first_only(sparse) ? Sparsity::takes : Sparsity::none;
  }
  void run_rows(std::span<const Matrix> in, MutableMatrix&) const override {
    const Matrix& x = in[0];
    const SparseRows& rows = *x.sparse;
    constexpr double kOrdinary = 1e38;  // no Check refuses what is below
    for (std::size_t r = 0; r < x.rows; ++r) {
      bool odd = false;
      for (std::size_t i = rows.starts[r]; i < rows.starts[r + 1]; ++i) odd |= !(std::fabs(rows.values[i]) < kOrdinary);
      if (!odd) continue;
      // The row spread out, for the plain meaning to name what it refuses.
      std::vector<double> row(x.columns, 0.0);
      for (std::size_t i = rows.starts[r]; i < rows.starts[r + 1]; ++i) row[rows.columns[i]] = rows.values[i];
      Matrix one;
      one.data = row.data();
      one.rows = 1;
      one.columns = one.stride = x.columns;
      one.first_row = x.first_row + r;
      MutableMatrix none;
      op_.apply({&one, 1}, none);
    }
  }
};

// x OP its column's operand, for operations that leave 0 alone.
class SparseArithmetic final : public SparseKernel<program::Arithmetic> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    const bool keeps = op_.operation == "multiply" || op_.operation == "divide";
    return first_only(sparse) && keeps ? Sparsity::makes : Sparsity::none;
  }
  void run_sparse(std::span<const Matrix> in, MutableMatrix& out, SparseRows& made, Workspace&) const override {
    const Matrix& x = in[0];
    made = *x.sparse;
    out.single = x.single;
    const bool rounds = op_.operand_as_input && x.single, multiplies = op_.operation == "multiply";
    for (std::size_t i = 0; i < made.values.size(); ++i) {
      const double operand = op_.operand[op_.operand.size() == 1 ? 0 : made.columns[i]];
      const double by = rounds ? static_cast<float>(operand) : operand;
      const double value = multiplies ? made.values[i] * by : made.values[i] / by;
      made.values[i] = x.single ? static_cast<float>(value) : value;
    }
  }
};

// Number by number, each by the same function, which leaves 0 alone.
template <class Op>
class SparseElementwise final : public SparseKernel<Op> {
 public:
  SparseElementwise(const Op& op, std::unique_ptr<Kernel> dense, bool keeps_zero)
      : SparseKernel<Op>(op, std::move(dense)), keeps_zero_(keeps_zero) {}
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    return this->first_only(sparse) && keeps_zero_ ? Sparsity::makes : Sparsity::none;
  }
  void run_sparse(std::span<const Matrix> in, MutableMatrix& out, SparseRows& made, Workspace&) const override {
    made = *in[0].sparse;
    const Matrix values = all_values(in[0]);
    MutableMatrix to;
    to.data = made.values.data();
    to.rows = 1;
    to.columns = to.stride = values.columns;
    this->op_.apply({&values, 1}, to);
    out.single = to.single;
  }

 private:
  bool keeps_zero_;
};

bool map_keeps_zero(std::string_view function) {
  constexpr std::string_view kKeep[] = {"log1p", "expm1", "sin",      "tan",    "tanh",     "erf",
                                        "cbrt",  "sqrt",  "absolute", "square", "relu",     "sign",
                                        "floor", "ceil",  "trunc",    "rint",   "sublinear"};
  return std::find(std::begin(kKeep), std::end(kKeep), function) != std::end(kKeep);
}

// One number of each row.
class SparseReduce final : public SparseKernel<program::Reduce> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    const std::string& word = op_.operation;
    const bool adds = word == "sum" || word == "sum_of_squares" || word == "sum_of_absolutes" || word == "norm";
    return first_only(sparse) && op_.group == 0 && (adds || word == "maximum" || word == "minimum") ? Sparsity::takes
                                                                                                    : Sparsity::none;
  }
  void run_rows(std::span<const Matrix> in, MutableMatrix& out) const override {
    const Matrix& x = in[0];
    const bool ends = op_.operation == "maximum" || op_.operation == "minimum";
    out.single = x.single;
    for (std::size_t r = 0; r < x.rows; ++r) {
      const std::size_t begin = x.sparse->starts[r], count = x.sparse->starts[r + 1] - begin;
      double& to = out.row(r)[0];
      to = 0;
      if (count == 0) continue;
      Matrix row;
      row.data = x.sparse->values.data() + begin;
      row.rows = 1;
      row.columns = row.stride = count;
      row.single = x.single;
      MutableMatrix one;
      one.data = &to;
      one.rows = one.columns = one.stride = 1;
      op_.apply({&row, 1}, one);
      if (ends && count < x.columns && !std::isnan(to)) {
        to = op_.operation == "maximum" ? std::max(to, 0.0) : std::min(to, 0.0);
      }
    }
  }
};

// Rows times, or by, a number each.
class SparseCombine final : public SparseKernel<program::Combine> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    const bool keeps = op_.operation == "multiply" || op_.operation == "divide";
    return sparse.size() == 2 && first_only(sparse) && keeps ? Sparsity::makes : Sparsity::none;
  }
  void run_sparse(std::span<const Matrix> in, MutableMatrix& out, SparseRows& made, Workspace&) const override {
    const Matrix& x = in[0];
    const Matrix& by = in[1];
    made = *x.sparse;
    out.single = x.single && by.single;
    const bool multiplies = op_.operation == "multiply";
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t i = made.starts[r]; i < made.starts[r + 1]; ++i) {
        const double operand = by.row(r)[by.columns == 1 ? 0 : made.columns[i]];
        const double value = multiplies ? made.values[i] * operand : made.values[i] / operand;
        made.values[i] = out.single ? static_cast<float>(value) : value;
      }
    }
  }
};

// Finds where each column goes once, when the first sparse rows come.
class SparseSelect final : public SparseKernel<program::Select> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    return first_only(sparse) ? Sparsity::makes : Sparsity::none;
  }
  void run_sparse(std::span<const Matrix> in, MutableMatrix& out, SparseRows& made, Workspace&) const override {
    const Matrix& x = in[0];
    std::call_once(once_, [&] { find_targets(x.columns); });
    out.single = x.single;
    std::vector<std::pair<std::uint32_t, double>> row;
    for (std::size_t r = 0; r < x.rows; ++r) {
      row.clear();
      for (std::size_t i = x.sparse->starts[r]; i < x.sparse->starts[r + 1]; ++i) {
        const std::size_t column = x.sparse->columns[i];
        for (std::size_t k = starts_[column]; k < starts_[column + 1]; ++k) {
          row.emplace_back(targets_[k], x.sparse->values[i]);
        }
      }
      std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (const auto& [column, value] : row) made.add(column, value);
      made.end_row();
    }
  }

 private:
  void find_targets(std::size_t columns) const {
    const std::size_t count = op_.columns.size();
    std::vector<std::uint32_t> from(count);
    starts_.assign(columns + 1, 0);
    for (std::size_t k = 0; k < count; ++k) {
      // Read once: the array may change.
      from[k] = static_cast<std::uint32_t>(std::min<std::size_t>(op_.columns[k], columns - 1));
      ++starts_[from[k] + 1];
    }
    for (std::size_t c = 0; c < columns; ++c) starts_[c + 1] += starts_[c];
    targets_.resize(count);
    std::vector<std::size_t> next(starts_.begin(), starts_.end() - 1);
    for (std::size_t k = 0; k < count; ++k) targets_[next[from[k]]++] = static_cast<std::uint32_t>(k);
  }

  mutable std::once_flag once_;
  mutable std::vector<std::size_t> starts_;     // of each column of the input
  mutable std::vector<std::uint32_t> targets_;  // columns of the result
};

class SparseConcat final : public SparseKernel<program::Concat> {
 public:
  using SparseKernel::SparseKernel;
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    return std::find(sparse.begin(), sparse.end(), true) != sparse.end() ? Sparsity::makes : Sparsity::none;
  }
  void run_sparse(std::span<const Matrix> in, MutableMatrix& out, SparseRows& made, Workspace&) const override {
    out.single = std::all_of(in.begin(), in.end(), [](const Matrix& part) { return part.single; });
    for (std::size_t r = 0; r < out.rows; ++r) {
      std::size_t first = 0;
      for (const Matrix& part : in) {
        if (part.sparse) {
          for (std::size_t i = part.sparse->starts[r]; i < part.sparse->starts[r + 1]; ++i) {
            made.add(static_cast<std::uint32_t>(first + part.sparse->columns[i]), part.sparse->values[i]);
          }
        } else {
          for (std::size_t c = 0; c < part.columns; ++c) {
            if (part.row(r)[c] != 0) made.add(static_cast<std::uint32_t>(first + c), part.row(r)[c]);
          }
        }
        first += part.columns;
      }
      made.end_row();
    }
  }
};

// Documents become sparse rows whatever the input is.
class SparseTokens final : public Kernel {
 public:
  explicit SparseTokens(const program::TokenOperator& op) : op_(op) {}
  void run(std::span<const Matrix> in, MutableMatrix& out, Workspace&) const override { op_.apply(in, out); }
  std::string_view name() const override { return "texts"; }
  Sparsity sparsity(const std::vector<bool>& sparse) const override {
    return sparse[0] ? Sparsity::none : Sparsity::makes;
  }
  void run_sparse(std::span<const Matrix> in, MutableMatrix& out, SparseRows& made, Workspace&) const override {
    out.single = op_.single;
    op_.add_rows(in[0], made);
  }

 private:
  const program::TokenOperator& op_;
};

template <class Op>
std::unique_ptr<Kernel> elementwise(const Op& op, std::unique_ptr<Kernel> dense, bool keeps_zero) {
  return std::make_unique<SparseElementwise<Op>>(op, std::move(dense), keeps_zero);
}

}  // namespace

std::unique_ptr<Kernel> with_sparse(const program::Operator& op, std::unique_ptr<Kernel> dense) {
  using namespace program;
  if (const auto* linear = dynamic_cast<const Linear*>(&op)) {
    return std::make_unique<SparseLinear>(*linear, std::move(dense));
  }
  if (const auto* check = dynamic_cast<const Check*>(&op)) {
    return std::make_unique<SparseCheck>(*check, std::move(dense));
  }
  if (const auto* arithmetic = dynamic_cast<const Arithmetic*>(&op)) {
    return std::make_unique<SparseArithmetic>(*arithmetic, std::move(dense));
  }
  if (const auto* reduce = dynamic_cast<const Reduce*>(&op)) {
    return std::make_unique<SparseReduce>(*reduce, std::move(dense));
  }
  if (const auto* combine = dynamic_cast<const Combine*>(&op)) {
    return std::make_unique<SparseCombine>(*combine, std::move(dense));
  }
  if (const auto* select = dynamic_cast<const Select*>(&op)) {
    return std::make_unique<SparseSelect>(*select, std::move(dense));
  }
  if (const auto* concat = dynamic_cast<const Concat*>(&op)) {
    return std::make_unique<SparseConcat>(*concat, std::move(dense));
  }
  if (const auto* tokens = dynamic_cast<const TokenOperator*>(&op)) return std::make_unique<SparseTokens>(*tokens);
  if (const auto* map = dynamic_cast<const Map*>(&op)) {
    return elementwise(*map, std::move(dense), map_keeps_zero(map->function));
  }
  if (const auto* cast = dynamic_cast<const Cast*>(&op)) return elementwise(*cast, std::move(dense), true);
  if (const auto* above = dynamic_cast<const Above*>(&op)) {
    return elementwise(*above, std::move(dense), above->or_equal ? above->threshold > 0 : above->threshold >= 0);
  }
  if (const auto* missing = dynamic_cast<const IsMissing*>(&op)) {
    return elementwise(*missing, std::move(dense), missing->missing != 0);
  }
  return dense;
}

}  // namespace mere::predict
