#include "model/filters.hpp"

#include "treefilter/tree_filter.hpp"

namespace mere::model {

codec::FilterTable filters() noexcept {
  return {codec::array_filters().filters, treefilter::tree_filters().group_filters};
}

}  // namespace mere::model
