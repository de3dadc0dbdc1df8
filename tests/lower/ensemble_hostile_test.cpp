// Ensembles whose attributes are wrong: of another kind, length or class, about other columns, or the ensemble itself.
// Each ends in a typed error, or in a program that answers within its bounds. The models are those that
// tests/data/lowered_trees has recorded answers of: forests, boosting, AdaBoost, bagging, voting, stacking.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <mere/error.hpp>
#include <mere/graph.hpp>

#include "graph/node_reader.hpp"
#include "importers/registry.hpp"
#include "lower/lowering.hpp"
#include "program/program.hpp"

namespace {

using mere::Dtype;
using mere::Error;
using mere::Graph;
using mere::Kind;
using mere::kNoNode;
using mere::NodeId;
using mere::Reason;
using mere::graph::NodeReader;

// The ensembles that one release recorded; attributes of them may be changed, and are put back.
class Recorded {
 public:
  explicit Recorded(const std::string& release) {
    std::ifstream in(std::filesystem::path(MERE_TEST_DATA) / "lowered_trees" / (release + ".joblib"), std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    REQUIRE(!bytes_.empty());
    mere::importers::Source source;
    source.bytes = std::as_bytes(std::span(bytes_));
    source.name = release;
    imported_.emplace(mere::importers::import_source(source));
    const NodeReader reader(graph());
    version_ = reader.text(reader.find(graph().model_root, "version"));
    const NodeId cases = reader.find(graph().model_root, "cases");
    for (std::uint64_t i = 0; i + 1 < reader.child_count(cases); i += 2) {
      models_[std::string(reader.text(reader.child(cases, i)))] = reader.find(reader.child(cases, i + 1), "model");
    }
  }

  Graph& graph() { return imported_->graph; }
  const std::map<std::string, NodeId>& models() const { return models_; }
  NodeId state(NodeId object) { return graph().object_parts(object).state; }

  // Lowers the model and asks every method for a few rows. Nothing: all well. Errors of another type end the test.
  std::optional<Reason> lower(NodeId model, std::string* message = nullptr) {
    graph().model_root = model;  // messages tell paths from here
    const NodeReader reader(graph());
    try {
      const mere::program::Program program = mere::lower::lower_model(reader, model, version_);
      if (program.columns > 64) return std::nullopt;
      const auto columns = static_cast<std::size_t>(program.columns);
      std::vector<double> x(2 * columns, 0.5);
      for (std::size_t i = 0; i < columns; ++i) x[i] = static_cast<double>(i) - 1;
      for (const mere::program::Method& method : program.methods) {
        evaluate(program, method.name, {x.data(), 2, columns, columns});
      }
    } catch (const Error& error) {
      if (message) *message = error.what();
      return error.reason();
    }
    return std::nullopt;
  }

 private:
  std::string bytes_, version_;
  std::optional<mere::importers::Imported> imported_;
  std::map<std::string, NodeId> models_;
};

// Gives a dict's value another one, and the old one back.
class Changed {
 public:
  Changed(Graph& graph, NodeId dict, std::string_view key, NodeId value) : graph_(graph), dict_(dict) {
    const auto members = graph.members(dict);
    before_.assign(members.begin(), members.end());
    std::vector<NodeId> after = before_;
    bool found = false;
    for (std::size_t i = 0; i + 1 < after.size(); i += 2) {
      if (graph.kind(after[i]) != Kind::text || graph.text_value(after[i]) != key) continue;
      found = true;
      if (value == kNoNode) {  // taken away
        after.erase(after.begin() + static_cast<std::ptrdiff_t>(i), after.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      } else {
        after[i + 1] = value;
      }
      break;
    }
    INFO(key);
    REQUIRE(found);
    graph.fill(dict, after);
  }
  ~Changed() { graph_.fill(dict_, before_); }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;

 private:
  Graph& graph_;
  NodeId dict_;
  std::vector<NodeId> before_;
};

template <class T>
NodeId array(Graph& graph, const std::vector<T>& values, std::vector<std::int64_t> shape = {}) {
  auto kept = std::make_shared<const std::vector<T>>(values);
  if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
  return graph.array(Dtype::of<T>(), shape, Graph::Order::c, {reinterpret_cast<const std::byte*>(kept->data()), kept});
}

NodeId estimator(Graph& graph, const std::string& module, const std::string& name) {
  mere::ObjectParts parts;
  parts.type = graph.name(module, name);
  const std::pair<NodeId, NodeId> state[] = {{graph.text("n_features_in_"), graph.integer(5)}};
  parts.state = graph.dict(state);
  return graph.object(mere::ObjectForm::construct, parts);
}

std::vector<NodeId> members_of(const Graph& graph, NodeId list) {
  const auto members = graph.members(list);
  return {members.begin(), members.end()};
}

// The same list, or array of numbers or objects, of one dimension, without its last member.
NodeId shorter(Graph& graph, NodeId value) {
  const NodeReader reader(graph);
  if (graph.kind(value) == Kind::list || graph.kind(value) == Kind::tuple) {
    std::vector<NodeId> members = members_of(graph, value);
    if (!members.empty()) members.pop_back();
    return graph.list(members);
  }
  if (graph.kind(value) != Kind::array || reader.is_object_array(value)) return kNoNode;
  const mere::graph::ArrayState a = reader.array(value);
  if (a.elements == 0 || a.shape.empty()) return kNoNode;
  std::vector<std::int64_t> shape, strides;
  for (std::size_t i = 0; i < a.shape.size(); ++i) shape.push_back(a.shape[i]), strides.push_back(a.strides[i]);
  --shape[0];
  return graph.array(a.dtype, shape, strides, {a.first, a.held});
}

// What may stand in place of any attribute; kNoNode: nothing does.
std::vector<NodeId> wrong_values(Graph& graph, NodeId model, NodeId value) {
  const double nan = std::nan("");
  std::vector<NodeId> all = {graph.null(),
                             kNoNode,
                             graph.integer(0),
                             graph.integer(-1),
                             graph.integer(3),
                             graph.integer(std::int64_t{1} << 40),
                             graph.real(nan),
                             graph.text("x"),
                             graph.list(),
                             graph.dict(),
                             array<double>(graph, {}),
                             array<std::int64_t>(graph, {7}),
                             array<std::int64_t>(graph, {-5, 1 << 30, 2}),
                             array<double>(graph, {nan, 1, nan, 2, 3, 4, 5, 6, 7}, {3, 3}),
                             model,
                             estimator(graph, "sklearn.tree._classes", "DecisionTreeClassifier"),
                             estimator(graph, "sklearn.linear_model._base", "LinearRegression"),
                             graph.list(std::vector<NodeId>{model, model}),
                             graph.list(std::vector<NodeId>{graph.integer(1), graph.text("a")})};
  const NodeId less = shorter(graph, value);
  if (less != kNoNode) all.push_back(less);
  if (graph.kind(value) == Kind::list) {
    std::vector<NodeId> members = members_of(graph, value);
    if (!members.empty()) members.push_back(members.front());
    all.push_back(graph.list(members));
    for (NodeId& member : members) member = members.front();
    if (!members.empty()) members.back() = model;
    all.push_back(graph.list(members));
  }
  return all;
}

// Objects that the model is made of, at most two of a class.
std::vector<NodeId> objects_of(Graph& graph, NodeId model) {
  const NodeReader reader(graph);
  std::vector<NodeId> objects, open{model};
  std::set<NodeId> seen;
  std::map<std::string, int> of_class;
  while (!open.empty()) {
    const NodeId node = open.back();
    open.pop_back();
    if (node == kNoNode || !seen.insert(node).second) continue;
    if (reader.kind(node) == Kind::object) {
      const NodeId state = reader.parts(node).state;
      if (state != kNoNode && reader.kind(state) == Kind::dict && ++of_class[reader.full_name(node)] <= 2) {
        objects.push_back(node);
      }
    }
    for (std::uint64_t i = 0; i < reader.child_count(node); ++i) open.push_back(reader.child(node, i));
  }
  return objects;
}

}  // namespace

TEST_CASE("ensembles: any attribute that is something else ends in a typed error or a program that stays in bounds") {
  Recorded recorded("1.9.1");
  std::size_t refused = 0, lowered = 0, turn = 0;
  for (const auto& named : recorded.models()) {
    INFO(named.first);
    const NodeId model = named.second;
    REQUIRE(!recorded.lower(model));
    Graph& graph = recorded.graph();
    for (const NodeId object : objects_of(graph, model)) {
      const NodeId state = recorded.state(object);
      const std::vector<NodeId> attributes = members_of(graph, state);
      for (std::size_t i = 0; i + 1 < attributes.size(); i += 2) {
        const std::string key(graph.text_value(attributes[i]));
        for (const NodeId value : wrong_values(graph, model, attributes[i + 1])) {
          // A third of all, which keeps the sanitized run short.
          if (++turn % 3 != 0) continue;
          const Changed changed(graph, state, key, value);
          ++(recorded.lower(model) ? refused : lowered);
        }
      }
    }
    REQUIRE(!recorded.lower(model));
  }
  MESSAGE(refused << " refused, " << lowered << " lowered");
  CHECK(refused > 500);
}

namespace {

// The reason why a recorded model cannot be lowered once `attribute` is what `change` makes of it.
struct Case {
  Recorded& recorded;
  NodeId model;

  std::string reason(std::string_view attribute, const std::function<NodeId(Graph&, NodeId)>& change) const {
    Graph& graph = recorded.graph();
    const NodeId state = recorded.state(model);
    const NodeId before = NodeReader(graph).find(state, attribute);
    const Changed changed(graph, state, attribute, change(graph, before));
    const std::optional<Reason> reason = recorded.lower(model);
    return reason ? std::string(to_text(*reason)) : "lowered";
  }
  std::string reason_of_shorter(std::string_view attribute) const {
    return reason(attribute, [](Graph& graph, NodeId value) { return shorter(graph, value); });
  }
  std::string reason_of_first(std::string_view attribute, const std::function<NodeId(Graph&)>& made) const {
    return reason(attribute, [&](Graph& graph, NodeId value) {
      std::vector<NodeId> members = members_of(graph, value);
      members.at(0) = made(graph);
      return graph.list(members);
    });
  }
  std::string reason_of_itself(std::string_view attribute) const {
    return reason(attribute, [&](Graph&, NodeId) { return model; });
  }
};

NodeId linear(Graph& graph) {
  return estimator(graph, "sklearn.linear_model._base", "LinearRegression");
}

}  // namespace

TEST_CASE("ensembles: numbers of members, weights, features and classes that disagree contradict the schema") {
  Recorded recorded("1.9.1");
  const auto of = [&](const char* name) { return Case{recorded, recorded.models().at(name)}; };
  for (const auto& named : std::vector<std::pair<const char*, const char*>>{
           {"AdaBoostClassifier named", "estimator_weights_"},
           {"AdaBoostClassifier named", "classes_"},
           {"AdaBoostRegressor linear", "estimator_weights_"},
           {"BaggingClassifier features rare", "estimators_features_"},
           {"BaggingClassifier features rare", "estimators_"},
           {"BaggingClassifier features rare", "classes_"},
           {"VotingClassifier hard weights two", "weights"},
           {"VotingClassifier hard weights two", "classes_"},
           {"StackingRegressor through", "stack_method_"},
           {"StackingRegressor through", "estimators_"},
           {"GradientBoostingClassifier named", "classes_"},
           {"HistGradientBoostingClassifier categories", "classes_"},
           {"HistGradientBoostingClassifier categories", "_baseline_prediction"},
           {"IsolationForest features", "estimators_features_"}}) {
    INFO(std::string(named.first) << " " << std::string(named.second));
    CHECK(of(named.first).reason_of_shorter(named.second) == "schema");
  }
}

TEST_CASE("ensembles: members of the wrong kind are refused, and one that is its own member ends") {
  Recorded recorded("1.9.1");
  const auto of = [&](const char* name) { return Case{recorded, recorded.models().at(name)}; };
  const auto to_linear = [](Graph& graph, NodeId) { return linear(graph); };
  const Case boosting = of("GradientBoostingClassifier named"), forest = of("IsolationForest features");
  CHECK(boosting.reason("_loss", to_linear) == "not_lowerable");
  CHECK(boosting.reason("init_", to_linear) == "schema");  // it is not fitted
  CHECK(boosting.reason_of_itself("init_") == "too_deep");
  CHECK(of("GradientBoostingRegressor squared").reason_of_itself("init_") == "too_deep");
  CHECK(forest.reason_of_first("estimators_", linear) == "not_lowerable");
  CHECK(forest.reason_of_first("estimators_", [&](Graph&) { return forest.model; }) == "not_lowerable");
  CHECK(of("StackingRegressor through").reason_of_itself("final_estimator_") == "schema");  // of other columns

  struct Ends {
    const char *name, *of_itself, *of_none;
  };
  for (const Ends& ends :
       {Ends{"AdaBoostClassifier named", "too_deep", "schema"}, Ends{"AdaBoostRegressor linear", "too_deep", "schema"},
        Ends{"BaggingClassifier features rare", "schema", "schema"},  // of other columns
        Ends{"VotingClassifier hard weights two", "not_lowerable", "not_lowerable"},
        Ends{"StackingRegressor through", "not_lowerable", "not_lowerable"}}) {
    INFO(std::string(ends.name));
    const Case one = of(ends.name);
    CHECK(one.reason_of_first("estimators_", linear) == "schema");  // it is not fitted
    CHECK(one.reason_of_first("estimators_", [&](Graph&) { return one.model; }) == ends.of_itself);
    CHECK(one.reason_of_first("estimators_", [](Graph& g) { return g.integer(1); }) == "not_lowerable");
    CHECK(one.reason("estimators_", [](Graph& g, NodeId) { return g.list(); }) == ends.of_none);
  }
}
