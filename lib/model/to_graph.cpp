// An open model as a graph again.

#include "graph/to_graph.hpp"

#include <mere/dump.hpp>

#include "model/guarded.hpp"
#include "model/model_state.hpp"

namespace mere {

Graph to_graph(const Model& model) {
  const Model::State& state = Model::State::of(model);
  return model::guarded_read(
      *state.image, [&] { return graph::to_graph(*state.image, model.state(), state.options.limits.memory_bytes); });
}

}  // namespace mere
