#include "program/text_analysis.hpp"

#include <algorithm>

#include "program/unicode/characters.hpp"

namespace mere::program {

namespace {

// Nobody asks for longer n-grams; bounds the work on a hostile program.
constexpr std::int64_t kMaxLength = 1024;

void encode(const std::u32string& characters, TextAnalysis::Document& document) {
  document.bytes.clear();
  document.starts.clear();
  for (const char32_t c : characters) {
    document.starts.push_back(document.bytes.size());
    append_utf8(c, document.bytes);
  }
  document.starts.push_back(document.bytes.size());
}

// Two and more white spaces become one blank.
void shorten_spaces(const std::u32string& from, std::u32string& to) {
  to.clear();
  for (std::size_t i = 0; i < from.size();) {
    std::size_t end = i;
    while (end < from.size() && is_space(from[end])) ++end;
    if (end - i > 1) {
      to.push_back(' ');
      i = end;
    } else {
      to.push_back(from[i++]);
    }
  }
}

}  // namespace

void TextAnalysis::fields(Fields& fields) {
  fields.field("analyzer", analyzer);
  fields.field("lowest", lowest);
  fields.field("highest", highest);
  fields.field("lowercase", lowercase);
  fields.field("accents", accents);
  fields.field("shortest", shortest);
  stop_words.fields(fields, "stop_");
}

void TextAnalysis::check(const Operator& op) const {
  if (analyzer != "word" && analyzer != "char" && analyzer != "char_wb") fail_check(op, "analyzer is " + analyzer);
  if (!accents.empty() && accents != "unicode" && accents != "ascii") fail_check(op, "accents are " + accents);
  if (lowest < 1 || highest < lowest || highest > kMaxLength) {
    fail_check(op, "n-grams of " + std::to_string(lowest) + " to " + std::to_string(highest));
  }
  if (shortest < 1) fail_check(op, "words of " + std::to_string(shortest) + " characters");
  stop_words.check(op, "stop_");
}

bool TextAnalysis::each_token(std::string_view text, Document& scratch,
                              const std::function<void(std::string_view)>& take) const {
  if (!decode_utf8(text, scratch.characters)) return false;
  if (lowercase) {
    lower_case(scratch.characters, scratch.other);
    scratch.characters.swap(scratch.other);
  }
  if (!accents.empty()) {
    strip_accents(scratch.characters, accents == "ascii", scratch.other);
    scratch.characters.swap(scratch.other);
  }
  if (analyzer != "word") {
    shorten_spaces(scratch.characters, scratch.other);
    scratch.characters.swap(scratch.other);
  }
  encode(scratch.characters, scratch);
  if (analyzer == "word") {
    words(scratch, take);
  } else if (analyzer == "char") {
    characters(scratch, take);
  } else {
    characters_of_words(scratch, take);
  }
  return true;
}

void TextAnalysis::words(Document& document, const std::function<void(std::string_view)>& take) const {
  const std::u32string& text = document.characters;
  std::vector<std::string_view>& words = document.words;
  words.clear();
  for (std::size_t i = 0; i < text.size();) {
    if (!is_word(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end - i >= static_cast<std::size_t>(shortest)) {
      const std::string_view word(document.bytes.data() + document.starts[i],
                                  document.starts[end] - document.starts[i]);
      if (!stop_words.find(word)) words.push_back(word);
    }
    i = end;
  }
  for (auto n = static_cast<std::size_t>(lowest); n <= std::min(static_cast<std::size_t>(highest), words.size()); ++n) {
    for (std::size_t i = 0; i + n <= words.size(); ++i) {
      if (n == 1) {
        take(words[i]);
        continue;
      }
      document.joined.assign(words[i]);
      for (std::size_t k = 1; k < n; ++k) document.joined.append(" ").append(words[i + k]);
      take(document.joined);
    }
  }
}

void TextAnalysis::characters(Document& document, const std::function<void(std::string_view)>& take) const {
  const std::size_t count = document.characters.size();
  for (auto n = static_cast<std::size_t>(lowest); n <= std::min(static_cast<std::size_t>(highest), count); ++n) {
    for (std::size_t i = 0; i + n <= count; ++i) {
      take({document.bytes.data() + document.starts[i], document.starts[i + n] - document.starts[i]});
    }
  }
}

// Of each word between white spaces with a blank before and after it; of a word shorter than n the whole, once.
void TextAnalysis::characters_of_words(Document& document, const std::function<void(std::string_view)>& take) const {
  const std::u32string& text = document.characters;
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size();) {
    if (is_space(text[i])) {
      ++i;
      continue;
    }
    std::string& word = document.joined;
    word.assign(" ");
    starts.assign({0, 1});
    for (; i < text.size() && !is_space(text[i]); ++i) {
      append_utf8(text[i], word);
      starts.push_back(word.size());
    }
    word += ' ';
    starts.push_back(word.size());
    const std::size_t count = starts.size() - 1;
    for (auto n = static_cast<std::size_t>(lowest); n <= static_cast<std::size_t>(highest); ++n) {
      if (n >= count) {
        take(word);
        break;
      }
      for (std::size_t k = 0; k + n <= count; ++k) {
        take(std::string_view(word).substr(starts[k], starts[k + n] - starts[k]));
      }
    }
  }
}

}  // namespace mere::program
