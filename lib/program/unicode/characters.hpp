#pragma once
// Characters as Python's str has them: what a word is made of, lower case, accents. Tables:
// scripts/make-unicode-tables.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mere::program {

// What \w and \s of Python's re match.
bool is_word(char32_t c) noexcept;
bool is_space(char32_t c) noexcept;

// The code points of UTF-8 text. False: it is none; `out` then has what came before.
bool decode_utf8(std::string_view text, std::u32string& out);
void append_utf8(char32_t c, std::string& out);

// str.lower().
void lower_case(const std::u32string& text, std::u32string& out);

// Without accents: NFKD less combining characters; `ascii_only`: less all others than ASCII too.
void strip_accents(const std::u32string& text, bool ascii_only, std::u32string& out);

// scikit-learn's, in order.
std::vector<std::string_view> english_stop_words();

}  // namespace mere::program
