#pragma once
// Fast code for one operator, bound to its arrays where they lie.

#include <memory>
#include <span>
#include <string_view>

#include "predict/workspace.hpp"
#include "program/operator.hpp"

namespace mere::predict {

// Borrows the operator it was made from. Safe to share between threads.
class Kernel {
 public:
  Kernel() = default;
  virtual ~Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // As Operator::apply(), and what it makes is what that makes: to the bit, or within the bound that docs/operators.md
  // gives the operator. Pieces it takes of `workspace` are released by the caller.
  virtual void run(std::span<const program::Matrix> in, program::MutableMatrix& out, Workspace& workspace) const = 0;

  // What runs: "trees avx512", "plain".
  virtual std::string_view name() const = 0;
};

// The kernel of an operator; the plain meaning for those that have none of their own. Constant time.
std::unique_ptr<Kernel> bind(const program::Operator& op);

}  // namespace mere::predict
