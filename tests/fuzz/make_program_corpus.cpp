// Writes small programs of trees, one of each layout and sample of leaf: make_program_corpus corpus/program.

#include <fstream>
#include <random>
#include <string>

#include "codec/filter.hpp"
#include "format/writer.hpp"
#include "graph/encode.hpp"
#include "lower/tree_packer.hpp"
#include "os/sink.hpp"
#include "program/program.hpp"
#include "reference/plain_trees.hpp"

namespace {

using namespace mere;

void write(const std::string& path, program::Program& program) {
  Graph graph;
  graph.model_root = program::write_program(graph, program);
  const graph::Encoded encoded = graph::encode(graph);
  os::MemorySink sink;
  format::WriteOptions options;
  options.filter_table = codec::array_filters();
  format::write_file(encoded.columns, *encoded.source, options, sink);
  const auto bytes = sink.take();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
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

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  std::mt19937_64 random(1);
  for (const Sample& sample : kSamples) {
    test::TreeShape shape;
    shape.columns = 3;
    shape.width = sample.width;
    shape.leaves = 7;
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
    for (int t = 0; t < 17; ++t) packer.add(test::random_tree(shape, sample.numbers, random).columns());
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
