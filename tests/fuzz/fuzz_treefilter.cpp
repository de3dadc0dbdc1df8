// Any bytes as an encoded tree: an error or arrays, which then come back through the filter. And any bytes as the
// arrays of a tree: what the filter takes comes back, the same each time. Input: u8 (bit 0: arrays, else encoded; bit
// 1: nodes of 64 bytes; bit 2: children made to follow their parents), u8 columns - 1, u16 nodes, then the payload or
// the arrays.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "treefilter/tree_filter.hpp"

namespace {

using namespace mere::codec;
using Bytes = std::vector<std::byte>;

struct Tree {
  std::size_t node_bytes, columns, count;
  Bytes nodes, values;

  Tree(std::size_t node_size, std::size_t column_count, std::size_t node_count)
      : node_bytes(node_size),
        columns(column_count),
        count(node_count),
        nodes(node_size * node_count, std::byte{0x55}),
        values(8 * column_count * node_count, std::byte{0x55}) {}
};

bool encode(const Tree& tree, Bytes& out) {
  using enum Column::Content;
  RowLayout layouts[2] = {{tree.node_bytes,
                           {{0, 8, integer},
                            {8, 8, integer},
                            {16, 8, integer},
                            {24, 8, real},
                            {32, 8, real},
                            {40, 8, integer},
                            {48, 8, real}}},
                          {8 * tree.columns, {}}};
  if (tree.node_bytes == 64) {
    layouts[0].columns.push_back({56, 1, integer});
    layouts[0].columns.push_back({57, 7, other});
  }
  for (std::uint32_t c = 0; c < tree.columns; ++c) layouts[1].columns.push_back({8 * c, 8, real});
  FilterScratch scratch;
  const std::span<const std::byte> raw[] = {tree.nodes, tree.values};
  return mere::treefilter::TreeFilter().encode(raw, layouts, out, scratch);
}

bool decode(std::span<const std::byte> filtered, Tree& tree) {
  FilterScratch scratch;
  const std::span<std::byte> raw[] = {tree.nodes, tree.values};
  try {
    mere::treefilter::TreeFilter().decode(filtered, raw, scratch);
    return true;
  } catch (const mere::Error& e) {
    if (e.reason() != mere::Reason::bad_stream) std::abort();
    return false;
  }
}

void check_arrays(const Tree& tree, bool must_be_taken) {
  Bytes filtered, again;
  if (!encode(tree, filtered)) {
    if (must_be_taken) std::abort();
    return;
  }
  if (!encode(tree, again) || again != filtered) std::abort();
  Tree back(tree.node_bytes, tree.columns, tree.count);
  if (!decode(filtered, back) || back.nodes != tree.nodes || back.values != tree.values) std::abort();
}

// Children behind their parents, or none; and nothing in the bytes that no field covers.
void mend_children(Tree& tree) {
  for (std::size_t i = 0; i < tree.count; ++i) {
    std::byte* node = tree.nodes.data() + i * tree.node_bytes;
    if (tree.node_bytes == 64) std::memset(node + 57, 0, 7);
    std::uint64_t children[2];
    std::memcpy(children, node, sizeof children);
    const bool leaf = i + 1 == tree.count || children[0] % 2 == 0;
    for (std::uint64_t& child : children) child = leaf ? ~std::uint64_t{0} : i + 1 + child / 2 % (tree.count - 1 - i);
    std::memcpy(node, children, sizeof children);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::size_t node_bytes = (data[0] & 2U) != 0 ? 64 : 56, columns = data[1] + std::size_t{1};
  std::size_t count = data[2] | std::size_t{data[3]} << 8;
  const auto rest = std::as_bytes(std::span(data + 4, size - 4));
  if ((data[0] & 1U) == 0) {
    if (count * columns > 40000) return 0;  // only slow
    Tree tree(node_bytes, columns, count);
    if (decode(rest, tree)) check_arrays(tree, false);
    return 0;
  }
  count = std::min(count, rest.size() / (node_bytes + 8 * columns));
  if (count == 0) return 0;
  Tree tree(node_bytes, columns, count);
  std::memcpy(tree.nodes.data(), rest.data(), tree.nodes.size());
  std::memcpy(tree.values.data(), rest.data() + tree.nodes.size(), tree.values.size());
  const bool mended = (data[0] & 4U) != 0;
  if (mended) mend_children(tree);
  check_arrays(tree, mended);
  return 0;
}
