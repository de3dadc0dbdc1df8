#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "codec/sha256.hpp"
#include "codec/sha256_plain.hpp"

namespace {

using namespace mere::codec;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

template <class Sum>
std::string hex_of(std::string_view text) {
  Sum sum;
  sum.update(bytes_of(text));
  return Sha256::to_hex(sum.finish());
}

TEST_CASE_TEMPLATE("sha256: gives NIST's examples, in both codes", Sum, Sha256, Sha256Plain) {
  CHECK(hex_of<Sum>("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of<Sum>("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of<Sum>("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex_of<Sum>("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                    "mnopqrstnopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(hex_of<Sum>(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces of any length, in our own code, give what libcrypto gives for the whole") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 31 % 251);
  for (std::size_t size = 0; size < 300; ++size) {
    Sha256 whole;
    whole.update(bytes_of(text).first(size));
    Sha256Plain pieces;
    for (std::size_t at = 0, piece = size % 7; at < size; piece = piece * 5 % 71 + 1) {
      const std::size_t take = std::min(piece, size - at);
      pieces.update(bytes_of(text).subspan(at, take));
      at += take;
    }
    REQUIRE(whole.finish() == pieces.finish());
  }
}

}  // namespace
