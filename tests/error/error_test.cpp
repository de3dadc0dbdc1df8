#include <doctest/doctest.h>

#include <mere/error.hpp>
#include <mere/size.hpp>

#include <string>

using namespace mere;

TEST_CASE("reason: every word leads back to its reason, and has a code with a word") {
  for (const Reason reason : {
#define MERE_REASON_VALUE(word, code) Reason::word,
           MERE_REASONS(MERE_REASON_VALUE)
#undef MERE_REASON_VALUE
       }) {
    CHECK(find_reason(to_text(reason)) == reason);
    CHECK(to_text(code_of(reason)) != "unknown");
  }
  CHECK_FALSE(find_reason("no such word"));
}

TEST_CASE("error: what() names code, reason and message; message() the message alone") {
  const Error error(Reason::checksum, "a.mere: block 3");
  CHECK(std::string(error.what()) == "corrupt (checksum): a.mere: block 3");
  CHECK(error.message() == "a.mere: block 3");
  CHECK(error.code() == Errc::corrupt);
  CHECK(error.with_context("convert").message() == "convert: a.mere: block 3");
}

TEST_CASE("error: a message from a hostile file is cut to 1 kB and its control bytes are escaped") {
  const Error error(Reason::no_path, std::string(5000, '\x1b'));
  CHECK(error.message().size() <= 1000);
  CHECK(error.message().find('\x1b') == std::string_view::npos);
  CHECK(error.message().substr(0, 4) == "\\x1b");
}

TEST_CASE("error: out_of_memory needs no memory and keeps its words") {
  const Error error = Error::out_of_memory();
  CHECK(error.code() == Errc::limit);
  CHECK(std::string(error.what()).find("out_of_memory") != std::string::npos);
}

TEST_CASE("size: arithmetic that wraps stays invalid and cannot be read") {
  const Size huge = Size(~std::uint64_t{0});
  CHECK_FALSE((huge + 1).valid());
  CHECK_FALSE((huge * 2 - 5).valid());
  CHECK_FALSE((Size(3) - 4).valid());
  CHECK_FALSE(Size::from_signed(-1).valid());
  CHECK_FALSE((huge + 1).fits(~std::uint64_t{0}));
  CHECK((Size(6) * 7).get("answer") == 42);
  CHECK(Size(65).round_up(64).get("rounded") == 128);
  CHECK_FALSE(huge.round_up(64).valid());
  CHECK_THROWS_AS((huge + 1).get("sum"), Error);
}
