#pragma once
// Small sound frames, indices and columns of pandas, as the importers build them, for tests to break.

#include <array>
#include <string>

#include "state_graphs.hpp"

namespace mere::trust {

inline NodeId add_range_index(StateGraph& build, std::int64_t start, std::int64_t stop, std::int64_t step = 1) {
  return build.object(
      "pandas.core.indexes.base", "_new_Index",
      {build.graph.name("pandas", "RangeIndex"),
       build.dict({{"start", build.integer(start)}, {"stop", build.integer(stop)}, {"step", build.integer(step)}})},
      kNoNode);
}

inline NodeId add_index(StateGraph& build, NodeId data, const char* type = "Index") {
  return build.object("pandas.core.indexes.base", "_new_Index",
                      {build.graph.name("pandas", type), build.dict({{"data", data}, {"name", build.graph.null()}})},
                      kNoNode);
}

// Made by pandas' compiled code: the type and the array of a column.
inline NodeId add_backed(StateGraph& build, const char* type, NodeId dtype, NodeId values) {
  return build.object("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked",
                      {build.graph.name("pandas.arrays", type), build.integer(82904607), build.graph.null()},
                      build.tuple({dtype, values, build.dict({})}));
}

inline NodeId add_categorical(StateGraph& build, std::vector<std::int64_t> codes, std::int64_t categories) {
  const NodeId type = build.object(
      "pandas", "CategoricalDtype", {},
      build.dict({{"categories", add_range_index(build, 0, categories)}, {"ordered", build.graph.boolean(false)}}));
  return add_backed(build, "Categorical", type, build.array(std::move(codes)));
}

inline NodeId add_slice(StateGraph& build, std::int64_t start, std::int64_t stop, std::int64_t step) {
  return build.graph.slice(build.integer(start), build.integer(stop), build.integer(step));
}

// Two blocks: reals at places 0 and 2 by a slice, one of numbers by a list; three columns, two rows.
struct FrameParts {
  std::int64_t start = 0, stop = 4, step = 2;
  std::int64_t listed = 1;
  std::int64_t block_rows = 2, block_length = 2, other_length = 2;
  std::int64_t columns = 3, rows = 2;
  std::int64_t dimensions = 2;
};

inline NodeId add_block(StateGraph& build, NodeId values, NodeId places, std::int64_t dimensions) {
  return build.object("pandas._libs.internals", "_unpickle_block", {values, places, build.integer(dimensions)},
                      kNoNode);
}

inline NodeId add_managed(StateGraph& build, const char* type, NodeId blocks, NodeId axes) {
  const NodeId manager = build.object("pandas.core.internals.managers", type, {blocks, axes}, kNoNode);
  return build.object("pandas", "DataFrame", {},
                      build.dict({{"_mgr", manager}, {"_typ", build.graph.text("dataframe")}}));
}

inline NodeId add_frame(StateGraph& build, const FrameParts& parts) {
  const NodeId first = add_block(build, build.reals(parts.block_rows, parts.block_length),
                                 add_slice(build, parts.start, parts.stop, parts.step), parts.dimensions);
  const NodeId second = add_block(build, build.reals(1, parts.other_length), build.integers({parts.listed}), 2);
  return add_managed(build, "BlockManager", build.tuple({first, second}),
                     build.list({add_range_index(build, 0, parts.columns), add_range_index(build, 0, parts.rows)}));
}

// A series, as every release has it: axes, values and items for oldest ones, then what pandas reads since 0.14.1.
inline NodeId add_series(StateGraph& build, NodeId values, std::int64_t length, NodeId places,
                         const char* manager = "SingleBlockManager") {
  const NodeId axes = build.list({add_range_index(build, 0, length)});
  const NodeId block = build.dict({{"values", values}, {"mgr_locs", places}});
  const NodeId named = build.dict({{"0.14.1", build.dict({{"axes", axes}, {"blocks", build.list({block})}})}});
  const NodeId held = build.object("pandas.core.internals.managers", manager, {},
                                   build.tuple({axes, build.list({values}), axes, named}));
  return build.object("pandas.core.series", "Series", {},
                      build.dict({{"_mgr", held}, {"_typ", build.graph.text("series")}}));
}

inline NodeId add_multi_index(StateGraph& build, std::int64_t levels, std::vector<std::int64_t> first,
                              std::vector<std::int64_t> second) {
  return build.object(
      "pandas.core.indexes.base", "_new_Index",
      {build.graph.name("pandas", "MultiIndex"),
       build.dict({{"levels", build.list({add_range_index(build, 0, levels), add_range_index(build, 0, 2)})},
                   {"codes", build.list({build.array(std::move(first)), build.array(std::move(second))})}})},
      kNoNode);
}

inline NodeId add_masked(StateGraph& build, const char* type, std::int64_t values, std::vector<bool> mask) {
  const std::vector<std::uint8_t> bytes(mask.begin(), mask.end());
  const auto length = static_cast<std::int64_t>(bytes.size());
  return build.object(
      "pandas.core.arrays.integer", type, {},
      build.dict({{"_data", build.array(std::vector<std::int64_t>(static_cast<std::size_t>(values)))},
                  {"_mask", build.array(Dtype::parse("|b1"), bytes, std::vector<std::int64_t>{length})}}));
}

inline NodeId add_sparse(StateGraph& build, std::int64_t length, std::vector<std::int32_t> starts,
                         std::vector<std::int32_t> lengths, std::int64_t values) {
  std::vector<NodeId> args = {build.integer(length), build.array(std::move(starts))};
  const bool blocks = !lengths.empty();
  if (blocks) args.push_back(build.array(std::move(lengths)));
  const NodeId index = build.object("pandas._libs.sparse", blocks ? "BlockIndex" : "IntIndex", args, kNoNode);
  return build.object(
      "pandas.arrays", "SparseArray", {},
      build.dict({{"_sparse_index", index},
                  {"_sparse_values", build.array(std::vector<double>(static_cast<std::size_t>(values)))}}));
}

}  // namespace mere::trust
