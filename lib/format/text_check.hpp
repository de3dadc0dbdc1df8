#pragma once
// Whether bytes are UTF-8, as the heap holds texts. docs/format.md 4.

#include <cstddef>
#include <cstdint>
#include <span>

namespace mere::format {

// utf8: well-formed (Unicode 15, table 3-7). surrogates: the same, but with surrogates, each in three bytes. broken: neither.
enum class TextCheck : std::uint8_t { utf8, surrogates, broken };

TextCheck check_text(std::span<const std::byte> text) noexcept;

}  // namespace mere::format
