#include "codec/filter.hpp"

#include "codec/columns_filter.hpp"

namespace mere::codec {

const Filter* FilterTable::find(std::uint8_t id) const noexcept {
  for (const Filter* filter : filters) {
    if (filter->id() == id) return filter;
  }
  return nullptr;
}

const GroupFilter* FilterTable::find_group(std::uint8_t id) const noexcept {
  for (const GroupFilter* filter : group_filters) {
    if (filter->id() == id) return filter;
  }
  return nullptr;
}

FilterTable array_filters() noexcept {
  static const ColumnsFilter columns;
  static const Filter* const filters[] = {&columns};
  return {filters, {}};
}

}  // namespace mere::codec
