#pragma once
// Paths of nodes: docs/format.md 8.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <mere/node.hpp>
#include "format/image.hpp"

namespace mere::graph {

// One step of a path, as it stands in a text.
struct PathStep {
  enum class How : std::uint8_t {
    name,   // .name ["name"]
    index,  // [3]
    entry,  // {3}
    key,    // {3}@key
    part,   // @state
  };
  How how = How::name;
  std::string_view name;  // name: decoded; valid until the next step is taken
  std::uint64_t index = 0;
  std::uint8_t part = 0;  // a bit of format::kPartType ...; 0 with kInfo or kBytes below
};
inline constexpr std::uint8_t kPartInfo = 0x80, kPartBytes = 0x81;  // of an opaque node

// Reads a path step by step, without memory of its own but for strings with escapes.
class PathReader {
 public:
  explicit PathReader(std::string_view path) : path_(path) {}
  // "program" or "metadata" if the path begins with such a root, else empty. To be called first.
  std::string_view take_root();
  // False at the end. Throws Error(bad_argument) with the place in the path.
  bool take_step(PathStep& step);
  std::string_view taken() const { return path_.substr(0, at_); }

 private:
  [[noreturn]] void fail(std::string_view expected) const;
  std::uint64_t take_number(char closing);
  void take_string(PathStep& step);
  std::string_view take_word();

  std::string_view path_;
  std::size_t at_ = 0;
  bool first_ = true;
  std::string decoded_;
};

// The node that `path` leads to. Absent: Error(no_path) if `must`, else nothing. Throws Error: bad_argument (no path).
std::optional<Node> walk_path(const Node& start, std::string_view path, bool must);

// The shortest path from the root of the part that the node belongs to. Throws Error: no_path (nothing leads to it).
std::string search_path(const Node& node);

// A way through the graph: from `node` to its child number `child`, in the order of children_of().
struct ChainLink {
  std::uint32_t node;
  std::uint64_t child;
};
// Appends the steps of a way whose links follow each other, as short as they can be said.
void append_chain(const format::Image& image, std::span<const ChainLink> chain, std::string& path);

// Appends ".name" or ["text"]. Of texts for which has_name() is false nothing would find the way back.
bool has_name(std::string_view text);
void append_name(std::string_view name, std::string& path);

}  // namespace mere::graph
