#include "suggestion.hpp"

#include <algorithm>
#include <cstddef>

namespace mere::command {

namespace {

// Letters to insert, remove, replace or swap with their neighbour to make `a` into `b` (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = 0;
  word = word.substr(0, 64);
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    const bool prefix = word.size() >= 2 && candidate.starts_with(word);
    if (!prefix && distance > std::max<std::size_t>(1, candidate.size() / 3)) continue;
    const std::size_t weight = prefix ? 0 : distance;
    if (best.empty() || weight < best_distance) {
      best = candidate;
      best_distance = weight;
    }
  }
  return best;
}

}  // namespace mere::command
