#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "format/text_form.hpp"

namespace mere::format {
namespace {

TextForm check(std::string_view text) {
  return text_form(text);
}

TEST_CASE("text: UTF-8 of one to four bytes, NUL among them") {
  CHECK(check("") == TextForm::utf8);
  CHECK(check("plain ASCII of more than eight bytes") == TextForm::utf8);
  CHECK(check(std::string_view("a\0b", 3)) == TextForm::utf8);
  CHECK(check("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf") == TextForm::utf8);
  CHECK(check("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf") == TextForm::utf8);
}

TEST_CASE("text: surrogates in three bytes are told apart") {
  CHECK(check("\xed\xa0\x80") == TextForm::surrogates);
  CHECK(check("ten plain bytes \xed\xbf\xbf") == TextForm::surrogates);
  CHECK(check("\xed\xa0\x80\xed\xb0\x80") == TextForm::surrogates);
}

TEST_CASE("text: overlong forms, cut sequences, lone bytes and what passes U+10FFFF are broken") {
  for (const std::string_view bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe2\x82", "\xf0\x90\x80",
                                     "\xc2\x41", "\xe2\x41\x80", "\xf0\x90\x41\x80", "\xed\xa0"}) {
    CHECK(check(bad) == TextForm::broken);
    CHECK(check("sixteen bytes...." + std::string(bad) + "and more behind it") == TextForm::broken);
  }
}

}  // namespace
}  // namespace mere::format
