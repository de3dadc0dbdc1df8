#pragma once
// Fast code for one operator, bound to its arrays where they lie.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "predict/workspace.hpp"
#include "program/operator.hpp"

namespace mere::predict {

// What a kernel does where some of its inputs are sparse (program::SparseRows), or are texts.
enum class Sparsity {
  none,   // takes dense inputs alone: the engine spreads sparse ones out, block by block
  takes,  // run() reads sparse inputs as they are; what it makes is dense
  makes,  // run_sparse() reads them, and what it makes is sparse
};

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

  // How many numbers the values of a block of rows may be, so that the kernel works well: few stay in the cache from
  // one step to the next, many pay where each block goes through all that the model holds.
  virtual std::size_t block_doubles() const { return kSmallBlock; }
  static constexpr std::size_t kSmallBlock = std::size_t{1} << 15, kLargeBlock = std::size_t{1} << 18;

  // By which inputs are sparse, in order. Sparse rows have ascending columns, each at most once.
  virtual Sparsity sparsity(const std::vector<bool>& sparse_inputs) const;
  // As run(), but what it makes goes to `made`, which is empty; `out` has no data, and tells rows and columns.
  virtual void run_sparse(std::span<const program::Matrix> in, program::MutableMatrix& out, program::SparseRows& made,
                          Workspace& workspace) const;
};

// The kernel of an operator; the plain meaning for those that have none of their own. Constant time.
std::unique_ptr<Kernel> bind(const program::Operator& op);

// `dense` with code for sparse inputs beside it, for operators that have such; else `dense` itself.
std::unique_ptr<Kernel> with_sparse(const program::Operator& op, std::unique_ptr<Kernel> dense);

}  // namespace mere::predict
