#pragma once
// Small sound states, as the importers build them, for tests to break.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/graph.hpp>

namespace mere::trust {

// Builds one graph; arrays own copies of what they are given.
class StateGraph {
 public:
  Graph graph;

  template <class T>
  NodeId array(std::vector<T> values, std::vector<std::int64_t> shape = {}) {
    if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
    return array(Dtype::of<T>(), std::move(values), shape);
  }
  template <class T>
  NodeId array(const Dtype& dtype, std::vector<T> values, const std::vector<std::int64_t>& shape) {
    auto kept = std::make_shared<std::vector<T>>(std::move(values));
    return graph.array(dtype, shape, Graph::Order::c, {reinterpret_cast<const std::byte*>(kept->data()), kept});
  }
  NodeId integers(std::initializer_list<std::int64_t> values) { return array(std::vector<std::int64_t>(values)); }
  NodeId reals(std::int64_t rows, std::int64_t columns) {
    return array(std::vector<double>(static_cast<std::size_t>(rows * columns)), {rows, columns});
  }
  NodeId tuple(std::vector<NodeId> members) { return graph.tuple(members); }
  NodeId list(std::vector<NodeId> members) { return graph.list(members); }
  NodeId integer(std::int64_t value) { return graph.integer(value); }

  using Attributes = std::vector<std::pair<std::string_view, NodeId>>;
  NodeId dict(const Attributes& attributes) {
    std::vector<std::pair<NodeId, NodeId>> entries;
    for (const auto& [name, value] : attributes) entries.emplace_back(graph.text(name), value);
    return graph.dict(entries);
  }
  // The root: an object of a class, or what a function makes from arguments.
  NodeId object(std::string_view module, std::string_view name, std::vector<NodeId> args, NodeId state) {
    ObjectParts parts;
    parts.type = graph.name(module, name);
    if (!args.empty()) parts.args = graph.tuple(args);
    parts.state = state;
    return graph.model_root = graph.object(args.empty() ? ObjectForm::construct : ObjectForm::call, parts);
  }
};

struct TreeNode {
  std::int64_t left_child = -1, right_child = -1, feature = -2;
  double threshold = 0, impurity = 0;
  std::int64_t n_node_samples = 1;
  double weighted_n_node_samples = 1;
};

inline Dtype tree_node_type() {
  const Dtype i8 = Dtype::parse("<i8"), f8 = Dtype::parse("<f8");
  return Dtype::record({{"left_child", i8, 0, ""},
                        {"right_child", i8, 8, ""},
                        {"feature", i8, 16, ""},
                        {"threshold", f8, 24, ""},
                        {"impurity", f8, 32, ""},
                        {"n_node_samples", i8, 40, ""},
                        {"weighted_n_node_samples", f8, 48, ""}},
                       sizeof(TreeNode));
}

// Root, a split on the left, three leaves: 0 -> (1, 4), 1 -> (2, 3).
struct TreeParts {
  std::vector<TreeNode> nodes = {{1, 4, 0}, {2, 3, 1}, {}, {}, {}};
  std::int64_t features = 2, node_count = 5, max_depth = 2, rows = 5, outputs = 1, classes = 3, value_classes = 3;
};

inline NodeId add_tree(StateGraph& build, const TreeParts& parts) {
  const NodeId nodes = build.array(tree_node_type(), parts.nodes, {static_cast<std::int64_t>(parts.nodes.size())});
  const NodeId values = build.array(std::vector<double>(static_cast<std::size_t>(parts.rows * parts.value_classes)),
                                    {parts.rows, 1, parts.value_classes});
  const NodeId state = build.dict({{"max_depth", build.integer(parts.max_depth)},
                                   {"node_count", build.integer(parts.node_count)},
                                   {"nodes", nodes},
                                   {"values", values}});
  return build.object("sklearn.tree._tree", "Tree",
                      {build.integer(parts.features), build.integers({parts.classes}), build.integer(parts.outputs)},
                      state);
}

}  // namespace mere::trust
