#pragma once
// Runs a program: rows in blocks, steps in order, each by its kernel.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "predict/input_rows.hpp"
#include "predict/kernel.hpp"
#include "program/program.hpp"

namespace mere::predict {

struct RunOptions {
  unsigned threads = 1;      // 0: as many as there are processors
  bool check_finite = true;  // false: Check steps are left out, and what a NaN gives is not defined (it is safe)
};

// Safe to share between threads. Borrows the arrays of the program, which it owns.
class Engine {
 public:
  explicit Engine(program::Program program);

  const program::Program& program() const { return program_; }
  // Columns of what a method gives. Throws Error: no_method.
  std::size_t columns(std::string_view method) const;

  // Index of a method, for run(). Throws Error: no_method.
  std::size_t find(std::string_view method) const;

  // `out`: rows of x by columns(method), row-major, no gaps.
  // Throws Error: wrong_shape (columns of x), not_finite, too_large, out_of_memory.
  void run(std::size_t method, const Input& x, double* out, const RunOptions& options = {}) const;
  // Sparse rows (Error: not_supported where the estimator refuses them), and tables (Error: no_path, wrong_type).
  void run(std::size_t method, const CsrView& x, double* out, const RunOptions& options = {}) const;
  void run(std::size_t method, const TableView& x, double* out, const RunOptions& options = {}) const;

  // Kernels by name, each once: "trees avx512".
  std::vector<std::string> kernel_names() const;

 private:
  struct Plan {
    std::vector<std::size_t> steps;  // that the method needs, in order
    std::size_t row_doubles = 0;     // of all dense values of one row
    std::size_t block_rows = 0;
    // Of plans for sparse rows, and of programs that make such; else none.
    std::vector<Sparsity> sparsity;  // of each step
    std::vector<bool> is_sparse;     // of each value
  };
  Plan make_plan(const program::Method& method, bool sparse_input) const;
  void run(std::size_t method, const Plan& plan, const InputRows& x, double* out, const RunOptions& options) const;
  void require_columns(std::size_t columns) const;
  void run_rows(const Plan& plan, program::ValueId value, const InputRows& x, std::size_t first, std::size_t rows,
                double* out, bool check_finite) const;
  void run_sparse_rows(const Plan& plan, program::ValueId value, const InputRows& x, std::size_t first,
                       std::size_t rows, double* out, bool check_finite) const;

  program::Program program_;
  std::vector<std::uint64_t> columns_;            // of each value
  std::vector<std::unique_ptr<Kernel>> kernels_;  // of each step
  std::vector<Plan> plans_;                       // of each method
  std::vector<Plan> sparse_plans_;                // of each method, for sparse rows
};

}  // namespace mere::predict
