// Writes the corpus of fuzz_treefilter from the trees of tests/data: make_treefilter_corpus FOLDER. The encoded ones
// are also what tests/treefilter/reader_test.py reads.

#include <cstdio>

#include "treefilter/tree_file.hpp"

namespace {

using namespace mere::treefilter;

void write(const std::string& path, unsigned kind, const TreeFile& tree, std::initializer_list<Bytes> parts) {
  std::ofstream out(path, std::ios::binary);
  kind |= tree.node_bytes == 64 ? 2U : 0U;
  for (const std::size_t byte : {std::size_t{kind}, tree.columns - 1, tree.count % 256, tree.count / 256}) {
    out.put(static_cast<char>(byte));
  }
  for (const Bytes& part : parts) {
    out.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = std::string(argv[1]) + "/";
  for (const char* name : {"one_node-1.0.2", "pure-1.0.2", "mixed-1.9.1", "outputs-1.9.1", "best_first-1.3.2",
                           "entropy-1.9.1", "weighted_mixed-1.0.2", "balanced-1.0.2", "regressor_mixed-1.9.1",
                           "regressor_outputs-1.0.2", "missing-1.9.1"}) {
    const TreeFile tree = read_tree(std::string(name));
    Bytes filtered;
    if (!encode(tree, filtered)) return 1;
    write(folder + "encoded_" + name, 0, tree, {filtered});
  }
  const TreeFile mixed = read_tree(std::string("mixed-1.0.2"));
  write(folder + "arrays_mixed", 1, mixed, {mixed.nodes, mixed.values});
  std::mt19937 random(1);
  TreeFile odd = random_tree(random, 40, true, 2);
  write(folder + "arrays_random", 1 | 4, odd, {odd.nodes, odd.values});
  return 0;
}
