// Files whose sums are right and whose states are not: verify and Verify::all refuse them, whatever the codec.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include <unistd.h>

#include <mere/dump.hpp>
#include <mere/model.hpp>
#include "trust/state_graphs.hpp"

using namespace mere;

TEST_CASE("verify: a tree whose child lies outside it, in a file with right sums, raw and compressed") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("mere-states-" + std::to_string(::getpid()) + ".mere");
  for (const Codec codec : {Codec::none, Codec::zlib}) {
    for (const std::int64_t child : {std::int64_t{3}, std::int64_t{4000}}) {
      trust::TreeParts parts;
      // Enough leaves for a segment of its own, so that the codec has something to do.
      while (parts.nodes.size() < 1001) {
        const auto next = static_cast<std::int64_t>(parts.nodes.size());
        parts.nodes.back() = {next, next + 1, 0};
        parts.nodes.insert(parts.nodes.end(), {trust::TreeNode{}, trust::TreeNode{}});
      }
      parts.node_count = parts.rows = static_cast<std::int64_t>(parts.nodes.size());
      parts.max_depth = 600;
      if (child != 3) parts.nodes[1].right_child = child;
      trust::StateGraph build;
      trust::add_tree(build, parts);
      DumpOptions options;
      options.codec = codec;
      dump(build.graph, path, options);
      OpenOptions open;
      open.expand = Expand::lazy;
      const Model model(path, open);
      open.verify = Verify::all;
      if (child == 3) {
        CHECK_NOTHROW(model.verify());
        CHECK_NOTHROW(Model(path, open));
      } else {
        CHECK_THROWS_WITH_AS(model.verify(), doctest::Contains("node 1 has child 4000"), Error);
        CHECK_THROWS_WITH_AS(Model(path, open), doctest::Contains("the root (sklearn.tree._tree.Tree)"), Error);
      }
    }
  }
  std::filesystem::remove(path);
}
