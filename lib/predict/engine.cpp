#include "predict/engine.hpp"

#include <algorithm>
#include <cstring>
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
// What the values of a block take together: they should stay in the second cache.
constexpr std::size_t kBlockDoubles = std::size_t{1} << 18;
// A row that needs more is refused: no estimator does, a file that lies may.
constexpr std::size_t kMaxRowDoubles = std::size_t{1} << 28;
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

template <class T>
void load_rows(const Input& x, std::size_t first, std::size_t rows, double* to) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::byte* from = x.data + static_cast<std::ptrdiff_t>(first + r) * x.row_stride;
    for (std::size_t c = 0; c < x.columns; ++c) {
      T value;
      std::memcpy(&value, from + static_cast<std::ptrdiff_t>(c) * x.column_stride, sizeof value);
      *to++ = value;
    }
  }
}

// Rows as doubles: where the caller has them if he has doubles side by side, else in the workspace.
Matrix input_rows(const Input& x, std::size_t first, std::size_t rows, Workspace& workspace) {
  Matrix m;
  m.rows = rows;
  m.columns = x.columns;
  m.single = x.single;
  m.first_row = first;
  const auto address = reinterpret_cast<std::uintptr_t>(x.data);
  const bool direct = !x.single && address % alignof(double) == 0 &&
                      (x.columns < 2 || x.column_stride == std::ptrdiff_t{sizeof(double)}) &&
                      x.row_stride % std::ptrdiff_t{sizeof(double)} == 0 && (rows < 2 || x.row_stride > 0);
  if (direct) {
    m.data = reinterpret_cast<const double*>(x.data + static_cast<std::ptrdiff_t>(first) * x.row_stride);
    m.stride = rows < 2 ? x.columns : static_cast<std::size_t>(x.row_stride) / sizeof(double);
    return m;
  }
  double* copy = workspace.take<double>(rows * x.columns);
  if (x.single) {
    load_rows<float>(x, first, rows, copy);
  } else {
    load_rows<double>(x, first, rows, copy);
  }
  m.data = copy;
  m.stride = x.columns;
  return m;
}

}  // namespace

Engine::Engine(program::Program program) : program_(std::move(program)), columns_(program::check_program(program_)) {
  kernels_.reserve(program_.steps.size());
  for (const auto& step : program_.steps) kernels_.push_back(bind(*step));
  plans_.reserve(program_.methods.size());
  for (const program::Method& method : program_.methods) plans_.push_back(make_plan(method));
}

Engine::Plan Engine::make_plan(const program::Method& method) const {
  Plan plan;
  plan.steps = program::steps_of(program_, method.value);
  Size doubles = program_.columns;
  for (const std::size_t step : plan.steps) {
    if (!program_.steps[step]->passes_through()) doubles = doubles + Size(columns_[step + 1]);
  }
  plan.row_doubles = static_cast<std::size_t>(doubles.get("the values of a row", Reason::too_large));
  plan.block_rows = std::clamp<std::size_t>(kBlockDoubles / plan.row_doubles, 1, kMaxBlockRows);
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

void Engine::run_rows(const Plan& plan, ValueId value, const Input& x, std::size_t first, std::size_t rows, double* out,
                      bool check_finite) const {
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
    values[0] = input_rows(x, first + done, count, workspace);
    for (const std::size_t i : plan.steps) {
      const program::Operator& step = *program_.steps[i];
      for (std::size_t k = 0; k < step.inputs.size(); ++k) in[k] = values[step.inputs[k]];
      MutableMatrix made;
      made.rows = count;
      made.first_row = first + done;
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

void Engine::run(std::size_t method, const Input& x, double* out, const RunOptions& options) const {
  if (x.columns != program_.columns) {
    throw Error(Reason::wrong_shape, "the input has " + std::to_string(x.columns) + " columns, " + program_.estimator +
                                         " expects " + std::to_string(program_.columns));
  }
  const Plan& plan = plans_[method];
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
