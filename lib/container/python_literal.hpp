#pragma once
// The few Python literals that .npy headers are made of: texts, numbers, booleans, None, tuples, lists, dicts. Nothing
// is evaluated; depth and size are bounded by the caller's text.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mere::container {

struct PythonLiteral {
  enum class Kind : std::uint8_t { none, boolean, integer, text, tuple, list, dict };
  Kind kind = Kind::none;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;                    // UTF-8
  std::vector<PythonLiteral> members;  // dict: key, value, key, value ...
};

// Reads one literal that takes all of `text` but white space around it. `latin1`: the bytes are Latin-1, else UTF-8.
// Throws Error: bad_record, naming the byte; too_deep (more than 32 brackets).
PythonLiteral parse_python_literal(std::string_view text, bool latin1);

// A text as Python's repr spells it.
std::string python_repr(std::string_view utf8);

}  // namespace mere::container
