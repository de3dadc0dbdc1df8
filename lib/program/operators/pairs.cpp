#include "program/operators/pairs.hpp"

#include <algorithm>
#include <cmath>

namespace mere::program {

namespace {

// More classes would make more pairs than a value has columns.
constexpr std::int64_t kMaxClasses = 1 << 16;

std::uint64_t pairs_of(std::uint64_t classes) {
  return classes * (classes - 1) / 2;
}

void require_pairs(const Operator& op, std::int64_t classes, std::uint64_t columns) {
  if (classes < 2 || classes > kMaxClasses || pairs_of(static_cast<std::uint64_t>(classes)) != columns) {
    fail_check(op, std::to_string(classes) + " classes have no " + std::to_string(columns) + " pairs");
  }
}

}  // namespace

void PairDecisions::fields(Fields& fields) {
  fields.field("coefficients", coefficients);
  fields.field("counts", counts);
  fields.field("bias", bias);
}

std::uint64_t PairDecisions::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (counts.shape().size() != 1 || counts.size() < 2 || counts.size() > kMaxClasses) {
    fail_check(*this, "counts have shape " + counts.shape().to_text());
  }
  const std::uint64_t shape[] = {counts.size() - 1, in_columns[0]};
  require_shape(*this, "coefficients", coefficients.shape(), shape);
  const std::uint64_t pairs[] = {pairs_of(counts.size())};
  require_shape(*this, "bias", bias.shape(), pairs);
  return pairs[0];
}

void PairDecisions::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const std::size_t classes = counts.size();
  // The vectors of class i are [starts[i], starts[i + 1]); counts that lie end with the vectors.
  std::vector<std::size_t> starts(classes + 1, 0);
  for (std::size_t i = 0; i < classes; ++i) {
    const std::size_t left = x.columns - starts[i];
    starts[i + 1] = starts[i] + (counts[i] < 0 ? 0 : std::min(left, static_cast<std::size_t>(counts[i])));
  }
  for (std::size_t r = 0; r < x.rows; ++r) {
    const double* kernel = x.row(r);
    std::size_t pair = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      for (std::size_t j = i + 1; j < classes; ++j, ++pair) {
        double sum = 0;
        const double* first = coefficients.data() + (j - 1) * x.columns;
        const double* second = coefficients.data() + i * x.columns;
        for (std::size_t k = starts[i]; k < starts[i + 1]; ++k) sum += first[k] * kernel[k];
        for (std::size_t k = starts[j]; k < starts[j + 1]; ++k) sum += second[k] * kernel[k];
        out.row(r)[pair] = sum + bias[pair];
      }
    }
  }
}

void PairVotes::fields(Fields& fields) {
  fields.field("classes", classes);
}

std::uint64_t PairVotes::check(std::span<const std::uint64_t> in_columns) const {
  if (in_columns.empty() || in_columns.size() > 2 || in_columns.front() != in_columns.back()) {
    fail_check(*this, "takes one input, or two of the same columns");
  }
  require_pairs(*this, classes, in_columns[0]);
  return static_cast<std::uint64_t>(classes);
}

// sklearn/utils/multiclass.py, _ovr_decision_function.
void PairVotes::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  std::vector<double> sure(out.columns);
  for (std::size_t r = 0; r < out.rows; ++r) {
    double* votes = out.row(r);
    std::fill_n(votes, out.columns, 0.0);
    std::fill(sure.begin(), sure.end(), 0.0);
    std::size_t pair = 0;
    for (std::size_t i = 0; i < out.columns; ++i) {
      for (std::size_t j = i + 1; j < out.columns; ++j, ++pair) {
        votes[in[0].row(r)[pair] == 0 ? i : j] += 1;
        if (in.size() == 1) continue;
        sure[i] -= in[1].row(r)[pair];
        sure[j] += in[1].row(r)[pair];
      }
    }
    if (in.size() == 1) continue;
    for (std::size_t i = 0; i < out.columns; ++i) votes[i] += sure[i] / (3 * (std::fabs(sure[i]) + 1));
  }
}

void PairProbabilities::fields(Fields& fields) {
  fields.field("classes", classes);
}

std::uint64_t PairProbabilities::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_pairs(*this, classes, in_columns[0]);
  return static_cast<std::uint64_t>(classes);
}

// Wu, Lin and Weng (2004), "Probability estimates for multi-class classification by pairwise coupling", their second
// method, with libsvm's start, limit of steps and end.
void PairProbabilities::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const std::size_t n = out.columns;
  std::vector<double> won(n * n, 0.0), q(n * n), qp(n);
  for (std::size_t row = 0; row < out.rows; ++row) {
    const double* given = in[0].row(row);
    for (std::size_t i = 0, pair = 0; i < n; ++i) {
      for (std::size_t j = i + 1; j < n; ++j, ++pair) {
        won[i * n + j] = given[pair];
        won[j * n + i] = 1 - given[pair];
      }
    }
    for (std::size_t t = 0; t < n; ++t) {
      q[t * n + t] = 0;
      for (std::size_t j = 0; j < n; ++j) {
        if (j == t) continue;
        q[t * n + t] += won[j * n + t] * won[j * n + t];
        q[t * n + j] = -won[j * n + t] * won[t * n + j];
      }
    }
    double* p = out.row(row);
    std::fill_n(p, n, 1.0 / static_cast<double>(n));
    const double close = 0.005 / static_cast<double>(n);
    const std::size_t most = std::max<std::size_t>(100, n);
    for (std::size_t step = 0; step < most; ++step) {
      double pqp = 0;
      for (std::size_t t = 0; t < n; ++t) {
        qp[t] = 0;
        for (std::size_t j = 0; j < n; ++j) qp[t] += q[t * n + j] * p[j];
        pqp += p[t] * qp[t];
      }
      double worst = 0;
      for (std::size_t t = 0; t < n; ++t) worst = std::max(worst, std::fabs(qp[t] - pqp));
      if (worst < close) break;
      for (std::size_t t = 0; t < n; ++t) {
        const double move = (pqp - qp[t]) / q[t * n + t];
        p[t] += move;
        pqp = (pqp + move * (move * q[t * n + t] + 2 * qp[t])) / (1 + move) / (1 + move);
        for (std::size_t j = 0; j < n; ++j) {
          qp[j] = (qp[j] + move * q[t * n + j]) / (1 + move);
          p[j] /= 1 + move;
        }
      }
    }
  }
}

}  // namespace mere::program
