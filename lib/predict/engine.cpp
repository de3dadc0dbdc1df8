#include "predict/engine.hpp"

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

#include <mere/error.hpp>
#include <mere/size.hpp>

#include "predict/float_mode.hpp"

namespace mere::predict {

using program::Matrix;
using program::MutableMatrix;
using program::ValueId;

namespace {

constexpr std::size_t kMaxBlockRows = 2048;
// Kernels work on so many rows at once, or on a part of that.
constexpr std::size_t kRowsTogether = 16;
// A row that needs more is refused: no estimator does, a file that lies may.
constexpr std::size_t kMaxRowDoubles = std::size_t{1} << 28;
// Sparse rows of a block, and how many entries they have together unless it is one row.
constexpr std::size_t kMaxSparseRows = 128;
constexpr std::size_t kMaxEntries = std::size_t{1} << 18;
// Fewer rows are not worth a thread.
constexpr std::size_t kRowsPerThread = 64;

Workspace& thread_workspace() {
  thread_local Workspace workspace;
  return workspace;
}

// Gives back on every way out.
class Release {
 public:
  explicit Release(Workspace& workspace) : workspace_(workspace), mark_(workspace.mark()) {}
  ~Release() { workspace_.release_to(mark_); }
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;

 private:
  Workspace& workspace_;
  Workspace::Mark mark_;
};

}  // namespace

Engine::Engine(program::Program program) : program_(std::move(program)), columns_(program::check_program(program_)) {
  kernels_.reserve(program_.steps.size());
  for (const auto& step : program_.steps) kernels_.push_back(with_sparse(*step, bind(*step)));
  plans_.reserve(program_.methods.size());
  for (const program::Method& method : program_.methods) {
    plans_.push_back(make_plan(method, false));
    sparse_plans_.push_back(make_plan(method, true));
  }
}

Engine::Plan Engine::make_plan(const program::Method& method, bool sparse_input) const {
  Plan plan;
  plan.steps = program::steps_of(program_, method.value);
  plan.sparsity.assign(program_.steps.size(), Sparsity::none);
  plan.is_sparse.assign(columns_.size(), false);
  plan.is_sparse[0] = sparse_input;
  std::vector<bool> inputs, spread(columns_.size(), false);
  for (const std::size_t i : plan.steps) {
    const program::Operator& step = *program_.steps[i];
    inputs.clear();
    for (const ValueId id : step.inputs) inputs.push_back(plan.is_sparse[id]);
    plan.sparsity[i] = kernels_[i]->sparsity(inputs);
    plan.is_sparse[i + 1] = step.passes_through() ? inputs[0] : plan.sparsity[i] == Sparsity::makes;
    if (plan.sparsity[i] != Sparsity::none) continue;
    for (const ValueId id : step.inputs) spread[id] = spread[id] || plan.is_sparse[id];
  }
  Size doubles = !sparse_input || spread[0] ? program_.columns : 1;
  for (const std::size_t i : plan.steps) {
    const bool takes_room =
        plan.is_sparse[i + 1] ? static_cast<bool>(spread[i + 1]) : !program_.steps[i]->passes_through();
    if (takes_room) doubles = doubles + Size(columns_[i + 1]);
  }
  plan.row_doubles = static_cast<std::size_t>(doubles.get("the values of a row", Reason::too_large));
  std::size_t block_doubles = Kernel::kSmallBlock;
  for (const std::size_t i : plan.steps) block_doubles = std::max(block_doubles, kernels_[i]->block_doubles());
  plan.block_rows = std::clamp<std::size_t>(block_doubles / plan.row_doubles, 1, kMaxBlockRows);
  if (plan.block_rows > kRowsTogether) plan.block_rows -= plan.block_rows % kRowsTogether;
  if (std::find(plan.is_sparse.begin(), plan.is_sparse.end(), true) == plan.is_sparse.end()) {
    plan.is_sparse.clear();
    plan.sparsity.clear();
  } else {
    plan.block_rows = std::min(plan.block_rows, kMaxSparseRows);
  }
  return plan;
}

std::size_t Engine::find(std::string_view method) const {
  return static_cast<std::size_t>(&program_.method(method) - program_.methods.data());
}

std::size_t Engine::columns(std::string_view method) const {
  return static_cast<std::size_t>(columns_[program_.method(method).value]);
}

std::vector<std::string> Engine::kernel_names() const {
  std::vector<std::string> names;
  for (const auto& kernel : kernels_) {
    const std::string name(kernel->name());
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

void Engine::run_rows(const Plan& plan, ValueId value, const InputRows& x, std::size_t first, std::size_t rows,
                      double* out, bool check_finite) const {
  if (!plan.is_sparse.empty()) return run_sparse_rows(plan, value, x, first, rows, out, check_finite);
  const PlainFloats plain_floats;
  Workspace& workspace = thread_workspace();
  const std::size_t width = static_cast<std::size_t>(columns_[value]);
  const Release release_all(workspace);
  Matrix* values = workspace.take<Matrix>(program_.steps.size() + 1);
  std::size_t most_inputs = 1;
  for (const std::size_t i : plan.steps) most_inputs = std::max(most_inputs, program_.steps[i]->inputs.size());
  Matrix* in = workspace.take<Matrix>(most_inputs);
  for (std::size_t done = 0; done < rows;) {
    const Release release_block(workspace);
    const std::size_t count = std::min(rows - done, plan.block_rows);
    values[0] = x.dense(first + done, count, workspace);
    for (const std::size_t i : plan.steps) {
      const program::Operator& step = *program_.steps[i];
      for (std::size_t k = 0; k < step.inputs.size(); ++k) in[k] = values[step.inputs[k]];
      MutableMatrix made;
      made.rows = count;
      made.first_row = first + done;
      made.texts = x.texts;
      if (step.passes_through()) {
        if (check_finite) kernels_[i]->run({in, step.inputs.size()}, made, workspace);
        values[i + 1] = in[0];
        continue;
      }
      made.columns = made.stride = static_cast<std::size_t>(columns_[i + 1]);
      made.data = i + 1 == value ? out + done * width : workspace.take<double>(count * made.columns);
      const Release release_step(workspace);
      kernels_[i]->run({in, step.inputs.size()}, made, workspace);
      values[i + 1] = made;
    }
    const Matrix& result = values[value];
    if (result.data != out + done * width) {
      for (std::size_t r = 0; r < count; ++r) std::copy_n(result.row(r), width, out + (done + r) * width);
    }
    done += count;
  }
}

// As run_rows(), where some values are sparse. A step that takes dense ones gets them spread out, once a block.
void Engine::run_sparse_rows(const Plan& plan, ValueId value, const InputRows& x, std::size_t first, std::size_t rows,
                             double* out, bool check_finite) const {
  const PlainFloats plain_floats;
  Workspace& workspace = thread_workspace();
  const std::size_t width = static_cast<std::size_t>(columns_[value]);
  const Release release_all(workspace);
  std::vector<program::SparseRows> sparse(columns_.size());
  std::vector<Matrix> values(columns_.size()), spread(columns_.size()), in;
  const auto spread_out = [&](ValueId id) -> const Matrix& {
    Matrix& m = spread[id];
    if (m.data != nullptr) return m;
    const program::SparseRows& from = *values[id].sparse;
    m = values[id];
    m.sparse = nullptr;
    m.stride = m.columns;
    double* to = workspace.take<double>(m.rows * m.columns);
    std::fill_n(to, m.rows * m.columns, 0.0);
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t i = from.starts[r]; i < from.starts[r + 1]; ++i) {
        to[r * m.columns + from.columns[i]] = from.values[i];
      }
    }
    m.data = to;
    return m;
  };
  for (std::size_t done = 0; done < rows;) {
    const Release release_block(workspace);
    const std::size_t count = x.rows_within(first + done, std::min(rows - done, plan.block_rows), kMaxEntries);
    std::fill(spread.begin(), spread.end(), Matrix());
    if (plan.is_sparse[0]) {
      x.load(first + done, count, sparse[0]);
      values[0] = Matrix{nullptr, count, x.columns, x.columns, x.single, first + done, x.texts, &sparse[0]};
    } else {
      values[0] = x.dense(first + done, count, workspace);
    }
    for (const std::size_t i : plan.steps) {
      const program::Operator& step = *program_.steps[i];
      in.clear();
      for (const ValueId id : step.inputs) {
        in.push_back(plan.is_sparse[id] && plan.sparsity[i] == Sparsity::none ? spread_out(id) : values[id]);
      }
      MutableMatrix made;
      made.rows = count;
      made.first_row = first + done;
      made.texts = x.texts;
      if (step.passes_through()) {
        if (check_finite) kernels_[i]->run(in, made, workspace);
        values[i + 1] = values[step.inputs[0]];
        if (plan.is_sparse[i + 1]) spread[i + 1] = spread[step.inputs[0]];
        continue;
      }
      made.columns = made.stride = static_cast<std::size_t>(columns_[i + 1]);
      if (plan.sparsity[i] == Sparsity::makes) {
        sparse[i + 1].clear();
        {
          const Release release_step(workspace);
          kernels_[i]->run_sparse(in, made, sparse[i + 1], workspace);
        }
        values[i + 1] = made;
        values[i + 1].sparse = &sparse[i + 1];
        continue;
      }
      made.data = i + 1 == value ? out + done * width : workspace.take<double>(count * made.columns);
      const Release release_step(workspace);
      kernels_[i]->run(in, made, workspace);
      values[i + 1] = made;
    }
    const Matrix& result = values[value];
    if (result.sparse) {
      double* to = out + done * width;
      std::fill_n(to, count * width, 0.0);
      for (std::size_t r = 0; r < count; ++r) {
        for (std::size_t i = result.sparse->starts[r]; i < result.sparse->starts[r + 1]; ++i) {
          to[r * width + result.sparse->columns[i]] = result.sparse->values[i];
        }
      }
    } else if (result.data != out + done * width) {
      for (std::size_t r = 0; r < count; ++r) std::copy_n(result.row(r), width, out + (done + r) * width);
    }
    done += count;
  }
}

void Engine::require_columns(std::size_t columns) const {
  if (columns == program_.columns) return;
  throw Error(Reason::wrong_shape, "the input has " + std::to_string(columns) + " columns, " + program_.estimator +
                                       " expects " + std::to_string(program_.columns));
}

void Engine::run(std::size_t method, const Input& x, double* out, const RunOptions& options) const {
  require_columns(x.columns);
  const auto text = std::find(program_.kinds.begin(), program_.kinds.end(), program::kTexts);
  if (text != program_.kinds.end()) {
    throw Error(Reason::wrong_type, program_.estimator + " takes texts in column " +
                                        std::to_string(text - program_.kinds.begin()) +
                                        ": give it a table of columns, not a matrix of numbers");
  }
  run(method, plans_[method], DenseRows(x), out, options);
}

void Engine::run(std::size_t method, const CsrView& x, double* out, const RunOptions& options) const {
  require_columns(x.columns);
  if (!program_.dense_only.empty()) {
    throw Error(Reason::not_supported, program_.dense_only + " refuses sparse rows: give it a dense matrix");
  }
  if (!program_.kinds.empty()) {
    throw Error(Reason::wrong_type, program_.estimator + " takes texts: give it a table of columns, not sparse rows");
  }
  run(method, sparse_plans_[method], CsrRows(x), out, options);
}

void Engine::run(std::size_t method, const TableView& x, double* out, const RunOptions& options) const {
  run(method, plans_[method], TableRows(x, program_, used_columns(program_, plans_[method].steps)), out, options);
}

void Engine::run(std::size_t method, const Plan& plan, const InputRows& x, double* out,
                 const RunOptions& options) const {
  if (plan.row_doubles > kMaxRowDoubles) {
    throw Error(Reason::too_large, "one row takes " + std::to_string(plan.row_doubles) + " numbers, at most " +
                                       std::to_string(kMaxRowDoubles) + " are allowed");
  }
  const ValueId value = program_.methods[method].value;
  const std::size_t width = static_cast<std::size_t>(columns_[value]);
  unsigned wanted = options.threads == 0 ? std::max(1u, std::thread::hardware_concurrency()) : options.threads;
  wanted = static_cast<unsigned>(std::min<std::size_t>(wanted, std::max<std::size_t>(1, x.rows / kRowsPerThread)));
  if (wanted <= 1) {
    run_rows(plan, value, x, 0, x.rows, out, options.check_finite);
    thread_workspace().trim();
    return;
  }
  // Each thread its own rows; of several errors the one of the first rows is thrown.
  std::vector<std::exception_ptr> errors(wanted);
  const auto part = [&](unsigned t) {
    const std::size_t first = x.rows / wanted * t + std::min<std::size_t>(t, x.rows % wanted);
    const std::size_t rows = x.rows / wanted + (t < x.rows % wanted ? 1 : 0);
    try {
      run_rows(plan, value, x, first, rows, out + first * width, options.check_finite);
    } catch (...) {
      errors[t] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 1; t < wanted; ++t) {
      try {
        threads.emplace_back(part, t);
      } catch (const std::system_error&) {
        part(t);  // no thread to be had: this one does it
      }
    }
    part(0);
  }
  thread_workspace().trim();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace mere::predict
