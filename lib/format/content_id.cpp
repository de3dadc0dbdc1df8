#include "format/content_id.hpp"

#include <cstring>

namespace mere::format {

codec::Xxh3_128::Sum id_over(std::string_view text, std::uint32_t root, const std::array<IdRecords, 9>& sections) {
  struct Start {
    char text[16] = {};
    std::uint32_t root = 0, zero = 0;
  } start;
  static_assert(kModelIdText.size() <= sizeof start.text && kProgramIdText.size() <= sizeof start.text);
  std::memcpy(start.text, text.data(), text.size());
  start.root = root;
  codec::Xxh3_128 sum;
  sum.update(std::as_bytes(std::span(&start, 1)));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::uint64_t prefix[2] = {static_cast<std::uint64_t>(kIdSections[i]), sections[i].count};
    sum.update(std::as_bytes(std::span(prefix)));
    sum.update(sections[i].bytes);
  }
  return sum.finish();
}

}  // namespace mere::format
