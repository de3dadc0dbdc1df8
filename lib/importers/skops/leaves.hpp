#pragma once
// Values that skops keeps as JSON texts: leaves of the graph, keys of dicts.

#include <string_view>

#include <mere/graph.hpp>

#include "importers/skops/schema.hpp"

namespace mere::importers::skops {

// What json.loads would make of `text`: also the words NaN, Infinity and -Infinity, and integers of any size.
// Throws Error: what Json::parse throws; too_large (more than 20,000 digits).
NodeId leaf_of_text(Graph& graph, std::string_view text);

// The value at `root` and all inside it. Throws Error: too_large.
NodeId graph_of_json(Graph& graph, const container::Json& json, container::JsonId root);

// A key of a dict, which was `text` in JSON. Throws Error: bad_record (not a key of this type), not_supported.
NodeId key_of_text(Graph& graph, const Schema::Key& type, std::string_view text);

// The element type of a scalar of numpy.`name`; nothing if it says no size ("str_").
std::optional<Dtype> find_scalar_type(std::string_view name);

}  // namespace mere::importers::skops
