#pragma once
// The ids of what a file holds, whatever its codecs and alignment. docs/format.md 9.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "codec/checksum.hpp"
#include "format/records.hpp"

namespace mere::format {

// The sections that ids are over, in their order: all but the blocks.
inline constexpr std::array<Section, 9> kIdSections = {Section::nodes,   Section::links,   Section::heap,
                                                       Section::extents, Section::types,   Section::fields,
                                                       Section::arrays,  Section::buffers, Section::sums};

// One section's records of the model, or of the program.
struct IdRecords {
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

inline constexpr std::string_view kModelIdText = "mere content 1", kProgramIdText = "mere program 1";

// `text` is one of the two above; `sections` are in the order of kIdSections. Nothing is copied.
codec::Xxh3_128::Sum id_over(std::string_view text, std::uint32_t root, const std::array<IdRecords, 9>& sections);

}  // namespace mere::format
