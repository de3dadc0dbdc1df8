#pragma once
// Runs a program: rows in blocks, steps in order, each by its kernel.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "predict/kernel.hpp"
#include "program/program.hpp"

namespace mere::predict {

// A dense matrix as the caller has it. Strides in bytes, of any sign.
struct Input {
  const std::byte* data = nullptr;
  bool single = false;  // float32, else float64; native order, of any alignment
  std::size_t rows = 0, columns = 0;
  std::ptrdiff_t row_stride = 0, column_stride = 0;
};

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

  // Kernels by name, each once: "trees avx512".
  std::vector<std::string> kernel_names() const;

 private:
  struct Plan {
    std::vector<std::size_t> steps;  // that the method needs, in order
    std::size_t row_doubles = 0;     // of all values of one row
    std::size_t block_rows = 0;
  };
  Plan make_plan(const program::Method& method) const;
  void run_rows(const Plan& plan, program::ValueId value, const Input& x, std::size_t first, std::size_t rows,
                double* out, bool check_finite) const;

  program::Program program_;
  std::vector<std::uint64_t> columns_;            // of each value
  std::vector<std::unique_ptr<Kernel>> kernels_;  // of each step
  std::vector<Plan> plans_;                       // of each method
};

}  // namespace mere::predict
