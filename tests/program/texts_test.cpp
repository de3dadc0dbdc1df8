// Texts: tables of them, tokens, Unicode; and arrays of a file that lie.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <mere/error.hpp>

#include "program/operators/features.hpp"
#include "program/operators/texts.hpp"
#include "program/unicode/characters.hpp"

namespace {

using namespace mere;
using namespace mere::program;

// Texts of a block: number i stands for text i.
class SomeTexts final : public Texts {
 public:
  explicit SomeTexts(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  std::optional<std::string_view> find(double number) const noexcept override {
    if (!(number >= 0 && number < static_cast<double>(texts_.size()))) return std::nullopt;
    return texts_[static_cast<std::size_t>(number)];
  }
  std::size_t size() const { return texts_.size(); }

 private:
  std::vector<std::string> texts_;
};

// One column of all texts, and a missing one at the end if wanted.
std::vector<double> apply(const Operator& op, const SomeTexts& texts, std::size_t out_columns, bool with_gap = false) {
  std::vector<double> cells;
  for (std::size_t i = 0; i < texts.size(); ++i) cells.push_back(static_cast<double>(i));
  if (with_gap) cells.push_back(std::numeric_limits<double>::quiet_NaN());
  Matrix x{cells.data(), cells.size(), 1, 1};
  x.texts = &texts;
  std::vector<double> out(cells.size() * out_columns);
  MutableMatrix made{out.data(), cells.size(), out_columns, out_columns};
  op.apply({&x, 1}, made);
  return out;
}

void set_colours(CategorizeTexts& op) {
  const std::vector<std::string> texts{"blue", "", "red"};
  const std::vector<std::uint32_t> seeds(3, 0);
  op.texts = TextTable::of(texts, seeds);
  op.counts = Array<std::int64_t>(std::vector<std::int64_t>{3});
  op.missing = Array<std::int64_t>(std::vector<std::int64_t>{-1});
}

std::vector<std::string> tokens(const TextAnalysis& analysis, std::string_view text) {
  TextAnalysis::Document scratch;
  std::vector<std::string> out;
  REQUIRE(analysis.each_token(text, scratch, [&](std::string_view token) { out.emplace_back(token); }));
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("murmur3_32: the values that its author published") {
  CHECK(static_cast<std::uint32_t>(murmur3_32("", 0)) == 0);
  CHECK(static_cast<std::uint32_t>(murmur3_32("", 1)) == 0x514e28b7);
  CHECK(static_cast<std::uint32_t>(murmur3_32("test", 0)) == 0xba6bd213);
  CHECK(static_cast<std::uint32_t>(murmur3_32("Hello, world!", 0x9747b28c)) == 0x24884cba);
  CHECK(static_cast<std::uint32_t>(murmur3_32("The quick brown fox jumps over the lazy dog", 0x9747b28c)) ==
        0x2fa826cd);
}

TEST_CASE("CategorizeTexts: the index of a text, an empty one among them; what is unknown or missing") {
  CategorizeTexts op;
  set_colours(op);
  const std::uint64_t one[] = {1};
  CHECK(op.check(one) == 1);
  const SomeTexts texts({"red", "", "blue", "green"});
  CHECK(apply(op, texts, 1, true) == std::vector<double>{2, 1, 0, -1, -1});
  op.unknown = 7;
  op.missing = Array<std::int64_t>(std::vector<std::int64_t>{1});
  CHECK(apply(op, texts, 1, true) == std::vector<double>{2, 1, 0, 7, 1});
  op.refuse_unknown = true;
  CHECK_THROWS_WITH_AS(apply(op, texts, 1), doctest::Contains("'green'"), Error);
}

TEST_CASE("a table of texts whose arrays lie: nothing beyond them is read, and the search ends") {
  for (int fault = 0; fault < 6; ++fault) {
    CategorizeTexts op;
    set_colours(op);
    std::vector<std::int64_t> ends(op.texts.ends.begin(), op.texts.ends.end());
    std::vector<std::uint32_t> slots(op.texts.slots.begin(), op.texts.slots.end());
    if (fault == 0) ends = {INT64_MAX, INT64_MIN, 7};
    if (fault == 1) ends = {-5, 3, INT64_MAX};
    if (fault == 2) slots.assign(slots.size(), UINT32_MAX);
    if (fault == 3) slots.assign(slots.size(), 1);
    if (fault == 4) op.counts = Array<std::int64_t>(std::vector<std::int64_t>{INT64_MAX});
    if (fault == 5) op.counts = Array<std::int64_t>(std::vector<std::int64_t>{INT64_MIN});
    op.texts.ends = Array<std::int64_t>(std::move(ends));
    op.texts.slots = Array<std::uint32_t>(std::move(slots));
    const SomeTexts texts({"red", "", "blue", "green"});
    for (const double index : apply(op, texts, 1)) CHECK((index >= -1 && index < 3));
  }
}

TEST_CASE("a table of texts: too few slots, or not a power of two of them, are an error of the schema") {
  CategorizeTexts op;
  set_colours(op);
  const std::uint64_t one[] = {1};
  for (const std::size_t count : {0, 3, 4, 7}) {
    op.texts.slots = Array<std::uint32_t>(std::vector<std::uint32_t>(count, 0));
    CHECK_THROWS_AS(op.check(one), Error);
  }
  CountTokens tokens;
  const std::vector<std::string> terms{"a"};
  tokens.vocabulary = TextTable::of(terms);
  CHECK(tokens.check(one) == 1);
  tokens.analysis.highest = 5000;
  CHECK_THROWS_AS(tokens.check(one), Error);
  tokens.analysis.highest = 1;
  tokens.analysis.lowest = 0;
  CHECK_THROWS_AS(tokens.check(one), Error);
  HashTokens hashed;
  hashed.columns = -1;
  CHECK_THROWS_AS(hashed.check(one), Error);
}

TEST_CASE("tokens: words of two characters and more, n-grams of them, less stop words") {
  TextAnalysis analysis;
  CHECK(tokens(analysis, "A red, red-ish fox_1 is x!") == Words{"red", "red", "ish", "fox_1", "is"});
  const std::vector<std::string> stop{"is", "red"};
  analysis.stop_words = TextTable::of(stop);
  analysis.highest = 2;
  CHECK(tokens(analysis, "a RED fox is here") == Words{"fox", "here", "fox here"});
  analysis.shortest = 1;
  analysis.lowercase = false;
  CHECK(tokens(analysis, "A b") == Words{"A", "b", "A b"});
  CHECK(tokens(analysis, "") == Words{});
}

TEST_CASE("tokens: characters, and those of words; a word shorter than n comes once") {
  TextAnalysis analysis;
  analysis.analyzer = "char";
  analysis.lowest = analysis.highest = 3;
  CHECK(tokens(analysis, "ab \t\n c") == Words{"ab ", "b c"});
  analysis.analyzer = "char_wb";
  analysis.lowest = 2;
  analysis.highest = 4;
  CHECK(tokens(analysis, " ab  c") == Words{" a", "ab", "b ", " ab", "ab ", " ab ", " c", "c ", " c "});
}

TEST_CASE("tokens: lower case and accents as Python has them; what is no UTF-8 is said") {
  TextAnalysis analysis;
  CHECK(tokens(analysis, "ΟΔΟΣ ΣΑΣ ÄÖ") == Words{"οδος", "σας", "äö"});
  analysis.accents = "unicode";
  CHECK(tokens(analysis, "ÄÖ Ｆｕｌｌ ﬁne e\u0301e") == Words{"ao", "full", "fine", "ee"});
  analysis.accents = "ascii";
  CHECK(tokens(analysis, "naïve 東京x") == Words{"naive"});
  TextAnalysis::Document scratch;
  for (const char* text : {"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xe0\x80\x80"}) {
    CHECK(!analysis.each_token(text, scratch, [](std::string_view) {}));
  }
}

TEST_CASE("Convolve: circular, over all factors") {
  Convolve op;
  op.factors = 2;
  const std::uint64_t six[] = {6}, five[] = {5};
  CHECK(op.check(six) == 3);
  CHECK_THROWS_AS(op.check(five), Error);
  const std::vector<double> row{1, 2, 3, 10, 0, 1};
  const Matrix x{row.data(), 1, 6, 6};
  std::vector<double> out(3);
  MutableMatrix made{out.data(), 1, 3, 3};
  op.apply({&x, 1}, made);
  CHECK(out == std::vector<double>{12, 23, 31});
}
