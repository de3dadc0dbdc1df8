#pragma once
// The filters that files are written and read with: those of arrays, and those that know models.

#include "codec/filter.hpp"

namespace mere::model {

codec::FilterTable filters() noexcept;

}  // namespace mere::model
