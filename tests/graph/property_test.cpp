// What must hold for every graph: random ones, of all kinds.

#include <doctest/doctest.h>

#include "graph/random_graph.hpp"
#include "graph/to_graph.hpp"
#include "graph/verify_graph.hpp"
#include "graph/written.hpp"

using namespace mere;
using test::RandomGraph;
using test::Written;

namespace {

constexpr std::uint64_t kSeeds = 300;

}  // namespace

TEST_CASE("graphs: what is written is sound, and read back and written again it is the same bytes") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed);
    const Written first = test::write(random.graph);
    graph::verify_graph(*first.image);
    const Written second = test::write(graph::to_graph(*first.image, nullptr));
    REQUIRE(first.bytes == second.bytes);
  }
}

TEST_CASE("graphs: compressed, read back and written plain they have the same content id and bytes") {
  for (std::uint64_t seed = 0; seed < kSeeds / 4; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed);
    const Written plain = test::write(random.graph);
    const Written packed = test::write(random.graph, codec::CodecId::lz4);
    graph::verify_graph(*packed.image);
    REQUIRE(packed.result.content_low == plain.result.content_low);
    const Written again = test::write(graph::to_graph(*packed.image, nullptr));
    REQUIRE(again.bytes == plain.bytes);
  }
}

TEST_CASE("paths: at(path(n)) is n for every node that a walk meets") {
  std::size_t nodes = 0;
  for (std::uint64_t seed = 0; seed < kSeeds / 3; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed, 40);
    const Written w = test::write(random.graph);
    for (const std::uint32_t root : {w.image->footer().model_root, w.image->footer().program_root}) {
      if (root == format::kNone) continue;
      Walk walk(Node(w.image.get(), root));
      while (walk.next()) {
        const std::string path = walk.node().path();
        CAPTURE(path);
        REQUIRE(w.at(path) == walk.node());
        REQUIRE(Node(w.image.get(), root).at(walk.path()) == walk.node());
        ++nodes;
      }
    }
  }
  CHECK(nodes > 3000);
}

TEST_CASE("walks: each reachable node is met once, parents before children, in the order of ids") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const RandomGraph random(seed);
    const Written w = test::write(random.graph);
    // Ids of the model's nodes are numbered by just such a walk.
    std::uint32_t expected = 0;
    Walk walk(w.root());
    while (walk.next()) REQUIRE(walk.node().id() == expected++);
    CHECK(expected == w.image->section(format::Section::nodes).model_end);
  }
}
