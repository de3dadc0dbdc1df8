// Writes the corpus of fuzz_graph into the folder given: small files with every kind of node.

#include <fstream>
#include <string>

#include "graph/random_graph.hpp"
#include "graph/written.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  using namespace mere;
  const auto put = [&](const std::string& name, const test::Written& written) {
    std::ofstream out(std::string(argv[1]) + "/" + name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(written.bytes.data()), static_cast<std::streamsize>(written.bytes.size()));
  };
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const test::RandomGraph random(seed, 12);
    put("random_" + std::to_string(seed),
        test::write(random.graph, seed % 2 == 0 ? codec::CodecId::none : codec::CodecId::zlib));
  }
}
