// A program of somebody else: writes a model, opens it, reads it back, and meets an error.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include <mere/dump.hpp>
#include <mere/error.hpp>
#include <mere/graph.hpp>
#include <mere/model.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path path = std::filesystem::path(argv[1]) / "consumer.mere";
  const std::vector<double> weights = {0.5, -0.0, 3.0};

  mere::Graph graph;
  const mere::ArraySource source{reinterpret_cast<const std::byte*>(weights.data()), nullptr};
  const auto array = graph.array(mere::Dtype::of<double>(), mere::Dims{3}, mere::Graph::Order::c, source);
  const std::pair<mere::NodeId, mere::NodeId> entries[] = {{graph.text("weights"), array}};
  graph.model_root = graph.dict(entries);
  mere::dump(graph, path, {.durability = mere::Durability::none});

  const mere::Model model = mere::open(path);
  const auto read = model.at("weights").array().span<double>();
  if (!std::equal(read.begin(), read.end(), weights.begin(), weights.end())) return 1;
  try {
    mere::open(path.parent_path() / "absent.mere");
    return 1;
  } catch (const mere::Error& e) {
    if (e.code() != mere::Errc::not_found) return 1;
  }
  std::puts("consumer: ok");
  return 0;
}
