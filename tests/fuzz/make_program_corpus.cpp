// Writes small programs of trees, one of each layout and sample of leaf, of texts, of sparse rows, of a table of named
// columns, with parts, and several in one file: make_program_corpus corpus/program.

#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/filter.hpp"
#include "format/writer.hpp"
#include "graph/encode.hpp"
#include "lower/tree_packer.hpp"
#include "os/sink.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/features.hpp"
#include "program/operators/linear.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/rows.hpp"
#include "program/operators/tables.hpp"
#include "program/operators/texts.hpp"
#include "program/program.hpp"
#include "reference/plain_trees.hpp"

namespace {

using namespace mere;

void write(const std::string& path, const Graph& graph) {
  const graph::Encoded encoded = graph::encode(graph);
  os::MemorySink sink;
  format::WriteOptions options;
  options.filter_table = codec::array_filters();
  format::write_file(encoded.columns, *encoded.source, options, sink);
  const auto bytes = sink.take();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write(const std::string& path, program::Program& program) {
  Graph graph;
  graph.model_root = program::write_program(graph, program);
  write(path, graph);
}

// From nodes of 8 bytes, whose trees are too small to need 12.
void widen(program::TreeEnsemble& trees, std::uint64_t columns) {
  const unsigned delta_bits = 31 - program::feature_bits(columns);
  std::vector<std::uint32_t> wide;
  for (std::size_t i = 0; i < trees.nodes.nodes.size(); i += 2) {
    const std::uint32_t word = trees.nodes.nodes[i + 1];
    wide.push_back(trees.nodes.nodes[i]);
    wide.push_back(word >> (delta_bits + 1) | (word >> delta_bits & 1) << 31);
    wide.push_back(word & ((std::uint32_t{1} << delta_bits) - 1));
  }
  const auto nodes = static_cast<std::int64_t>(wide.size() / 3);
  trees.nodes.nodes = Array<std::uint32_t>(std::move(wide), Dims{nodes, 3});
  trees.nodes.layout = "n12";
}

struct Sample {
  const char* name;
  test::LeafNumbers numbers;
  std::size_t width, outputs;
  bool compare_double, categories, small, wide;
};

constexpr Sample kSamples[] = {
    {"n8_votes", test::LeafNumbers::votes, 3, 3, false, false, false, false},
    {"n8_counts", test::LeafNumbers::counts, 3, 3, false, false, false, false},
    {"n8_numbers", test::LeafNumbers::any, 1, 2, false, false, false, false},
    {"n12_rows", test::LeafNumbers::any, 3, 3, false, false, false, true},
    {"n16d_categories", test::LeafNumbers::any, 1, 2, true, true, false, false},
    {"bins", test::LeafNumbers::any, 1, 2, true, false, true, false},
    {"shallow", test::LeafNumbers::any, 1, 2, false, false, true, false},
};

template <class Op>
program::ValueId add(program::Program& program, std::vector<program::ValueId> inputs, auto&& set) {
  auto step = std::make_unique<Op>();
  step->inputs = std::move(inputs);
  set(*step);
  program.steps.push_back(std::move(step));
  return static_cast<program::ValueId>(program.steps.size());
}

void add_method(program::Program& program, const char* name, program::ValueId value) {
  program::Method method;
  method.name = name;
  method.value = value;
  program.methods.push_back(std::move(method));
}

// Two columns of texts and one of numbers: categories, and documents as counts and by hash, times a matrix.
program::Program text_program() {
  program::Program program;
  program.columns = 3;
  program.estimator = "sample";
  program.names = {"a", "b", "n"};
  program.kinds = {"string", "string", "f64"};
  program.texts = {"red"};
  const std::vector<std::string> texts{"a", "red", "a", "fox_1"};
  const std::vector<std::uint32_t> seeds{0, 0, 1, 1};
  const auto both = add<program::Select>(program, {0}, [](auto& op) {
    op.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{0, 1});
  });
  const auto filled = add<program::Impute>(program, {both}, [](auto& op) {
    op.missing = std::numeric_limits<double>::quiet_NaN();
    op.replacement = Array<double>(std::vector<double>{-1, -1});
  });
  const auto indices = add<program::CategorizeTexts>(program, {filled}, [&](auto& op) {
    op.texts = program::TextTable::of(texts, seeds);
    op.counts = Array<std::int64_t>(std::vector<std::int64_t>{2, 2});
    op.missing = Array<std::int64_t>(std::vector<std::int64_t>{-1, 1});
  });
  const auto hot = add<program::OneHot>(program, {indices}, [](auto& op) {
    op.widths = Array<std::int64_t>(std::vector<std::int64_t>{2, 2});
  });
  const auto document = add<program::Select>(
      program, {0}, [](auto& op) { op.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{0}); });
  const auto counts = add<program::CountTokens>(program, {document}, [](auto& op) {
    const std::vector<std::string> terms{"fox_1", "red", "red fox_1", "\xc3\xa9t\xc3\xa9"};
    const std::vector<std::string> stop{"the"};
    op.vocabulary = program::TextTable::of(terms);
    op.analysis.highest = 2;
    op.analysis.stop_words = program::TextTable::of(stop);
  });
  const auto hashed = add<program::HashTokens>(program, {document}, [](auto& op) {
    op.columns = 8;
    op.alternate_sign = true;
    op.analysis.analyzer = "char_wb";
    op.analysis.accents = "unicode";
    op.analysis.highest = 3;
  });
  const auto all = add<program::Concat>(program, {hot, counts, hashed}, [](auto&) {});
  const auto scaled = add<program::Map>(program, {all}, [](auto& op) { op.function = "sublinear"; });
  const auto linear = add<program::Linear>(program, {scaled}, [](auto& op) {
    op.weights = Array<double>(std::vector<double>(2 * 16, 0.5), Dims{2, 16});
  });
  add_method(program, "decision_function", linear);
  add_method(program, "transform", all);
  return program;
}

// What sparse rows stay sparse through.
program::Program sparse_program() {
  program::Program program;
  program.columns = 4;
  program.estimator = "sample";
  const auto scaled = add<program::Arithmetic>(program, {0}, [](auto& op) {
    op.operation = "multiply";
    op.operand = Array<double>(std::vector<double>{1, 2, 3, 4});
  });
  const auto norm = add<program::Reduce>(program, {scaled}, [](auto& op) { op.operation = "norm"; });
  const auto length = add<program::Map>(program, {norm}, [](auto& op) { op.function = "one_if_zero"; });
  const auto unit = add<program::Combine>(program, {scaled, length}, [](auto& op) { op.operation = "divide"; });
  const auto chosen = add<program::Select>(program, {unit}, [](auto& op) {
    op.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{3, 0, 0});
  });
  const auto linear = add<program::Linear>(program, {chosen}, [](auto& op) {
    op.weights = Array<double>(std::vector<double>{1, 2, 3}, Dims{1, 3});
  });
  const auto around = add<program::Convolve>(program, {unit}, [](auto& op) { op.factors = 2; });
  add_method(program, "predict", linear);
  add_method(program, "transform", around);
  return program;
}

// Named columns of texts and numbers: an encoder, an imputer, a scaler side by side, and classes.
program::Program table_program() {
  program::Program program;
  program.columns = 4;
  program.estimator = "sample";
  program.names = {"city", "age", "size", "height"};
  program.kinds = {"string", "f64", "string", "f64"};
  const auto words = add<program::Select>(program, {0}, [](auto& op) {
    op.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{2, 0});
  });
  const auto indices = add<program::CategorizeTexts>(program, {words}, [](auto& op) {
    const std::vector<std::string> texts{"large", "small", "Oslo", "Paris", "red"};
    const std::vector<std::uint32_t> seeds{0, 0, 1, 1, 1};
    op.texts = program::TextTable::of(texts, seeds);
    op.counts = Array<std::int64_t>(std::vector<std::int64_t>{2, 3});
    op.missing = Array<std::int64_t>(std::vector<std::int64_t>{-1, 0});
  });
  const auto codes = add<program::LookUp>(program, {indices}, [](auto& op) {
    op.table = Array<double>(std::vector<double>{1, 2, 0, 5, 7, 9}, Dims{2, 3});
    op.otherwise = Array<double>(std::vector<double>{-1, -2});
  });
  const auto numbers = add<program::Select>(program, {0}, [](auto& op) {
    op.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{1, 3});
  });
  const auto filled = add<program::Impute>(program, {numbers}, [](auto& op) {
    op.missing = std::numeric_limits<double>::quiet_NaN();
    op.replacement = Array<double>(std::vector<double>{40, 170});
  });
  const auto centered = add<program::Arithmetic>(program, {filled}, [](auto& op) {
    op.operation = "subtract";
    op.operand = Array<double>(std::vector<double>{40, 170});
  });
  const auto all = add<program::Concat>(program, {codes, centered}, [](auto&) {});
  const auto scores = add<program::Linear>(program, {all}, [](auto& op) {
    op.weights = Array<double>(std::vector<double>{1, 2, 3, 4, 4, 3, 2, 1, 0, 1, 0, 1}, Dims{3, 4});
  });
  const auto index = add<program::ArgMax>(program, {scores}, [](auto&) {});
  add_method(program, "decision_function", scores);
  add_method(program, "predict", index);
  program.methods.back().labels.resize(1);
  program.methods.back().labels[0].dtype = Dtype(TypeClass::object, 8);
  program.methods.back().labels[0].count = 3;
  program.methods.back().labels[0].texts = {"ash", "birch", "cedar"};
  return program;
}

// Trees behind a scaler, which can be asked by themselves.
program::Program parts_program(std::mt19937_64& random) {
  program::Program program;
  program.columns = 3;
  program.estimator = "sample";
  const auto scaled = add<program::Arithmetic>(program, {0}, [](auto& op) {
    op.operation = "multiply";
    op.operand = Array<double>(std::vector<double>{1, 2, 3});
  });
  test::TreeShape shape;
  shape.columns = 3;
  shape.width = 2;
  shape.leaves = 4;
  lower::TreePackerOptions options;
  options.what = "parts";
  options.columns = shape.columns;
  options.outputs = options.leaf_width = 2;
  options.node_ids = options.mean = true;
  lower::TreePacker packer(options);
  for (int t = 0; t < 3; ++t) packer.add(test::random_tree(shape, test::LeafNumbers::votes, random).columns());
  auto ensemble = packer.finish();
  auto leaves = packer.finish_leaves();
  ensemble->inputs = leaves->inputs = {scaled};
  program.steps.push_back(std::move(ensemble));
  program.steps.push_back(std::move(leaves));
  const auto index = add<program::ArgMax>(program, {2}, [](auto&) {});
  add_method(program, "predict", index);
  program::Part part;
  part.path = "steps[1][1]";
  part.estimator = "sklearn.ensemble._forest.RandomForestClassifier";
  part.input = scaled;
  for (const auto& [name, value] : {std::pair<const char*, program::ValueId>{"predict_proba", 2}, {"apply", 3}}) {
    program::Method method;
    method.name = name;
    method.value = value;
    part.methods.push_back(std::move(method));
  }
  program.parts.push_back(std::move(part));
  return program;
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  program::Program texts = text_program(), sparse = sparse_program();
  write(words[1] + std::string("/texts.mere"), texts);
  write(words[1] + std::string("/sparse.mere"), sparse);
  program::Program table = table_program();
  write(words[1] + std::string("/table.mere"), table);
  std::mt19937_64 random(1);
  program::Program parts = parts_program(random);
  write(words[1] + std::string("/parts.mere"), parts);
  std::vector<program::Program> several;
  several.push_back(parts_program(random));
  several.push_back(parts_program(random));
  several[1].parts[0].path = "other";
  Graph programs;
  programs.model_root = program::write_programs(programs, several);
  write(words[1] + std::string("/programs.mere"), programs);
  for (const Sample& sample : kSamples) {
    test::TreeShape shape;
    shape.columns = 3;
    shape.width = sample.width;
    shape.leaves = 5;
    shape.missing = true;
    shape.categories = sample.categories;
    if (sample.small) shape.max_depth = 3;
    lower::TreePackerOptions options;
    options.what = sample.name;
    options.columns = shape.columns;
    options.outputs = sample.outputs;
    options.leaf_width = sample.width;
    options.compare_double = sample.compare_double;
    options.small_layouts = sample.small;
    options.node_ids = true;
    options.mean = sample.width > 1;
    lower::TreePacker packer(options);
    // More than a group of shallow trees; else few, as every tree is walked for every row.
    for (int t = 0; t < (sample.small ? 17 : 4); ++t)
      packer.add(test::random_tree(shape, sample.numbers, random).columns());
    auto ensemble = packer.finish();
    auto leaves = packer.finish_leaves();
    if (sample.wide) widen(*ensemble, shape.columns);
    ensemble->inputs = {0};
    leaves->inputs = {0};
    program::Program program;
    program.columns = shape.columns;
    program.estimator = sample.name;
    program.steps.push_back(std::move(ensemble));
    if (!sample.wide) program.steps.push_back(std::move(leaves));
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
      program::Method method;
      method.name = i == 0 ? "predict" : "apply";
      method.value = static_cast<program::ValueId>(i + 1);
      program.methods.push_back(std::move(method));
    }
    write(std::string(words[1]) + "/" + sample.name + ".mere", program);
  }
  return 0;
}
