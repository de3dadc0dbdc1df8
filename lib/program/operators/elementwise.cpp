#include "program/operators/elementwise.hpp"

#include <algorithm>
#include <cmath>

namespace mere::program {

namespace {

void require_operand(const Operator& op, std::string_view field, const Array<double>& operand, std::uint64_t columns) {
  if (operand.shape().size() != 1 || (operand.size() != 1 && operand.size() != columns)) {
    fail_check(op, std::string(field) + " has shape " + operand.shape().to_text() + " for " + std::to_string(columns) +
                       " columns");
  }
}

template <class Function>
void map_numbers(const Matrix& in, MutableMatrix& out, Function function) {
  out.single = in.single;
  for (std::size_t r = 0; r < in.rows; ++r) {
    const double* from = in.row(r);
    double* to = out.row(r);
    for (std::size_t c = 0; c < in.columns; ++c) to[c] = function(from[c], c);
    if (in.single) {
      for (std::size_t c = 0; c < in.columns; ++c) to[c] = static_cast<float>(to[c]);
    }
  }
}

struct NamedFunction {
  std::string_view name;
  double (*call)(double);
};

// As scipy.special.expit, also where exp passes its range: 0, and no denormal number.
double expit(double x) {
  return 1 / (1 + std::exp(-x));
}

// What the CPU makes of a negative number as int32, and of that as a byte; beyond int32 that is 0.
double low_byte_if_negative(double x) {
  if (!(x < 0)) return x;
  return x > -2147483649.0 ? static_cast<double>(static_cast<std::uint32_t>(static_cast<std::int64_t>(x)) & 0xff) : 0.0;
}

constexpr NamedFunction kFunctions[] = {
    {"exp", [](double x) { return std::exp(x); }},
    {"low_byte_if_negative", low_byte_if_negative},
    {"log", [](double x) { return std::log(x); }},
    {"log1p", [](double x) { return std::log1p(x); }},
    {"expm1", [](double x) { return std::expm1(x); }},
    {"expit", expit},
    {"sqrt", [](double x) { return std::sqrt(x); }},
    {"absolute", [](double x) { return std::fabs(x); }},
    {"negative", [](double x) { return -x; }},
    {"square", [](double x) { return x * x; }},
    {"tanh", [](double x) { return std::tanh(x); }},
    {"relu", [](double x) { return x < 0 ? 0.0 : x; }},
    {"sign", [](double x) { return x > 0   ? 1.0
                                   : x < 0 ? -1.0
                                           : x; }},
    {"one_minus", [](double x) { return 1 - x; }},
    {"reciprocal", [](double x) { return 1 / x; }},
    {"log2", [](double x) { return std::log2(x); }},
    {"log10", [](double x) { return std::log10(x); }},
    {"exp2", [](double x) { return std::exp2(x); }},
    {"sin", [](double x) { return std::sin(x); }},
    {"cos", [](double x) { return std::cos(x); }},
    {"tan", [](double x) { return std::tan(x); }},
    {"erf", [](double x) { return std::erf(x); }},
    {"cbrt", [](double x) { return std::cbrt(x); }},
    {"floor", [](double x) { return std::floor(x); }},
    {"ceil", [](double x) { return std::ceil(x); }},
    {"rint", [](double x) { return std::nearbyint(x); }},
    {"trunc", [](double x) { return std::trunc(x); }},
    {"sublinear", [](double x) { return x == 0 ? 0 : std::log(x) + 1; }},
    {"one_if_zero", [](double x) { return x == 0 ? 1 : x; }},
    // What scikit-learn takes for a norm of 0: ten steps of doubles at 1.
    {"one_if_tiny", [](double x) { return x < 0x1.4p-49 ? 1 : x; }},
};

const NamedFunction* find_function(std::string_view name) {
  for (const NamedFunction& known : kFunctions) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace

void Arithmetic::fields(Fields& fields) {
  fields.field("operation", operation);
  fields.field("operand", operand);
  fields.field("operand_as_input", operand_as_input);
}

std::uint64_t Arithmetic::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  require_operand(*this, "operand", operand, in_columns[0]);
  if (operation != "add" && operation != "subtract" && operation != "multiply" && operation != "divide") {
    fail_check(*this, "there is no operation " + operation);
  }
  return in_columns[0];
}

void Arithmetic::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const std::size_t step = operand.size() == 1 ? 0 : 1;
  const bool rounds = operand_as_input && in[0].single;
  const auto by = [&](std::size_t c) { return rounds ? static_cast<float>(operand[c * step]) : operand[c * step]; };
  if (operation == "add") map_numbers(in[0], out, [=](double x, std::size_t c) { return x + by(c); });
  if (operation == "subtract") map_numbers(in[0], out, [=](double x, std::size_t c) { return x - by(c); });
  if (operation == "multiply") map_numbers(in[0], out, [=](double x, std::size_t c) { return x * by(c); });
  if (operation == "divide") map_numbers(in[0], out, [=](double x, std::size_t c) { return x / by(c); });
}

void Map::fields(Fields& fields) {
  fields.field("function", function);
}

std::uint64_t Map::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (!find_function(function)) fail_check(*this, "there is no function " + function);
  return in_columns[0];
}

void Map::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const auto call = find_function(function)->call;
  map_numbers(in[0], out, [call](double x, std::size_t) { return call(x); });
}

void Clip::fields(Fields& fields) {
  fields.field("low", low);
  fields.field("high", high);
}

std::uint64_t Clip::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (!low.empty()) require_operand(*this, "low", low, in_columns[0]);
  if (!high.empty()) require_operand(*this, "high", high, in_columns[0]);
  return in_columns[0];
}

void Clip::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const auto bound = [](const Array<double>& bounds, std::size_t c) { return bounds[bounds.size() == 1 ? 0 : c]; };
  map_numbers(in[0], out, [&](double x, std::size_t c) {
    // Comparisons that NaN fails leave it as it is.
    if (!low.empty() && x < bound(low, c)) x = bound(low, c);
    if (!high.empty() && x > bound(high, c)) x = bound(high, c);
    return x;
  });
}

}  // namespace mere::program
