#include "program/operators/combine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mere::program {

namespace {

struct NamedOperation {
  std::string_view name;
  double (*call)(double, double);
};

// maximum and minimum keep a NaN of either side, as NumPy's do.
constexpr NamedOperation kOperations[] = {
    {"add", [](double a, double b) { return a + b; }},
    {"subtract", [](double a, double b) { return a - b; }},
    {"multiply", [](double a, double b) { return a * b; }},
    {"divide", [](double a, double b) { return a / b; }},
    {"maximum", [](double a, double b) { return a >= b || std::isnan(a) ? a : b; }},
    {"minimum", [](double a, double b) { return a <= b || std::isnan(a) ? a : b; }},
};

const NamedOperation* find_operation(std::string_view name) {
  for (const NamedOperation& known : kOperations) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

struct NamedReduction {
  std::string_view name;
  double (*call)(const double* x, std::size_t n);
};

template <class Term>
double sum_of(const double* x, std::size_t n, Term term) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += term(x[i]);
  return sum;
}

double sum_of_squares(const double* x, std::size_t n) {
  return sum_of(x, n, [](double v) { return v * v; });
}

double maximum(const double* x, std::size_t n) {
  double most = x[0];
  for (std::size_t i = 1; i < n; ++i) most = most >= x[i] || std::isnan(most) ? most : x[i];
  return most;
}

double minimum(const double* x, std::size_t n) {
  double least = x[0];
  for (std::size_t i = 1; i < n; ++i) least = least <= x[i] || std::isnan(least) ? least : x[i];
  return least;
}

double log_sum_exp(const double* x, std::size_t n) {
  double most = maximum(x, n);
  if (!std::isfinite(most)) most = 0;
  return std::log(sum_of(x, n, [=](double v) { return std::exp(v - most); })) + most;
}

constexpr NamedReduction kReductions[] = {
    {"sum", [](const double* x, std::size_t n) { return sum_of(x, n, [](double v) { return v; }); }},
    {"sum_of_squares", sum_of_squares},
    {"sum_of_absolutes",
     [](const double* x, std::size_t n) { return sum_of(x, n, [](double v) { return std::fabs(v); }); }},
    {"norm", [](const double* x, std::size_t n) { return std::sqrt(sum_of_squares(x, n)); }},
    {"maximum", maximum},
    {"minimum", minimum},
    {"log_sum_exp", log_sum_exp},
};

const NamedReduction* find_reduction(std::string_view name) {
  for (const NamedReduction& known : kReductions) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace

void Combine::fields(Fields& fields) {
  fields.field("operation", operation);
}

std::uint64_t Combine::check(std::span<const std::uint64_t> in_columns) const {
  if (in_columns.empty()) fail_check(*this, "has no inputs");
  if (!find_operation(operation)) fail_check(*this, "there is no operation " + operation);
  const std::uint64_t widest = *std::max_element(in_columns.begin(), in_columns.end());
  for (const std::uint64_t n : in_columns) {
    if (n != 1 && n != widest) {
      fail_check(*this, "an input has " + std::to_string(n) + " columns, another " + std::to_string(widest));
    }
  }
  return widest;
}

void Combine::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const auto call = find_operation(operation)->call;
  out.single = std::all_of(in.begin(), in.end(), [](const Matrix& part) { return part.single; });
  for (std::size_t r = 0; r < out.rows; ++r) {
    double* to = out.row(r);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double* from = in[i].row(r);
      const std::size_t step = in[i].columns == 1 ? 0 : 1;
      for (std::size_t c = 0; c < out.columns; ++c) {
        const double x = from[c * step];
        to[c] = i == 0 ? x : call(to[c], x);
        if (out.single) to[c] = static_cast<float>(to[c]);
      }
    }
  }
}

void Reduce::fields(Fields& fields) {
  fields.field("operation", operation);
  fields.field("group", group);
}

std::uint64_t Reduce::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (!find_reduction(operation)) fail_check(*this, "there is no operation " + operation);
  if (group == 0) return 1;
  if (group < 0 || in_columns[0] % static_cast<std::uint64_t>(group) != 0) {
    fail_check(*this, std::to_string(in_columns[0]) + " columns make no groups of " + std::to_string(group));
  }
  return in_columns[0] / static_cast<std::uint64_t>(group);
}

void Reduce::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const auto call = find_reduction(operation)->call;
  const std::size_t width = x.columns / out.columns;
  out.single = x.single;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < out.columns; ++c) {
      const double value = call(x.row(r) + c * width, width);
      out.row(r)[c] = x.single ? static_cast<float>(value) : value;
    }
  }
}

void Cast::fields(Fields& fields) {
  fields.field("to", to);
}

std::uint64_t Cast::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (to != "double" && to != "single" && to != "integer") fail_check(*this, "there is no type " + to);
  return in_columns[0];
}

void Cast::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  const bool cut = to == "integer";
  out.single = to == "single";
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.columns; ++c) {
      const double value = x.row(r)[c];
      out.row(r)[c] = cut ? std::trunc(value) : out.single ? static_cast<float>(value) : value;
    }
  }
}

}  // namespace mere::program
