#include "model/store_program.hpp"

#include <algorithm>

#include "graph/node_reader.hpp"
#include "lower/lowering.hpp"
#include "program/program.hpp"

namespace mere::model {

namespace {

// Smaller models are lowered when they are opened, unless they are ensembles.
constexpr std::uint64_t kSmallBytes = std::uint64_t{1} << 20;

bool is_ensemble(const program::Program& program) {
  return std::any_of(program.steps.begin(), program.steps.end(),
                     [](const auto& step) { return step->name() == "TreeEnsemble"; });
}

// Of what is inside the model, where the model is no program as a whole.
bool store_ensembles(Graph& graph, const graph::NodeReader& reader, std::string_view version, unsigned threads) {
  std::vector<program::Program> programs = lower::lower_ensembles(reader, graph.model_root, version, threads);
  if (programs.empty()) return false;
  graph.program_root = program::write_programs(graph, programs);
  return true;
}

}  // namespace

StoredProgram store_program(Graph& graph, StoreProgram mode, std::string_view version,
                            std::function<void(std::span<const std::byte>)> release,
                            const std::map<std::string, std::string>& aliases, unsigned threads) {
  for (const auto& [name, stands_for] : aliases) {
    if (lower::find_rule(stands_for)) continue;
    throw Error(Reason::bad_argument, name + " cannot be read as " + stands_for + ", for which no operators are known");
  }
  StoredProgram result;
  if (mode == StoreProgram::none || graph.model_root == kNoNode) return result;
  std::optional<program::Program> program;
  {
    graph::GraphReader reader(graph, std::move(release));
    reader.set_aliases(aliases);
    const bool automatic = mode == StoreProgram::automatic;
    // Not every file holds an estimator; that is no reason to speak of it.
    if (automatic && (graph.kind(graph.model_root) != Kind::object ||
                      lower::find_rule(reader.full_name(graph.model_root)) == nullptr)) {
      result.stored = store_ensembles(graph, reader, version, threads);
      return result;
    }
    try {
      program = lower::lower_model(reader, graph.model_root, version, threads);
    } catch (const Error& error) {
      if (!automatic || error.reason() != Reason::not_lowerable) throw;
      result.why_not = error.message();
      result.stored = store_ensembles(graph, reader, version, threads);
      return result;
    }
    if (automatic && aliases.empty() && !is_ensemble(*program) && reader.payload_bytes() <= kSmallBytes) return result;
  }
  graph.program_root = program::write_program(graph, *program);
  if (mode == StoreProgram::only) graph.model_root = graph.program_root;
  // Its arrays are held by the graph, where they do not lie in the model's own.
  result.stored = true;
  return result;
}

}  // namespace mere::model
