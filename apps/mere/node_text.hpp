#pragma once
// A node in a few words, for people.

#include <cstddef>
#include <string>

#include <mere/node.hpp>

namespace mere::command {

// "int", "list of 3", "object sklearn.svm._classes.SVC", "array float64 (3, 4)". Not escaped.
std::string type_text(const Node& node);

// The value: JSON for a leaf, the first elements of an array, the members of a short list of leaves; about `width`
// characters at most, safe to print. Empty for containers. Reads no compressed array.
std::string value_summary(const Node& node, std::size_t width);

// True if value_summary() shows the members of `node` on its line, as far as that is wide, and they get none of their
// own.
bool is_inline(const Node& node);

}  // namespace mere::command
