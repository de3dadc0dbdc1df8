#include "format/records.hpp"

namespace mere::format {

std::string_view to_text(Section section) noexcept {
  switch (section) {
    case Section::nodes: return "nodes";
    case Section::links: return "links";
    case Section::heap: return "heap";
    case Section::extents: return "extents";
    case Section::types: return "types";
    case Section::fields: return "fields";
    case Section::arrays: return "arrays";
    case Section::buffers: return "buffers";
    case Section::blocks: return "blocks";
    case Section::sums: return "sums";
  }
  return "unknown";
}

}  // namespace mere::format
