#pragma once
// How a document becomes tokens: scikit-learn's default analyzers (sklearn/feature_extraction/text.py).
// docs/operators.md, CountTokens.

#include <functional>
#include <string>
#include <string_view>

#include "program/text_table.hpp"

namespace mere::program {

class TextAnalysis {
 public:
  std::string analyzer = "word";         // or "char", "char_wb"
  std::int64_t lowest = 1, highest = 1;  // n of n-grams
  bool lowercase = true;
  std::string accents;        // "": kept; "unicode", "ascii"
  std::int64_t shortest = 2;  // characters of a word
  TextTable stop_words;       // words that are left out

  void fields(Fields& fields);
  // Throws Error: schema.
  void check(const Operator& op) const;

  // The text of one document, ready to be cut. Scratch memory of one thread.
  struct Document {
    std::u32string characters, other;
    std::string bytes;                    // UTF-8
    std::vector<std::size_t> starts;      // of each character in bytes, and the end
    std::vector<std::string_view> words;  // in bytes
    std::string joined;
  };
  // Calls `take` for each token, in UTF-8; a view lives until the next call. False: `text` is not UTF-8.
  bool each_token(std::string_view text, Document& scratch, const std::function<void(std::string_view)>& take) const;

 private:
  void words(Document& document, const std::function<void(std::string_view)>& take) const;
  void characters(Document& document, const std::function<void(std::string_view)>& take) const;
  void characters_of_words(Document& document, const std::function<void(std::string_view)>& take) const;
};

}  // namespace mere::program
