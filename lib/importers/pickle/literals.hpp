#pragma once
// The texts and numbers that pickle spells out: Latin-1, raw-unicode-escape, Python's string literals, decimal
// integers.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mere::importers::pickle {

// Code points up to 255 as one byte each; nothing if one is larger. `text` is UTF-8.
std::optional<std::vector<std::byte>> encode_latin1(std::string_view text);

// Raw-unicode-escape to UTF-8: \uXXXX and \UXXXXXXXX, all other bytes as Latin-1. Nothing if an escape is malformed.
std::optional<std::string> decode_raw_unicode_escape(std::string_view text);

// The bytes of a Python 2 string literal with its quotes, 'a\x00b'. Nothing if malformed.
std::optional<std::string> decode_string_literal(std::string_view literal);

// A decimal integer with an optional sign as two's complement, little-endian; nothing if it is not one.
// Work grows with the square of the digits: the caller bounds them.
std::optional<std::vector<std::byte>> parse_decimal(std::string_view digits);

}  // namespace mere::importers::pickle
