#pragma once
// Code points to UTF-8; surrogates become three bytes each, as with Python's surrogatepass.

#include <cstdint>
#include <string>

namespace mere::container {

// `code_point` is at most 10ffff.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace mere::container
