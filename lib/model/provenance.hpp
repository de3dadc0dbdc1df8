#pragma once
// What a conversion writes into the metadata about its source (docs/importers.md, Provenance).

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <mere/convert.hpp>
#include <mere/graph.hpp>

#include "format/columns.hpp"
#include "importers/registry.hpp"
#include "model/source_digest.hpp"

namespace mere::model {

// A text of the metadata that is known only after the arrays are written: until then something of its length stands for
// it.
class LateText {
 public:
  // Of `length` bytes, such that no text of `graph` is the same.
  LateText(const Graph& graph, std::size_t length);
  const std::string& stand_in() const { return stand_in_; }
  // Puts `text`, of the same length, into the columns of a graph whose metadata hold the stand-in.
  void settle(format::Columns& columns, const std::string& text) const;

 private:
  std::string stand_in_;
};

struct SourceFacts {
  std::uint64_t bytes = 0;
  std::string sha256;  // or what stands for it; empty: none is written
};

// Adds "source", "versions" and what the options give. Throws Error: wrong_kind (the metadata root is no dict).
void add_source_metadata(Graph& graph, const importers::Imported& imported, const SourceFacts& facts);
// Adds "training_data", "source_code", "cv_score", as far as they are given.
void add_given_metadata(Graph& graph, const ConvertOptions& options);
bool has_given_metadata(const ConvertOptions& options);

}  // namespace mere::model
