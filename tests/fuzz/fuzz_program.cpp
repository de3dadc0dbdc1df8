// Any bytes as a .mere file that holds a program: what can be read predicts, inside its bounds and to an end, from a
// matrix, from sparse rows and from a table with texts where the program has them, and so does each of its parts; and
// every kernel of trees gives what the operators' plain meaning gives. Input: a file; its header's and footer's sums
// are mended, so that the bytes of nodes, fields and arrays are the fuzzer's. They also choose, by their sum, which of
// the kernels and inputs are tried: each of them costs as much as reading the file.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include <mere/error.hpp>

#include "codec/checksum.hpp"
#include "format/image.hpp"
#include "format/records.hpp"
#include "predict/engine.hpp"
#include "predict/trees/tree_kernel.hpp"
#include "program/program.hpp"

namespace {

using namespace mere;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kMostColumns = 512;  // of any value: more is only slow
constexpr std::uint64_t kMostTrees = 256;
constexpr std::size_t kRows = 70;  // so many that rows walk side by side

void mend_sums(Bytes& file) {
  if (file.size() < format::kHeaderBytes + format::kFooterBytes) return;
  const auto put = [&](std::size_t begin, std::size_t bytes) {
    const std::uint64_t sum = codec::xxh3_64(std::span(file).subspan(begin, bytes));
    std::memcpy(file.data() + begin + bytes, &sum, sizeof sum);
  };
  put(0, offsetof(format::Header, sum));
  put(file.size() - format::kFooterBytes, offsetof(format::Footer, sum));
}

// Numbers of all kinds, the same each time.
std::vector<double> some_numbers(std::size_t count) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kSpecial[] = {0.0, -0.0, kInf, -kInf, std::numeric_limits<double>::quiet_NaN(), 1e-310, 1e300, 257};
  std::vector<double> x(count);
  std::uint64_t state = 1;
  for (double& v : x) {
    state = state * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t high = state >> 33;
    v = high % 8 == 0 ? kSpecial[high / 8 % 8] : static_cast<double>(high % 4000) / 1000 - 2;
  }
  return x;
}

void require_same(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) std::abort();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i])) std::abort();
  }
}

// Numbers below `count`, drawn from the bytes of the file.
class Choice {
 public:
  explicit Choice(const Bytes& file) : state_(codec::xxh3_64(file)) {}
  std::size_t below(std::size_t count) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::size_t>((state_ >> 33) % count);
  }

 private:
  std::uint64_t state_;
};

void predict_by_kernel(const program::TreeEnsemble& trees, std::uint64_t columns, const std::vector<double>& x,
                       Choice& choice) {
  const std::size_t outputs = static_cast<std::size_t>(trees.outputs);
  const std::size_t rows = choice.below(2) == 0 ? 1 : kRows;
  const program::Matrix in{x.data(), rows, static_cast<std::size_t>(columns), static_cast<std::size_t>(columns)};
  std::vector<double> expected(rows * outputs), made(rows * outputs);
  program::MutableMatrix plain{expected.data(), rows, outputs, outputs};
  trees.apply({&in, 1}, plain);
  const std::size_t levels = static_cast<std::size_t>(predict::best_cpu_level()) + 1;
  const auto level = static_cast<predict::CpuLevel>(choice.below(levels));
  predict::Workspace workspace;
  program::MutableMatrix out{made.data(), rows, outputs, outputs};
  predict::bind_trees(trees, level)->run({&in, 1}, out, workspace);
  require_same(made, expected);
}

// Runs each method; what is refused is refused.
void predict_from(const predict::Engine& engine, const std::vector<std::uint64_t>& columns, std::size_t rows,
                  const auto& input) {
  for (std::size_t i = 0; i < engine.program().methods.size(); ++i) {
    std::vector<double> out(rows * static_cast<std::size_t>(columns[engine.program().methods[i].value]));
    try {
      engine.run(i, input, out.data());
    } catch (const Error&) {
    }
  }
}

// Every third number, and a few that are no index.
void predict_sparse(const predict::Engine& engine, const std::vector<std::uint64_t>& columns,
                    const std::vector<double>& x) {
  constexpr std::size_t kSparseRows = 3;
  std::vector<std::int32_t> indices, starts{0};
  std::vector<double> values;
  for (std::size_t r = 0; r < kSparseRows; ++r) {
    for (std::size_t c = r; c < columns[0]; c += 3) {
      indices.push_back(static_cast<std::int32_t>(c));
      values.push_back(x[r * static_cast<std::size_t>(columns[0]) + c]);
    }
    starts.push_back(static_cast<std::int32_t>(indices.size()));
  }
  predict_from(engine, columns, kSparseRows,
               CsrView(std::span<const double>(values), std::span<const std::int32_t>(indices),
                       std::span<const std::int32_t>(starts), static_cast<std::size_t>(columns[0])));
}

void predict_table(const predict::Engine& engine, const std::vector<std::uint64_t>& columns,
                   const std::vector<double>& x, Choice& choice) {
  constexpr std::string_view kTexts[] = {"a", "", "red", "the red fox_1  \xc3\xa9t\xc3\xa9 \xce\xa3", "b\xff", {}};
  const std::span<const std::string_view> texts(kTexts);
  std::vector<Column> table;
  for (std::size_t c = 0; c < columns[0]; ++c) {
    const std::string_view name = c < engine.program().names.size() ? engine.program().names[c] : std::string_view();
    table.push_back(engine.program().takes_text(c) ? Column::strings(name, texts)
                                                   : Column::numbers(name, std::span(x).subspan(c, texts.size())));
  }
  predict_from(engine, columns, texts.size(), TableView(table));
  // A document alone, so that one that is no UTF-8 does not stop the others.
  const std::size_t alone = choice.below(texts.size());
  for (Column& column : table) {
    column.rows = 1;
    if (column.kind == Column::Kind::text) column.texts = texts.subspan(alone, 1);
  }
  predict_from(engine, columns, 1, TableView(table));
}

void predict_one(program::Program read, Choice& choice) {
  const std::vector<std::uint64_t> columns = program::check_program(read);
  for (const std::uint64_t count : columns) {
    if (count > kMostColumns) return;
  }
  const std::vector<double> x = some_numbers(kRows * static_cast<std::size_t>(columns[0]));
  for (const auto& step : read.steps) {
    const auto* trees = dynamic_cast<const program::TreeEnsemble*>(step.get());
    if (!trees) continue;
    if (static_cast<std::uint64_t>(trees->nodes.trees) > kMostTrees) return;
    if (step->inputs[0] == 0) predict_by_kernel(*trees, columns[0], x, choice);
  }
  const bool has_texts = !read.kinds.empty();
  const predict::Engine engine(std::move(read));
  predict::Input input;
  input.data = reinterpret_cast<const std::byte*>(x.data());
  input.rows = 3;
  input.columns = static_cast<std::size_t>(columns[0]);
  input.column_stride = sizeof(double);
  input.row_stride = static_cast<std::ptrdiff_t>(input.columns * sizeof(double));
  const std::size_t form = choice.below(4);
  if (has_texts || form == 3) {
    predict_table(engine, columns, x, choice);
  } else if (form == 2) {
    predict_sparse(engine, columns, x);
  } else {
    predict_from(engine, columns, input.rows, input);
  }
}

void predict_all(const Node& root, Choice& choice) {
  const std::uint32_t programs = program::program_count(root);
  if (programs == 0) return;
  const auto number = static_cast<std::uint32_t>(choice.below(programs));
  const std::size_t parts = program::read_parts(root, number).size();
  const std::size_t part = choice.below(parts + 1);
  program::Program read = program::read_one(root, number);
  predict_one(part < parts ? program::take_part(std::move(read), part) : std::move(read), choice);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes file(size);
  if (size != 0) std::memcpy(file.data(), data, size);
  mend_sums(file);
  try {
    const format::Image image(file, "fuzz.mere");
    Choice choice(file);
    predict_all(Node(&image, image.footer().model_root), choice);
  } catch (const Error&) {
  }
  return 0;
}
