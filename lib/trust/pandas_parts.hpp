#pragma once
// What the validators of pandas' frames, indices and columns ask each other.

#include "trust/object_state.hpp"

namespace mere::trust {

bool is_of_pandas(std::string_view module);
// True for arrays and for objects that hold the values of a column.
bool is_column(const ObjectState& state, NodeId id);
// Errors if the object is made from arguments: those may skip what its class checks, and come before its state.
void require_made_bare(const ObjectState& state);
// Whole numbers of an array, of NumPy's own or of a class that derives from it.
Integers column_integers(const ObjectState& state, NodeId id, std::string_view what);
// The shape of what a column keeps its values in: an array, or an object of one of pandas' classes. `depth` bounds how
// many of them lie in each other. Nothing for an object of a class on no list: it is here because somebody trusts it.
std::optional<Dims> column_shape(const ObjectState& state, NodeId id, std::string_view what, int depth = 0);
// The number of labels of an index; nothing as above.
std::optional<std::int64_t> index_length(const ObjectState& state, NodeId id, std::string_view what, int depth = 0);

}  // namespace mere::trust
