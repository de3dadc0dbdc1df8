#include "treefilter/payload.hpp"

namespace mere::treefilter {

using Content = codec::Column::Content;

// Reals where they are kept whole, integers where they are differences from what was derived.
InnerRow::InnerRow(const Header& header)
    : feature(add(8, Content::integer)),
      threshold(add(8, Content::real)),
      left(add_if(header.has(kStoredChildren), 8, Content::integer)),
      gap(add_if(header.has(kStoredChildren), 8, Content::integer)),
      samples(add_if(header.has(kInnerSamples), 8, Content::integer)),
      weight(add_if(header.has(kInnerWeight), 8, Content::integer)),
      impurity(add_if(header.has(kInnerImpurity), 8,
                      header.impurity_rule == ImpurityRule::none ? Content::real : Content::integer)),
      missing(add_if(header.has(kInnerMissing), 1, Content::integer)) {}

LeafRow::LeafRow(const Header& header, bool has_missing)
    : classes(kAbsent),
      samples(add(8, Content::integer)),
      weight(add_if(header.has(kLeafWeight), 8, Content::real)),
      impurity(add_if(header.has(kLeafImpurity), 8, Content::real)),
      feature(add_if(header.has(kLeafSplit), 8, Content::integer)),
      threshold(add_if(header.has(kLeafSplit), 8, Content::integer)),
      missing(add_if(header.has(kLeafSplit) && has_missing, 1, Content::integer)) {
  if (header.leaf_form != LeafForm::classes) return;
  classes = add(2, Content::integer);
  for (std::size_t k = 1; k < header.outputs; ++k) add(2, Content::integer);
}

}  // namespace mere::treefilter
