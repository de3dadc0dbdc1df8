#pragma once
// What the caller gives, in blocks of rows as the engine wants them.

#include <cstddef>
#include <vector>

#include <mere/table.hpp>

#include "predict/workspace.hpp"
#include "program/program.hpp"

namespace mere::predict {

// A dense matrix as the caller has it. Strides in bytes, of any sign.
struct Input {
  const std::byte* data = nullptr;
  bool single = false;  // float32, else float64; native order, of any alignment
  std::size_t rows = 0, columns = 0;
  std::ptrdiff_t row_stride = 0, column_stride = 0;
};

// Safe to share between threads.
class InputRows {
 public:
  InputRows() = default;
  virtual ~InputRows() = default;
  InputRows(const InputRows&) = delete;
  InputRows& operator=(const InputRows&) = delete;

  std::size_t rows = 0, columns = 0;
  bool single = false;                    // all numbers are float32
  const program::Texts* texts = nullptr;  // null: no column has texts

  // Rows as doubles: where the caller has them, or in the workspace.
  virtual program::Matrix dense(std::size_t first, std::size_t count, Workspace& workspace) const = 0;
  // Whether load() is there.
  virtual bool sparse() const { return false; }
  virtual void load(std::size_t first, std::size_t count, program::SparseRows& to) const;
  // `count` rows or fewer, at least one: so many that they have about `entries` entries at most.
  virtual std::size_t rows_within(std::size_t first, std::size_t count, std::size_t entries) const;
};

class DenseRows final : public InputRows {
 public:
  explicit DenseRows(const Input& x);
  program::Matrix dense(std::size_t first, std::size_t count, Workspace& workspace) const override;

 private:
  const Input& x_;
};

class CsrRows final : public InputRows {
 public:
  // Throws Error: bad_argument.
  explicit CsrRows(const CsrView& x);
  program::Matrix dense(std::size_t first, std::size_t count, Workspace& workspace) const override;
  bool sparse() const override { return true; }
  // Throws Error: bad_argument (an index that is none, starts that fall).
  void load(std::size_t first, std::size_t count, program::SparseRows& to) const override;
  std::size_t rows_within(std::size_t first, std::size_t count, std::size_t entries) const override;

 private:
  template <class Take>
  void each(std::size_t row, const Take& take) const;
  std::size_t start(std::size_t row) const;
  const CsrView& x_;
};

// Columns in the order of the program. `used`: those whose numbers matter; others need not be there.
class TableRows final : public InputRows, public program::Texts {
 public:
  // Throws Error: no_path, wrong_shape, wrong_type.
  TableRows(const TableView& x, const program::Program& program, const std::vector<bool>& used);
  program::Matrix dense(std::size_t first, std::size_t count, Workspace& workspace) const override;
  std::optional<std::string_view> find(double number) const noexcept override;

 private:
  const program::Program& program_;
  std::vector<const Column*> columns_;  // by the program's order; null: not there, and not used
};

// Which columns of the input the steps look at. Reads what Select steps take.
std::vector<bool> used_columns(const program::Program& program, const std::vector<std::size_t>& steps);

}  // namespace mere::predict
