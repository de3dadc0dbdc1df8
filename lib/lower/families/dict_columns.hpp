#pragma once
// Estimators whose input is no matrix: one column of texts, or rows of names and values.

#include <string>
#include <vector>

#include "lower/estimator.hpp"

namespace mere::lower {

// Vectorizers of documents, and encoders of labels.
bool takes_one_column(const Estimator& estimator);

// DictVectorizer: rows of names and values. A name becomes a column of the input.
bool takes_dicts(const Estimator& estimator);
struct DictColumn {
  std::string name;
  std::vector<std::string> values;       // texts that were seen; none: numbers
  std::vector<std::uint32_t> positions;  // of each in the result; of numbers one
};
// Throws Error: schema, not_lowerable (a name that had texts and numbers).
std::vector<DictColumn> dict_columns(const Estimator& estimator);

}  // namespace mere::lower
