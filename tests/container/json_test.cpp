// JSON as readers of foreign headers need it: strict, bounded, exact.

#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <string>

#include <mere/error.hpp>
#include "container/json.hpp"

using namespace mere;
using container::Json;
using container::JsonId;
using container::JsonKind;

namespace {

std::optional<Reason> refusal(const std::string& text, const container::JsonLimits& limits = {}) {
  try {
    Json::parse(text, limits);
    return std::nullopt;
  } catch (const Error& error) {
    return error.reason();
  }
}

}  // namespace

TEST_CASE("json: values keep their kind, order and place") {
  const std::string text = R"( {"a": [1, -2.5, true, null, "x\u00e9\ud83d\ude00"], "b": {}, "": "end"} )";
  const Json json = Json::parse(text);
  CHECK(json.kind(Json::kRoot) == JsonKind::object);
  CHECK(json.member_count(Json::kRoot) == 3);
  const JsonId list = json.get(Json::kRoot, "a");
  CHECK(json.member_count(list) == 5);
  JsonId member = json.first_of(list);
  CHECK(json.integer(member) == 1);
  member = json.end_of(member);
  CHECK(json.real(member) == -2.5);
  member = json.end_of(member);
  CHECK(json.boolean(member));
  member = json.end_of(member);
  CHECK(json.kind(member) == JsonKind::null);
  member = json.end_of(member);
  CHECK(json.text(member) == "x\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(json.end_of(member) == json.end_of(list));
  CHECK(json.path(member) == "a[4]");
  CHECK(json.path(Json::kRoot) == "the outermost value");
  CHECK(json.key(json.get(Json::kRoot, "b")) == "b");
  CHECK(json.text(json.get(Json::kRoot, "")) == "end");
  CHECK_FALSE(json.find(Json::kRoot, "c").has_value());
  CHECK(text[json.offset(Json::kRoot)] == '{');
  CHECK(text[json.offset(list)] == '[');
  CHECK(json.offset(json.get(Json::kRoot, "b")) == text.find("{}"));
  CHECK_THROWS_AS(json.integer(list), Error);
  CHECK_THROWS_AS(json.get(Json::kRoot, "c"), Error);
  CHECK_THROWS_AS(json.member_count(member), Error);
}

TEST_CASE("json: integers of any size are kept exactly, numbers beyond a double are refused") {
  const auto digits = [](const std::string& text) { return std::string(Json::parse(text).digits(Json::kRoot)); };
  CHECK(Json::parse("9223372036854775807").integer(0) == INT64_MAX);
  CHECK(Json::parse("-9223372036854775808").integer(0) == INT64_MIN);
  CHECK(digits("9223372036854775808") == "9223372036854775808");
  CHECK(digits("18446744073709551616") == "18446744073709551616");
  CHECK(digits("-9223372036854775809") == "-9223372036854775809");
  CHECK(digits("1" + std::string(300, '0')).size() == 301);
  CHECK(refusal("1" + std::string(309, '0')) == Reason::bad_record);
  CHECK(Json::parse("1e308").real(0) == 1e308);
  CHECK(std::signbit(Json::parse("-0.0").real(0)));
  CHECK(refusal("1e400") == Reason::bad_record);
  CHECK(refusal("-1e400") == Reason::bad_record);
  for (const std::string bad : {"NaN", "Infinity", "-Infinity", "nan", "01", "+1", "1.", ".5", "0x1", "1e"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == Reason::bad_record);
  }
}

TEST_CASE("json: one value and nothing else, in UTF-8") {
  for (const std::string& bad :
       {std::string(""), std::string("{"), std::string("[1,]"), std::string("{\"a\":1,}"), std::string("1 2"),
        std::string("'a'"), std::string("[1] // x"), std::string("\"a\nb\""), std::string("\"\\x\""),
        std::string("{1:2}"), std::string("tru"), std::string("\xef\xbb\xbf{}"), std::string("{}\0", 3),
        std::string("[1]\0 [2]", 8), std::string("\"a\0b\"", 5)}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == Reason::bad_record);
  }
  for (const std::string bad : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xc3\""}) {
    CHECK(refusal(bad) == Reason::bad_text);
  }
  for (const std::string bad : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800x")"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == Reason::bad_record);
  }
}

TEST_CASE("json: lone surrogates are refused, or kept as three bytes each where they are asked for") {
  const auto read = [](const std::string& text) {
    const Json json = Json::parse("[\"" + text + "\"]", {.lone_surrogates = true});
    return std::string(json.text(1));
  };
  for (const char* const lone : {"\\ud800", "\\uDFFFx", "\\ud800\\n", "\\udc00\\ud800", "\\ud83d\\ud83d\\ude00"}) {
    CAPTURE(lone);
    CHECK_THROWS_AS(Json::parse("[\"" + std::string(lone) + "\"]"), Error);
  }
  CHECK(read("a\\ud800b") ==
        "a\xed\xa0\x80"
        "b");
  CHECK(read("\\uDFFF") == "\xed\xbf\xbf");
  CHECK(read("\\udc00\\ud800") == "\xed\xb0\x80\xed\xa0\x80");
  CHECK(read("\\ud83d\\ud83d\\ude00") == "\xed\xa0\xbd\xf0\x9f\x98\x80");
  CHECK(read("\\ud83d\\ude00") == "\xf0\x9f\x98\x80");
  CHECK(read("\\\\ud800") == "\\ud800");
  // Characters that could stand in for them stay what they are.
  CHECK(read("\\ud800\xee\x80\x80") == "\xed\xa0\x80\xee\x80\x80");
  CHECK(read("\\ud800\\uE000") == "\xed\xa0\x80\xee\x80\x80");
  CHECK(read("\\ud801\\ue001\\ue801") == "\xed\xa0\x81\xee\x80\x81\xee\xa0\x81");
  CHECK_THROWS_AS(read("\\ud800\\ue000\\uefff\xef\x80\x80"), Error);
  const Json key = Json::parse(R"({"\udc80": 1})", {.lone_surrogates = true});
  CHECK(key.find(Json::kRoot, "\xed\xb2\x80"));
  CHECK_THROWS_AS(Json::parse("[\"\\ud80\"]", {.lone_surrogates = true}), Error);
  CHECK_THROWS_AS(Json::parse("[\"\xed\xa0\x80\"]", {.lone_surrogates = true}), Error);
}

TEST_CASE("json: a key twice in one object is refused, in two objects it is not") {
  CHECK(refusal(R"({"a": 1, "b": 2, "a": 1})") == Reason::duplicate_key);
  CHECK(refusal(R"({"a": 1, "\u0061": 2})") == Reason::duplicate_key);
  CHECK(refusal(R"([{"x": {"a": 1, "": 2, "": 3}}])") == Reason::duplicate_key);
  CHECK(refusal(R"({"a": {"a": 1}, "b": {"a": {"b": 2}}})") == std::nullopt);
}

TEST_CASE("json: depth, bytes and values are bounded") {
  CHECK(refusal(std::string(100'000, '[')) == Reason::too_deep);
  CHECK(refusal(std::string(100'000, '[') + std::string(100'000, ']')) == Reason::too_deep);
  CHECK(refusal(std::string(1000, '[') + std::string(1000, ']')) == std::nullopt);
  CHECK(refusal(std::string(1001, '[') + std::string(1001, ']')) == Reason::too_deep);
  CHECK(refusal("[[[]]]", {.most_bytes = 100, .most_depth = 2}) == Reason::too_deep);
  CHECK(refusal("[1, 2, 3]", {.most_bytes = 8}) == Reason::too_large);
  std::string many = "[0";
  for (int i = 0; i < 2'000'000; ++i) many += ",0";
  CHECK(refusal(many + "]") == Reason::too_large);
}

TEST_CASE("json: 200 MB are refused before they are read") {
  const std::string large(200'000'000, ' ');
  CHECK(refusal(large) == Reason::too_large);
}

TEST_CASE("json: a text is quoted so that it is read back") {
  for (const std::string& text : {std::string("a\"b\\c"), std::string("\0\n\x1f\x7f", 4), std::string("\xc3\xa9/")}) {
    CHECK(Json::parse(container::json_quoted(text)).text(Json::kRoot) == text);
  }
}
