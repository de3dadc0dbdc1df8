// Trees and forests whose attributes contradict themselves or each other: a typed error each, never a program.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <mere/error.hpp>
#include <mere/graph.hpp>

#include "graph/node_reader.hpp"
#include "lower/lowering.hpp"

namespace {

using mere::Dtype;
using mere::Error;
using mere::Graph;
using mere::NodeId;
using mere::Reason;

struct Node {
  std::int64_t left = -1, right = -1, feature = -2;
  double threshold = -2;
  std::int64_t samples = 1;
};

// A forest of three equal trees of five nodes over two columns and three classes, and whatever a test makes of it.
struct Forest {
  std::vector<Node> nodes = {{1, 2, 0, 0.5}, {-1, -1}, {3, 4, 1, 1.5}, {-1, -1}, {-1, -1}};
  std::vector<double> values = {1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1};
  std::vector<std::int64_t> values_shape = {5, 1, 3};
  std::vector<std::int64_t> classes = {10, 20, 30};
  std::int64_t node_count = 5, tree_features = 2, tree_classes = 3, tree_outputs = 1;
  std::int64_t n_classes = 3, n_outputs = 1, n_features = 2;
  int trees = 3;
  std::string member = "DecisionTreeClassifier", version = "1.2.1";

  template <class T>
  static NodeId array(Graph& graph, const std::vector<T>& values, std::vector<std::int64_t> shape = {}) {
    auto kept = std::make_shared<const std::vector<T>>(values);
    if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
    return graph.array(Dtype::of<T>(), shape, Graph::Order::c,
                       {reinterpret_cast<const std::byte*>(kept->data()), kept});
  }

  static NodeId object(Graph& graph, const std::string& module, const std::string& name,
                       const std::vector<std::pair<std::string, NodeId>>& attributes, NodeId args = mere::kNoNode) {
    std::vector<std::pair<NodeId, NodeId>> entries;
    for (const auto& [key, value] : attributes) entries.emplace_back(graph.text(key), value);
    mere::ObjectParts parts;
    parts.type = graph.name(module, name);
    parts.args = args;
    parts.state = graph.dict(entries);
    return graph.object(mere::ObjectForm::construct, parts);
  }

  NodeId tree(Graph& graph) const {
    const Dtype whole = Dtype::of<std::int64_t>();
    const Dtype record = Dtype::record({{"left_child", whole, 0, ""},
                                        {"right_child", whole, 8, ""},
                                        {"feature", whole, 16, ""},
                                        {"threshold", Dtype::of<double>(), 24, ""},
                                        {"n_node_samples", whole, 32, ""}},
                                       sizeof(Node));
    auto kept = std::make_shared<const std::vector<Node>>(nodes);
    const std::int64_t shape[] = {static_cast<std::int64_t>(nodes.size())};
    const std::vector<std::pair<std::string, NodeId>> attributes = {
        {"node_count", graph.integer(node_count)},
        {"nodes",
         graph.array(record, shape, Graph::Order::c, {reinterpret_cast<const std::byte*>(kept->data()), kept})},
        {"values", array(graph, values, values_shape)}};
    const NodeId args[] = {graph.integer(tree_features), array(graph, std::vector<std::int64_t>{tree_classes}),
                           graph.integer(tree_outputs)};
    return object(graph, "sklearn.tree._tree", "Tree", attributes, graph.tuple(args));
  }

  NodeId build(Graph& graph) const {
    std::vector<NodeId> members;
    for (int i = 0; i < trees; ++i) {
      members.push_back(object(graph, "sklearn.tree._classes", member, {{"tree_", tree(graph)}}));
    }
    return object(graph, "sklearn.ensemble._forest", "RandomForestClassifier",
                  {{"estimators_", graph.list(members)},
                   {"classes_", array(graph, classes)},
                   {"n_classes_", graph.integer(n_classes)},
                   {"n_outputs_", graph.integer(n_outputs)},
                   {"n_features_in_", graph.integer(n_features)},
                   {"_sklearn_version", graph.text(version)}});
  }

  mere::program::Program lower() const {
    Graph graph;
    graph.model_root = build(graph);
    const mere::graph::GraphReader reader(graph);
    return mere::lower::lower_model(reader, graph.model_root);
  }

  // The reason why it cannot be lowered, and that its message has `part`.
  Reason reason(const std::string& part) const {
    try {
      lower();
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(std::string(error.what()).find(part) != std::string::npos);
      return error.reason();
    }
    FAIL("was lowered: " << part);
    return Reason::bad_magic;
  }
};

}  // namespace

TEST_CASE("forest: a sound one is lowered, and answers") {
  const mere::program::Program program = Forest().lower();
  const double rows[] = {0, 0, 1, 1, 1, 2};
  const mere::program::Matrix x{rows, 3, 2, 2};
  CHECK(evaluate(program, "predict", x) == std::vector<double>{0, 1, 2});
  CHECK(evaluate(program, "predict_proba", x) == std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1});
}

TEST_CASE("forest: no row has no answer, and a row of numbers that it refuses an error with its place") {
  const mere::program::Program program = Forest().lower();
  const double rows[] = {0, 0, 1, std::nan("")};
  CHECK(evaluate(program, "predict_proba", {rows, 0, 2, 2}).empty());
  try {
    evaluate(program, "predict", {rows, 2, 2, 2});
    FAIL("NaN was answered");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::not_finite);
    CHECK(std::string(error.what()).find("row 1, column 1") != std::string::npos);
  }
}

TEST_CASE("tree: children that lie outside, above, twice or nowhere are bad records") {
  const auto with = [](const std::function<void(Forest&)>& change, const char* part) {
    Forest forest;
    change(forest);
    CHECK(forest.reason(part) == Reason::bad_record);
  };
  with([](Forest& f) { f.nodes[2].right = 5; }, "child 5 lies outside");
  with([](Forest& f) { f.nodes[2].left = -7; }, "child -7 lies outside");
  with([](Forest& f) { f.nodes[2].left = 2; }, "child 2 has another parent");
  with([](Forest& f) { f.nodes[2].left = 0; }, "child 0 has another parent");
  with([](Forest& f) { f.nodes[2].right = 3; }, "child 3 has another parent");
  with([](Forest& f) { f.nodes[2] = {}; }, "node 3: cannot be reached");
  with([](Forest& f) { f.nodes[2].left = -1; }, "child -1 lies outside");
  with([](Forest& f) { f.nodes[0].feature = 2; }, "feature 2 of 2");
  with([](Forest& f) { f.nodes[0].feature = -1; }, "feature -1 of 2");
  with([](Forest& f) { f.nodes[2].threshold = std::nan(""); }, "threshold is NaN");
}

TEST_CASE("tree: tables of other lengths than its nodes contradict the schema") {
  const auto with = [](const std::function<void(Forest&)>& change, const char* part) {
    Forest forest;
    change(forest);
    CHECK(forest.reason(part) == Reason::schema);
  };
  with([](Forest& f) { f.node_count = 6; }, "node_count and nodes disagree");
  with([](Forest& f) { f.values.resize(12), f.values_shape = {4, 1, 3}; }, "values have shape (4, 1, 3)");
  with([](Forest& f) { f.values_shape = {5, 3, 1}; }, "values have shape (5, 3, 1)");
  with([](Forest& f) { f.nodes.clear(), f.node_count = 0; }, "nodes have shape (0,)");
  with([](Forest& f) { f.tree_classes = 4; }, "n_classes has 4");
  with([](Forest& f) { f.tree_classes = 0; }, "n_classes has 0");
  with([](Forest& f) { f.tree_outputs = 2; }, "n_outputs and n_classes disagree");
  with([](Forest& f) { f.tree_features = 0; }, "n_features is no count");
}

TEST_CASE("forest: attributes that disagree contradict the schema") {
  const auto with = [](const std::function<void(Forest&)>& change, const char* part) {
    Forest forest;
    change(forest);
    CHECK(forest.reason(part) == Reason::schema);
  };
  with([](Forest& f) { f.classes = {10, 20}; }, "n_classes_ and classes_ disagree");
  with([](Forest& f) { f.classes = {10, 20}, f.n_classes = 2; }, "outputs or classes disagree");
  with([](Forest& f) { f.n_classes = 4; }, "n_classes_ and classes_ disagree");
  with([](Forest& f) { f.n_outputs = 2; }, "classes_");
  with([](Forest& f) { f.n_outputs = 0; }, "n_outputs_ is 0");
  with([](Forest& f) { f.trees = 0; }, "estimators_ is empty");
  with([](Forest& f) { f.tree_features = 3; }, "3 features for 2 columns");
  with([](Forest& f) { f.n_features = 3; }, "2 features for 3 columns");
  with([](Forest& f) { f.n_features = -1; }, "n_features_in_ is -1");
}

TEST_CASE("forest: a member of another class is refused by name, and so is a version that nobody recorded") {
  Forest forest;
  forest.member = "MyTree";
  CHECK(forest.reason("estimators_[0]") == Reason::not_lowerable);
  CHECK(forest.reason("sklearn.tree._classes.MyTree") == Reason::not_lowerable);
  forest = Forest();
  forest.version = "unknown";
  CHECK(forest.reason("is no version") == Reason::not_lowerable);
}
