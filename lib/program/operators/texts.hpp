#pragma once
// Operators that take columns of texts. docs/operators.md, CategorizeTexts, CountTokens, HashTokens.

#include "program/operator.hpp"
#include "program/text_analysis.hpp"
#include "program/text_table.hpp"

namespace mere::program {

// The index of the category that equals the text, as Categorize for numbers.
class CategorizeTexts final : public Operator {
 public:
  TextTable texts;              // of all columns, one column's after another's; put in with the column as seed
  Array<std::int64_t> counts;   // (columns) how many each has
  Array<std::int64_t> missing;  // (columns) the index of a missing text, or -1
  bool refuse_unknown = false;
  double unknown = -1;

  std::string_view name() const override { return "CategorizeTexts"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const override;
};

// Documents, one column of texts, as rows that are mostly 0.
class TokenOperator : public Operator {
 public:
  TextAnalysis analysis;
  bool binary = false;  // 1 for every column that a token falls to
  bool single = false;  // the result is float32

  // Scratch memory of one thread.
  struct Scratch {
    TextAnalysis::Document document;
    std::vector<std::uint32_t> tokens;
  };
  // Adds the entries of each row, columns ascending. Throws Error: bad_argument (a text is missing, or not UTF-8).
  void add_rows(const Matrix& in, SparseRows& to) const;
  void apply(std::span<const Matrix> in, MutableMatrix& out) const final;

 protected:
  void token_fields(Fields& fields);
  void check_tokens(std::span<const std::uint64_t> in_columns) const;
  // Adds what token a number is for. Bit 31: it counts as -1.
  virtual void add_token(std::string_view token, std::vector<std::uint32_t>& to) const = 0;
};

// How often each term of a vocabulary comes.
class CountTokens final : public TokenOperator {
 public:
  TextTable vocabulary;  // by column

  std::string_view name() const override { return "CountTokens"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;

 protected:
  void add_token(std::string_view token, std::vector<std::uint32_t>& to) const override;
};

// How often tokens come that hash to a column.
class HashTokens final : public TokenOperator {
 public:
  std::int64_t columns = 0;
  bool alternate_sign = false;  // a token whose hash is negative counts as -1

  std::string_view name() const override { return "HashTokens"; }
  void fields(Fields& fields) override;
  std::uint64_t check(std::span<const std::uint64_t> in_columns) const override;

 protected:
  void add_token(std::string_view token, std::vector<std::uint32_t>& to) const override;
};

}  // namespace mere::program
