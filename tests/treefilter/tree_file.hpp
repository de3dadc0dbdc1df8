#pragma once
// The trees of tests/data/trees, and what it takes to filter them.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "codec/block_codec.hpp"
#include "treefilter/tree_filter.hpp"

namespace mere::treefilter {

using Bytes = std::vector<std::byte>;

struct TreeFile {
  std::size_t count = 0, node_bytes = 56, columns = 1;
  Bytes nodes, values;

  std::vector<codec::RowLayout> layouts() const {
    using enum codec::Column::Content;
    std::vector<codec::RowLayout> found(2);
    found[0] = {node_bytes,
                {{0, 8, integer},
                 {8, 8, integer},
                 {16, 8, integer},
                 {24, 8, real},
                 {32, 8, real},
                 {40, 8, integer},
                 {48, 8, real}}};
    if (node_bytes == 64) {
      found[0].columns.push_back({56, 1, integer});
      found[0].columns.push_back({57, 7, other});
    }
    found[1].row_bytes = 8 * columns;
    for (std::uint32_t c = 0; c < columns; ++c) found[1].columns.push_back({8 * c, 8, real});
    return found;
  }

  template <class T>
  T get(std::size_t node, std::size_t offset) const {
    T value;
    std::memcpy(&value, nodes.data() + node * node_bytes + offset, sizeof value);
    return value;
  }
  template <class T>
  void set(std::size_t node, std::size_t offset, T value) {
    std::memcpy(nodes.data() + node * node_bytes + offset, &value, sizeof value);
  }
  void set_value(std::size_t node, std::size_t column, double value) {
    std::memcpy(values.data() + (node * columns + column) * 8, &value, 8);
  }
};

inline std::vector<std::filesystem::path> tree_files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MERE_TEST_DATA) + "/trees")) {
    if (entry.path().extension() == ".tree") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline TreeFile read_tree(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(chars));
  std::uint32_t head[3];
  std::memcpy(head, bytes.data(), sizeof head);
  TreeFile tree{head[0], head[1], head[2], {}, {}};
  tree.nodes.resize(tree.count * tree.node_bytes);
  Bytes all(tree.nodes.size() + tree.count * tree.columns * 8);
  codec::BlockCodec().decode(codec::CodecId::zlib, bytes.subspan(sizeof head), all);
  const auto split = all.begin() + static_cast<std::ptrdiff_t>(tree.nodes.size());
  std::copy(all.begin(), split, tree.nodes.begin());
  tree.values.assign(split, all.end());
  return tree;
}
inline TreeFile read_tree(const std::string& name) {
  return read_tree(std::filesystem::path(std::string(MERE_TEST_DATA) + "/trees/" + name + ".tree"));
}

// False if the filter does not take it.
inline bool encode(const TreeFile& tree, Bytes& out) {
  codec::FilterScratch scratch;
  const std::span<const std::byte> raw[] = {tree.nodes, tree.values};
  return TreeFilter().encode(raw, tree.layouts(), out, scratch);
}

inline TreeFile decode(const Bytes& filtered, std::size_t count, std::size_t node_bytes, std::size_t columns) {
  TreeFile tree{count, node_bytes, columns, Bytes(count * node_bytes, std::byte{0x55}),
                Bytes(count * columns * 8, std::byte{0x55})};
  codec::FilterScratch scratch;
  const std::span<std::byte> raw[] = {tree.nodes, tree.values};
  TreeFilter().decode(filtered, raw, scratch);
  return tree;
}

// Of nodes that follow scikit-learn's rules; with or without what 1.3 added.
inline TreeFile random_tree(std::mt19937& random, std::size_t most_nodes, bool with_missing, std::size_t columns) {
  TreeFile tree;
  tree.node_bytes = with_missing ? 64 : 56;
  tree.columns = columns;
  struct Made {
    std::uint64_t left, right;
  };
  std::vector<Made> shape;
  std::vector<std::size_t> open;  // nodes that wait for their right child
  std::size_t leaves_due = 1;
  while (leaves_due > 0) {
    const bool splits = shape.size() + 2 * leaves_due < most_nodes && random() % 5 < 3;
    const std::size_t i = shape.size();
    shape.push_back({~std::uint64_t{0}, ~std::uint64_t{0}});
    if (splits) {
      shape[i].left = i + 1;
      open.push_back(i);
      ++leaves_due;
    } else {
      --leaves_due;
      if (!open.empty()) {
        shape[open.back()].right = i + 1;
        open.pop_back();
      }
    }
  }
  tree.count = shape.size();
  tree.nodes.resize(tree.count * tree.node_bytes);
  tree.values.resize(tree.count * columns * 8);
  for (std::size_t i = 0; i < tree.count; ++i) {
    const bool leaf = shape[i].left == ~std::uint64_t{0};
    tree.set(i, 0, shape[i].left);
    tree.set(i, 8, shape[i].right);
    tree.set(i, 16, leaf ? std::int64_t{-2} : static_cast<std::int64_t>(random() % 40));
    tree.set(i, 24, leaf ? -2.0 : static_cast<double>(static_cast<float>(random()) / 1e9F));
    tree.set(i, 32, static_cast<double>(random() % 100) / 7);
    tree.set(i, 40, static_cast<std::int64_t>(random() % 300));
    tree.set(i, 48, static_cast<double>(random() % 300));
    if (with_missing) tree.set(i, 56, static_cast<std::uint64_t>(random() % 2));
    for (std::size_t c = 0; c < columns; ++c) tree.set_value(i, c, static_cast<double>(random() % 1000) / 3);
  }
  return tree;
}

}  // namespace mere::treefilter
