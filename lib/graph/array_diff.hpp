#pragma once
// How the elements of two arrays differ.

#include <cstdint>
#include <string>
#include <vector>

#include <mere/diff.hpp>

namespace mere::graph {

// Of arrays with equal types and shapes; nothing if all elements are the same. Throws Error: what reading them throws.
std::vector<ElementDifference> diff_elements(const ArrayView& first, const ArrayView& second);

// One number as an element of `type` at `bytes`: integers, floats, and the sizes of complex ones are exact.
// False if the type is no number.
bool read_number(const Dtype& type, const std::byte* bytes, long double& real, long double& imaginary);

}  // namespace mere::graph
