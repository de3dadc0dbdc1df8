#pragma once
// "Did you mean": the known word that is nearest to an unknown one.

#include <string>
#include <string_view>
#include <vector>

namespace mere::command {

// Empty if no word of `known` is near: more than a third of its letters would have to change.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace mere::command
