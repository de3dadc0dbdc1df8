// States that were sound, broken by the input: validators read them and nothing else happens. Each three bytes of the
// input change one number of a tree, a csr matrix, a random state, a KDTree, or a frame, an index or a column of
// pandas.

#include <cstddef>
#include <cstdint>
#include <span>

#include <mere/error.hpp>
#include "../trust/pandas_graphs.hpp"
#include "../trust/state_graphs.hpp"
#include "trust/capabilities.hpp"
#include "trust/graph_facts.hpp"
#include "trust/validators.hpp"

using namespace mere;
using trust::StateGraph;

namespace {

// The changes that the input asks for, one number after the other.
class Changes {
 public:
  explicit Changes(std::span<const std::uint8_t> input) : input_(input) {}

  // `value`, or another one: close to it, or at the end of what 64 bits hold.
  std::int64_t operator()(std::int64_t value) {
    if (at_ + 2 > input_.size()) return value;
    const std::uint8_t how = input_[at_], by = input_[at_ + 1];
    at_ += 2;
    switch (how % 8) {
      case 1: return value + static_cast<std::int8_t>(by);
      case 2: return static_cast<std::int64_t>(by);
      case 3: return -static_cast<std::int64_t>(by);
      case 4: return INT64_MAX - by;
      case 5: return INT64_MIN + by;
      case 6: return std::int64_t{by} << 32;
      default: return value;
    }
  }

 private:
  std::span<const std::uint8_t> input_;
  std::size_t at_ = 0;
};

// A length that memory can hold.
std::int64_t small(std::int64_t value) {
  return value < 0 ? 0 : value % 300;
}

void make_tree(StateGraph& build, Changes& change) {
  trust::TreeParts parts;
  for (trust::TreeNode& node : parts.nodes) {
    node.left_child = change(node.left_child);
    node.right_child = change(node.right_child);
    node.feature = change(node.feature);
  }
  parts.features = change(parts.features);
  parts.node_count = change(parts.node_count);
  parts.max_depth = change(parts.max_depth);
  parts.rows = small(change(parts.rows));
  parts.outputs = change(parts.outputs);
  parts.classes = change(parts.classes);
  trust::add_tree(build, parts);
}

void make_sparse(StateGraph& build, Changes& change) {
  constexpr const char* kNames[] = {"csr_matrix", "csc_matrix", "coo_matrix", "dia_matrix"};
  const auto name = kNames[static_cast<std::uint64_t>(change(0)) % 4];
  std::vector<std::int64_t> indptr = {0, 1, 2}, indices = {0, 2};
  for (std::int64_t& value : indptr) value = change(value);
  for (std::int64_t& value : indices) value = change(value);
  const NodeId shape = build.tuple({build.integer(change(2)), build.integer(change(3))});
  const NodeId ids = build.array(indices);
  build.object("scipy.sparse._csr", name, {},
               build.dict({{"_shape", shape},
                           {"indptr", build.array(indptr)},
                           {"indices", ids},
                           {"row", ids},
                           {"col", ids},
                           {"offsets", ids},
                           {"data", build.array(std::vector<double>(static_cast<std::size_t>(small(change(2)))))}}));
}

void make_random(StateGraph& build, Changes& change) {
  const auto words = static_cast<std::size_t>(change(624)) % 700;
  const NodeId inner = build.dict({{"key", build.array(std::vector<std::uint32_t>(words))},
                                   {"counter", build.array(std::vector<std::uint64_t>(words % 6))},
                                   {"pos", build.integer(change(624))}});
  constexpr const char* kNames[] = {"MT19937", "Philox", "PCG64", "SFC64"};
  build.object("numpy.random._pickle", "__bit_generator_ctor", {build.integer(change(0))},
               build.dict({{"bit_generator", build.graph.text(kNames[static_cast<std::uint64_t>(change(0)) % 4])},
                           {"state", inner},
                           {"buffer", build.integers({1, 2, 3, 4})},
                           {"buffer_pos", build.integer(change(4))}}));
}

void make_binary_tree(StateGraph& build, Changes& change) {
  struct Node {
    std::int64_t start, end, is_leaf;
  };
  const Dtype i8 = Dtype::parse("<i8");
  const Dtype type = Dtype::record({{"idx_start", i8, 0, ""}, {"idx_end", i8, 8, ""}, {"is_leaf", i8, 16, ""}}, 24);
  std::vector<Node> nodes = {{0, 4, 0}, {0, 2, 1}, {2, 4, 1}};
  for (Node& node : nodes) node = {change(node.start), change(node.end), change(node.is_leaf)};
  std::vector<std::int64_t> order = {3, 1, 2, 0};
  for (std::int64_t& row : order) row = change(row);
  std::vector<NodeId> state = {build.reals(small(change(4)), 2), build.array(order), build.array(type, nodes, {3}),
                               build.array(std::vector<double>(12), {2, 3, 2})};
  for (const std::int64_t value : {2, 2, 3, 0, 0, 0, 0}) state.push_back(build.integer(change(value)));
  ObjectParts metric;
  metric.type = build.graph.name("sklearn.metrics._dist_metrics", "SEuclideanDistance");
  metric.state = build.tuple({build.graph.real(2), build.reals(1, small(change(2))), build.reals(1, 1)});
  state.push_back(build.graph.object(ObjectForm::construct, metric));
  state.push_back(build.graph.null());
  build.object("sklearn.neighbors._kd_tree", "newObj", {build.graph.name("sklearn.neighbors._kd_tree", "KDTree")},
               build.tuple(state));
}

// A frame of two blocks, with the parts of its other columns beside it.
void make_frame(StateGraph& build, Changes& change) {
  trust::FrameParts parts;
  for (std::int64_t* number :
       {&parts.start, &parts.stop, &parts.step, &parts.listed, &parts.columns, &parts.rows, &parts.dimensions}) {
    *number = change(*number);
  }
  for (std::int64_t* length : {&parts.block_rows, &parts.block_length, &parts.other_length})
    *length = small(change(*length));
  trust::add_frame(build, parts);
}

void make_series(StateGraph& build, Changes& change) {
  const NodeId values = trust::add_categorical(build, {change(0), change(1), change(-1)}, change(2));
  const NodeId places = trust::add_slice(build, change(0), change(3), change(1));
  trust::add_series(build, values, change(3), places);
}

void make_columns(StateGraph& build, Changes& change) {
  const auto narrow = [&](std::int64_t value) { return static_cast<std::int32_t>(change(value)); };
  const NodeId multi = trust::add_multi_index(build, change(3), {change(0), change(2)}, {change(1), change(-1)});
  const NodeId range = trust::add_range_index(build, change(0), change(9), change(2));
  const NodeId masked = trust::add_masked(build, change(0) == 0 ? "IntegerArray" : "BooleanArray", small(change(2)),
                                          std::vector<bool>(static_cast<std::size_t>(small(change(2)))));
  const NodeId blocks =
      trust::add_sparse(build, change(5), {narrow(0), narrow(3)}, {narrow(2), narrow(2)}, small(change(4)));
  const NodeId places = trust::add_sparse(build, change(5), {narrow(0), narrow(4)}, {}, small(change(2)));
  const NodeId year =
      build.object("pandas._libs.tslibs.offsets", "YearEnd", {}, build.dict({{"month", build.integer(change(12))}}));
  build.graph.model_root = build.list({multi, range, masked, blocks, places, year});
}

// SeedSequence by its arguments, or by the state of one.
void make_seeds(StateGraph& build, Changes& change) {
  ObjectParts parts;
  parts.type = build.graph.name("numpy.random.bit_generator", "SeedSequence");
  if (change(0) == 0) {
    parts.args = build.tuple({build.integer(change(5))});
    parts.kwargs = build.dict({{"pool_size", build.integer(change(4))},
                               {"spawn_key", build.tuple({build.integer(change(1))})},
                               {"n_children_spawned", build.integer(change(0))}});
  } else {
    const auto words = static_cast<std::size_t>(small(change(4)));
    parts.state =
        build.tuple({build.integer(change(5)), build.integer(change(0)), build.array(std::vector<std::uint32_t>(words)),
                     build.integer(change(4)), build.tuple({build.integer(change(1))})});
  }
  build.graph.model_root = build.graph.object(ObjectForm::call, parts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Changes change(std::span(data, size).subspan(1));
  StateGraph build;
  switch (data[0] % 8) {
    case 0: make_tree(build, change); break;
    case 1: make_sparse(build, change); break;
    case 2: make_random(build, change); break;
    case 3: make_binary_tree(build, change); break;
    case 4: make_frame(build, change); break;
    case 5: make_series(build, change); break;
    case 6: make_columns(build, change); break;
    default: make_seeds(build, change);
  }
  try {
    trust::validate_states(build.graph);
  } catch (const Error&) {
  }
  const graph::GraphReader reader(build.graph);
  trust::capabilities_of(reader);
  trust::versions_of(reader);
  return 0;
}
