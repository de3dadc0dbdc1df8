#include "trust/graph_facts.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <mere/error.hpp>

namespace mere::trust {

namespace {

struct VersionKey {
  std::string_view key, library;
};
// Keys that libraries put into the states of their objects.
constexpr VersionKey kVersionKeys[] = {{"_sklearn_version", "scikit-learn"}};

// Numbers by value, so that 1.10 comes after 1.9.
bool version_before(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      std::uint64_t x = 0, y = 0;
      const auto [end_x, error_x] = std::from_chars(a.data() + i, a.data() + a.size(), x);
      const auto [end_y, error_y] = std::from_chars(b.data() + j, b.data() + b.size(), y);
      if (error_x != std::errc() || error_y != std::errc()) break;
      if (x != y) return x < y;
      i = static_cast<std::size_t>(end_x - a.data());
      j = static_cast<std::size_t>(end_y - b.data());
    } else {
      if (a[i] != b[j]) break;
      ++i, ++j;
    }
  }
  return a < b;
}

// As long as a version is: what is longer is none.
constexpr std::size_t kVersionBytes = 64;
constexpr std::size_t kVersionsNamed = 32;

std::string text_of(const graph::NodeReader& reader, NodeId info, std::string_view key) {
  const NodeId value = reader.find(info, key);
  return value != kNoNode && reader.kind(value) == Kind::text ? std::string(reader.text(value)) : std::string();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> versions_of(const graph::NodeReader& reader) {
  std::map<std::string_view, std::vector<std::string>> found;
  const std::uint64_t count = reader.node_count();
  for (NodeId id = 0; id < count; ++id) {
    if (reader.kind(id) != Kind::object) continue;
    const NodeId state = reader.parts(id).state;
    if (state == kNoNode || reader.kind(state) != Kind::dict) continue;
    for (const VersionKey& row : kVersionKeys) {
      const std::string version = text_of(reader, state, row.key);
      std::vector<std::string>& versions = found[row.library];
      if (version.empty() || version.size() > kVersionBytes || versions.size() >= kVersionsNamed) continue;
      if (std::find(versions.begin(), versions.end(), version) == versions.end()) versions.push_back(version);
    }
  }
  std::vector<std::pair<std::string, std::string>> all;
  for (auto& [library, versions] : found) {
    std::sort(versions.begin(), versions.end(), version_before);
    std::string text;
    for (const std::string& version : versions) text += (text.empty() ? "" : ", ") + version;
    if (!text.empty()) all.emplace_back(library, std::move(text));
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> versions_of(const Graph& graph) {
  return versions_of(graph::GraphReader(graph));
}

std::vector<NodeId> reached_nodes(const graph::NodeReader& reader) {
  const std::uint64_t count = reader.node_count();
  std::vector<bool> met(static_cast<std::size_t>(count));
  std::vector<NodeId> nodes;
  const auto meet = [&](NodeId id) {
    if (id >= count) throw Error(Reason::bad_node, "a child with id " + std::to_string(id));
    if (met[id]) return;
    met[id] = true;
    nodes.push_back(id);
  };
  for (const graph::NodeReader::Root& root : reader.roots()) meet(root.node);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::uint64_t children = reader.child_count(nodes[i]);
    for (std::uint64_t k = 0; k < children; ++k) meet(reader.child(nodes[i], k));
  }
  return nodes;
}

std::vector<NameInGraph> reached_names(const graph::NodeReader& reader) {
  std::vector<NameInGraph> names;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  std::map<NodeId, std::size_t> known;
  const auto meet = [&](NodeId id) {
    if (reader.kind(id) != Kind::name) return;
    auto place = known.find(id);
    if (place == known.end()) {
      const auto [module, qualname] = reader.name(id);
      const auto made = places.try_emplace({std::string(module), std::string(qualname)}, names.size());
      if (made.second) names.push_back({std::string(module), std::string(qualname), 0, id});
      place = known.emplace(id, made.first->second).first;
    }
    ++names[place->second].uses;
  };
  for (const graph::NodeReader::Root& root : reader.roots()) meet(root.node);
  for (const NodeId id : reached_nodes(reader)) {
    const std::uint64_t children = reader.child_count(id);
    for (std::uint64_t k = 0; k < children; ++k) meet(reader.child(id, k));
  }
  return names;
}

std::vector<OpaquePart> opaque_parts(const graph::NodeReader& reader) {
  std::vector<OpaquePart> parts;
  for (const NodeId id : reached_nodes(reader)) {
    if (reader.kind(id) != Kind::opaque) continue;
    OpaquePart part;
    part.node = id;
    const NodeId info = reader.child(id, 0);
    part.bytes = reader.text(reader.child(id, 1)).size();
    part.format = text_of(reader, info, "format");
    part.module = text_of(reader, info, "module");
    part.name = text_of(reader, info, "qualname");
    if (part.name.empty()) part.name = text_of(reader, info, "name");
    part.file = text_of(reader, info, "file");
    const NodeId line = reader.find(info, "line");
    if (line != kNoNode) part.line = reader.find_integer(line).value_or(-1);
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace mere::trust
