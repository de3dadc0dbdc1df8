// What objects of listed types would do beyond computing, found among many that do nothing.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "state_graphs.hpp"
#include "trust/capabilities.hpp"

using namespace mere;

namespace {

// Objects of 300 classes that do nothing, and in the middle of them a few that do; their types and keys are nodes of
// their own, or nodes that all share.
struct ManyObjects {
  trust::StateGraph made;
  std::array<std::size_t, 4> expected{};  // by kind
  bool shared = false;
  NodeId memory = kNoNode, input = kNoNode, plain = kNoNode;

  explicit ManyObjects(bool share) : shared(share) {
    std::vector<NodeId> objects;
    memory = key("memory");
    input = key("input");
    plain = key("alpha");
    for (int i = 0; i < 300; ++i) {
      objects.push_back(
          object("a.b", "Class" + std::to_string(i), {{plain, made.integer(i)}, {key("memory"), none()}}));
      if (i % 50 == 7) add_telling(objects, i);
    }
    made.graph.model_root = made.list(objects);
  }

  NodeId key(std::string_view name) {
    if (shared && memory != kNoNode && name == "memory") return memory;
    if (shared && input != kNoNode && name == "input") return input;
    return made.graph.text(name);
  }
  NodeId none() { return made.graph.null(); }
  NodeId object(std::string_view module, const std::string& name, std::vector<std::pair<NodeId, NodeId>> entries,
                std::vector<NodeId> args = {}) {
    return made.object(module, name, std::move(args), made.graph.dict(entries));
  }

  void add_telling(std::vector<NodeId>& objects, int i) {
    const auto count = [&](trust::CapabilityKind kind) { ++expected[static_cast<std::size_t>(kind)]; };
    objects.push_back(object("a.b", "Cached", {{plain, made.integer(i)}, {key("memory"), made.graph.text("/tmp/x")}}));
    count(trust::CapabilityKind::caches_to_disk);
    objects.push_back(object("a.b", "Reader", {{key("input"), made.graph.text("filename")}}));
    count(trust::CapabilityKind::reads_files);
    objects.push_back(object("a.b", "Harmless", {{key("input"), made.graph.text("content")}}));
    objects.push_back(object("a.b", "Calling", {{plain, made.graph.name("os", "system")}}));
    count(trust::CapabilityKind::calls_function);
    objects.push_back(object("functools", "partial", {}, {made.graph.name("os", "system")}));
    count(trust::CapabilityKind::calls_function);
    objects.push_back(object("builtins", "method", {}, {objects.front(), made.graph.text("fit")}));
    count(trust::CapabilityKind::calls_method);
    // The class is the first argument.
    objects.push_back(object("copyreg", "_reconstructor", {{key("memory"), made.graph.text("/tmp/y")}},
                             {made.graph.name("a.b", "Restored")}));
    count(trust::CapabilityKind::caches_to_disk);
  }
};

}  // namespace

TEST_CASE("capabilities: each is found, whatever types and keys were met before it") {
  for (const bool shared : {false, true}) {
    const ManyObjects objects(shared);
    const graph::NodeReader reader(objects.made.graph);
    for (const auto& found : {trust::capabilities_of(reader), trust::capabilities_of_all_nodes(reader)}) {
      std::array<std::size_t, 4> kinds{};
      for (const trust::Capability& one : found) ++kinds[static_cast<std::size_t>(one.kind)];
      CHECK(kinds == objects.expected);
      const auto restored =
          std::count_if(found.begin(), found.end(), [](const auto& one) { return one.name == "a.b.Restored.memory"; });
      CHECK(restored == 6);
    }
  }
}
