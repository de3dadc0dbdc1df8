#include "program/operators/texts.hpp"

#include <algorithm>
#include <cmath>

#include <mere/error.hpp>
#include <mere/size.hpp>

namespace mere::program {

namespace {

constexpr std::uint32_t kNegative = std::uint32_t{1} << 31;

std::optional<std::string_view> text_of(const Matrix& x, std::size_t row, std::size_t column) noexcept {
  return x.texts ? x.texts->find(x.row(row)[column]) : std::nullopt;
}

std::string at(const Matrix& x, std::size_t row, std::size_t column) {
  return "the input at row " + std::to_string(x.first_row + row) + ", column " + std::to_string(column);
}

}  // namespace

void CategorizeTexts::fields(Fields& fields) {
  texts.fields(fields, "");
  fields.field("counts", counts);
  fields.field("missing", missing);
  fields.field("refuse_unknown", refuse_unknown);
  fields.field("unknown", unknown);
}

std::uint64_t CategorizeTexts::check(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  texts.check(*this, "");
  require_shape(*this, "counts", counts.shape(), in_columns);
  require_shape(*this, "missing", missing.shape(), in_columns);
  return in_columns[0];
}

void CategorizeTexts::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  const Matrix& x = in[0];
  std::size_t first = 0;
  for (std::size_t c = 0; c < x.columns; ++c) {
    const auto count = std::min(texts.size() - first, static_cast<std::size_t>(std::max<std::int64_t>(counts[c], 0)));
    for (std::size_t r = 0; r < x.rows; ++r) {
      const std::optional<std::string_view> text = text_of(x, r, c);
      double index = -1;
      if (!text) {
        index = static_cast<double>(missing[c]);
      } else if (const auto found = texts.find(*text, static_cast<std::uint32_t>(c), first, first + count)) {
        index = static_cast<double>(*found - first);
      }
      if (index < 0 && refuse_unknown) {
        throw Error(Reason::bad_argument, at(x, r, c) + (text ? " is '" + std::string(*text) + "'" : " is missing") +
                                              ", which is no category that was seen in training");
      }
      out.row(r)[c] = index < 0 ? unknown : index;
    }
    first += count;
  }
}

void TokenOperator::token_fields(Fields& fields) {
  analysis.fields(fields);
  fields.field("binary", binary);
  fields.field("single", single);
}

void TokenOperator::check_tokens(std::span<const std::uint64_t> in_columns) const {
  require_inputs(*this, in_columns, 1);
  if (in_columns[0] != 1) fail_check(*this, "takes one column of texts, not " + std::to_string(in_columns[0]));
  analysis.check(*this);
}

void TokenOperator::add_rows(const Matrix& in, SparseRows& to) const {
  thread_local Scratch scratch;
  std::vector<std::uint32_t>& tokens = scratch.tokens;
  for (std::size_t r = 0; r < in.rows; ++r) {
    const std::optional<std::string_view> text = text_of(in, r, 0);
    if (!text) throw Error(Reason::bad_argument, at(in, r, 0) + " is missing, where a document is expected");
    tokens.clear();
    const bool is_utf8 =
        analysis.each_token(*text, scratch.document, [&](std::string_view token) { add_token(token, tokens); });
    if (!is_utf8) throw Error(Reason::bad_argument, at(in, r, 0) + " is no UTF-8");
    // By column, and of equal ones in any order: whole numbers add up to the same.
    std::sort(tokens.begin(), tokens.end(),
              [](std::uint32_t a, std::uint32_t b) { return (a & ~kNegative) < (b & ~kNegative); });
    for (std::size_t i = 0; i < tokens.size();) {
      const std::uint32_t column = tokens[i] & ~kNegative;
      double sum = 0;
      for (; i < tokens.size() && (tokens[i] & ~kNegative) == column; ++i) sum += tokens[i] & kNegative ? -1 : 1;
      to.add(column, binary ? 1 : sum);
    }
    to.end_row();
  }
}

void TokenOperator::apply(std::span<const Matrix> in, MutableMatrix& out) const {
  SparseRows rows;
  add_rows(in[0], rows);
  out.single = single;
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::fill_n(out.row(r), out.columns, 0.0);
    for (std::size_t i = rows.starts[r]; i < rows.starts[r + 1]; ++i) out.row(r)[rows.columns[i]] = rows.values[i];
  }
}

void CountTokens::fields(Fields& fields) {
  token_fields(fields);
  vocabulary.fields(fields, "");
}

std::uint64_t CountTokens::check(std::span<const std::uint64_t> in_columns) const {
  check_tokens(in_columns);
  vocabulary.check(*this, "");
  return vocabulary.size();
}

void CountTokens::add_token(std::string_view token, std::vector<std::uint32_t>& to) const {
  if (const auto found = vocabulary.find(token)) to.push_back(static_cast<std::uint32_t>(*found));
}

void HashTokens::fields(Fields& fields) {
  token_fields(fields);
  fields.field("columns", columns);
  fields.field("alternate_sign", alternate_sign);
}

std::uint64_t HashTokens::check(std::span<const std::uint64_t> in_columns) const {
  check_tokens(in_columns);
  return Size::from_signed(columns).get("HashTokens: columns", Reason::schema);
}

// sklearn/feature_extraction/_hashing_fast.pyx: the least hash, which has no absolute value, is told by itself.
void HashTokens::add_token(std::string_view token, std::vector<std::uint32_t>& to) const {
  const std::int64_t hash = murmur3_32(token, 0);
  const std::int64_t index = hash == INT32_MIN ? (2147483647 - (columns - 1)) % columns : std::abs(hash) % columns;
  to.push_back(static_cast<std::uint32_t>(index < 0 ? index + columns : index) |
               (alternate_sign && hash < 0 ? kNegative : 0));
}

}  // namespace mere::program
