#pragma once
// Fitted estimators made by hand.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/mere.hpp>

namespace mere::test {

// A fitted estimator of scikit-learn as an importer makes it: a class and a dict of attributes.
class EstimatorGraph {
 public:
  explicit EstimatorGraph(std::string_view module, std::string_view name) {
    type_ = graph_.name(module, name);
    set("_sklearn_version", graph_.text("1.2.1"));
  }
  void set(std::string_view attribute, NodeId value) { state_.emplace_back(graph_.text(attribute), value); }
  NodeId reals(const std::vector<double>& values, const std::vector<std::int64_t>& shape) {
    kept_.push_back(std::make_shared<const std::vector<double>>(values));
    return graph_.array(Dtype::of<double>(), shape, Graph::Order::c,
                        {reinterpret_cast<const std::byte*>(kept_.back()->data()), kept_.back()});
  }
  Graph& graph() { return graph_; }
  Model open() {
    auto bytes = std::make_shared<const std::vector<std::byte>>(dump_bytes(finished()));
    return Model::from_bytes(*bytes, bytes);
  }
  void dump(const std::filesystem::path& path) { mere::dump(finished(), path); }

 private:
  const Graph& finished() {
    ObjectParts parts;
    parts.type = type_;
    parts.args = graph_.tuple({});
    parts.state = graph_.dict(state_);
    graph_.model_root = graph_.object(ObjectForm::construct, parts);
    return graph_;
  }

  Graph graph_;
  NodeId type_;
  std::vector<std::pair<NodeId, NodeId>> state_;
  std::vector<std::shared_ptr<const std::vector<double>>> kept_;
};

}  // namespace mere::test
