#pragma once
// One step of a program. Each operator is a class with its parameters, their check and their plain meaning: the
// reference that kernels are held against, and what runs where no kernel exists. docs/operators.md is normative.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/fields.hpp"
#include "program/matrix.hpp"

namespace mere::program {

// Value 0 is the input; step i makes value i + 1.
using ValueId = std::uint32_t;

// No value has more columns: of the input, or of what a step makes.
inline constexpr std::uint64_t kMaxColumns = std::uint64_t{1} << 31;

// Parameters may lie in a map whose bytes change at any time: apply() bounds every index where it is used.
class Operator {
 public:
  Operator() = default;
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // The word that the file has: "Linear".
  virtual std::string_view name() const = 0;
  virtual void fields(Fields& fields) = 0;

  // Holds parameters against each other and against the columns of the inputs; looks at shapes, not at every number.
  // Returns the columns of what apply() makes. Throws Error: schema.
  virtual std::uint64_t check(std::span<const std::uint64_t> in_columns) const = 0;

  // `out` has the rows of every input, the columns that check() said, and a stride of its own; it overlaps no input.
  // Sets out.single where NumPy's result would be float32. Safe to share between threads.
  // Throws Error: not_finite.
  virtual void apply(std::span<const Matrix> in, MutableMatrix& out) const = 0;

  // True: apply() only looks at its one input, and the value it makes is that input.
  virtual bool passes_through() const { return false; }
  std::vector<ValueId> inputs;
};

// Throws Error(schema) with the operator's name before `what`.
[[noreturn]] void fail_check(const Operator& op, const std::string& what);

// Of one or two dimensions, and nothing else. Throw Error: schema.
void require_shape(const Operator& op, std::string_view field, const Dims& found, std::span<const std::uint64_t> shape);
void require_inputs(const Operator& op, std::span<const std::uint64_t> in_columns, std::size_t count);

// A fresh operator of that name, or nothing. The list of all is in registry.cpp.
std::unique_ptr<Operator> make_operator(std::string_view name);
std::span<const std::string_view> operator_names();

}  // namespace mere::program
