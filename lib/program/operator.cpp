#include "program/operator.hpp"

#include <mere/error.hpp>

namespace mere::program {

void fail_check(const Operator& op, const std::string& what) {
  throw Error(Reason::schema, std::string(op.name()) + ": " + what);
}

void require_shape(const Operator& op, std::string_view field, const Dims& found,
                   std::span<const std::uint64_t> shape) {
  bool same = found.size() == shape.size();
  for (std::size_t i = 0; same && i < shape.size(); ++i) same = static_cast<std::uint64_t>(found[i]) == shape[i];
  if (same) return;
  std::string expected = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) expected += (i ? ", " : "") + std::to_string(shape[i]);
  fail_check(op, std::string(field) + " has shape " + found.to_text() + ", expected " + expected + ")");
}

void require_inputs(const Operator& op, std::span<const std::uint64_t> in_columns, std::size_t count) {
  if (in_columns.size() != count) {
    fail_check(op, "has " + std::to_string(in_columns.size()) + " inputs, expected " + std::to_string(count));
  }
}

std::optional<std::string_view> constant_text(const std::vector<std::string>& texts, double number) noexcept {
  const double index = -1 - number;
  if (!(index >= 0 && index < static_cast<double>(texts.size()))) return std::nullopt;
  return texts[static_cast<std::size_t>(index)];
}

}  // namespace mere::program
