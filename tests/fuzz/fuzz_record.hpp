#pragma once
// A record with a member of every kind that takes bytes from a file in a way of its own. No object owns itself in a
// ring, whatever a file says: rings of std::shared_ptr are never freed, which is no fault of the loader.

#include <array>
#include <complex>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include <mere/record.hpp>

namespace fuzz {

enum class Color : std::uint8_t { red = 1, blue = 200 };

struct TreeNode {
  std::int64_t left = -1, right = -1;
  double threshold = 0;
  std::array<float, 3> value{};
  std::int32_t feature = 0;
};
MERE_RECORD(TreeNode, left, right, threshold, value, feature)

struct Leaf {
  std::int8_t id = 0;
  std::optional<std::string> name;
};
MERE_RECORD(Leaf, id, name)

using Choice = std::variant<std::monostate, bool, std::int32_t, double, std::string, Leaf, std::vector<double>,
                            std::list<double>, std::map<std::string, std::int16_t>, std::optional<Color>>;

struct Chain {
  Choice step;
  std::unique_ptr<Chain> next;
};
MERE_RECORD(Chain, step, MERE_DEFAULTED(next))

struct Everything {
  mere::Array<TreeNode> nodes;
  mere::Array<double> table;
  mere::Array<bool> flags;
  std::vector<float> weights;
  std::vector<std::byte> raw;
  std::vector<std::vector<std::uint16_t>> rows;
  std::array<std::string, 2> names;
  std::complex<double> wave;
  long double wide = 0;
  Color color = Color::red;
  std::vector<Choice> choices;
  Chain chain;
  std::map<std::string, Choice> named;
  std::unordered_map<std::int32_t, std::optional<std::optional<int>>> hashed;
  std::multimap<std::int32_t, std::string> many;
  std::set<std::string> words;
  std::tuple<std::uint8_t, float, std::string> tuple;
  std::shared_ptr<Leaf> shared, same;
  std::weak_ptr<Leaf> seen;
  std::shared_ptr<std::vector<std::string>> texts, same_texts;
};
MERE_RECORD(Everything, nodes, table, flags, weights, raw, rows, names, wave, wide, color, choices, chain, named,
            hashed, MERE_DEFAULTED(many), words, tuple, shared, same, seen, MERE_DEFAULTED(texts),
            MERE_DEFAULTED(same_texts))

}  // namespace fuzz
