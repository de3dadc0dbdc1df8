#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "codec/block_codec.hpp"

namespace {

using namespace mere::codec;
using mere::Error;
using mere::Reason;
using Bytes = std::vector<std::byte>;

constexpr CodecId kCodecs[] = {CodecId::none, CodecId::lz4, CodecId::zlib, CodecId::zstd};

// Every codec of this build with every level, and 0.
std::vector<EncodeChoice> all_choices() {
  std::vector<EncodeChoice> choices;
  for (const CodecId codec : kCodecs) {
    if (!has_codec(codec)) continue;
    for (const bool high : {false, true}) {
      if (high && codec != CodecId::lz4) continue;
      const LevelRange range = level_range(codec, high);
      choices.push_back({codec, high, 0});
      for (int level = std::max(range.least, 1); level <= range.greatest; ++level)
        choices.push_back({codec, high, level});
    }
  }
  return choices;
}

std::vector<EncodeChoice> default_choices() {
  std::vector<EncodeChoice> choices;
  for (const EncodeChoice& choice : all_choices()) {
    if (choice.level == 0) choices.push_back(choice);
  }
  return choices;
}

// kind 0: all the same, 1: words that repeat, 2: noise
Bytes make_bytes(int kind, std::size_t size) {
  std::mt19937_64 random(size + 1);
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(kind == 0 ? 42 : kind == 1 ? (i / 8 * 31 % 17) * (i % 8) : random());
  }
  return bytes;
}

Bytes encode(BlockCodec& codec, const EncodeChoice& choice, const Bytes& raw) {
  Bytes stored(encode_bound(choice, raw.size()));
  stored.resize(codec.encode(choice, raw, stored));
  return stored;
}

// The reason decoding fails for; the message goes to `message`.
std::optional<Reason> failure(BlockCodec& codec, CodecId id, std::span<const std::byte> stored, Bytes& raw,
                              std::string* message = nullptr, InnerSum inner_sum = InnerSum::compared) {
  // In memory of exactly this size, so that a sanitizer sees reads outside.
  const Bytes exact(stored.begin(), stored.end());
  try {
    codec.decode(id, exact, raw, inner_sum);
    return std::nullopt;
  } catch (const Error& e) {
    if (message != nullptr) *message = e.message();
    return e.reason();
  }
}

TEST_CASE("codecs: every level gives the bytes back, at every length") {
  BlockCodec codec;
  for (const EncodeChoice& choice : all_choices()) {
    CAPTURE(to_text(choice.codec));
    CAPTURE(choice.level);
    for (const std::size_t size : {0, 1, 2, 5, 12, 13, 64, 1000, 65537}) {
      for (int kind = 0; kind < 3; ++kind) {
        const Bytes raw = make_bytes(kind, size);
        const Bytes stored = encode(codec, choice, raw);
        Bytes back(size, std::byte{1});
        codec.decode(choice.codec, stored, back);
        REQUIRE(back == raw);
      }
    }
  }
  const Bytes raw = make_bytes(1, 1 << 20);
  for (const EncodeChoice& choice : default_choices()) {
    const Bytes stored = encode(codec, choice, raw);
    if (choice.codec != CodecId::none) CHECK(stored.size() < raw.size() / 2);
    Bytes back(raw.size());
    codec.decode(choice.codec, stored, back);
    CHECK(back == raw);
  }
}

TEST_CASE("codecs: the same input gives the same bytes, whatever was encoded before") {
  BlockCodec fresh, used;
  const Bytes raw = make_bytes(1, 50000);
  for (const EncodeChoice& choice : all_choices()) {
    encode(used, choice, make_bytes(2, 30000));
    BlockCodec another;
    CHECK(encode(used, choice, raw) == encode(another, choice, raw));
  }
}

TEST_CASE("codecs: a length that is off by one, and bytes behind the end, are a bad stream") {
  BlockCodec codec;
  for (const EncodeChoice& choice : default_choices()) {
    CAPTURE(to_text(choice.codec));
    for (int kind = 0; kind < 3; ++kind) {
      for (const std::size_t size : {1, 13, 1000, 70000}) {
        const Bytes stored = encode(codec, choice, make_bytes(kind, size));
        Bytes shorter(size - 1), longer(size + 1), exact(size);
        CHECK(failure(codec, choice.codec, stored, shorter) == Reason::bad_stream);
        CHECK(failure(codec, choice.codec, stored, longer) == Reason::bad_stream);
        for (const std::byte extra : {std::byte{0}, std::byte{0x78}, std::byte{0xff}}) {
          Bytes trailing = stored;
          trailing.push_back(extra);
          CHECK(failure(codec, choice.codec, trailing, exact) == Reason::bad_stream);
        }
        Bytes twice = stored;
        twice.insert(twice.end(), stored.begin(), stored.end());
        CHECK(failure(codec, choice.codec, twice, exact) == Reason::bad_stream);
        CHECK(failure(codec, choice.codec, stored, exact) == std::nullopt);
      }
    }
  }
}

TEST_CASE("codecs: a stream cut at any length is a bad stream") {
  BlockCodec codec;
  for (const EncodeChoice& choice : default_choices()) {
    for (int kind = 0; kind < 3; ++kind) {
      const Bytes raw = make_bytes(kind, 600);
      const Bytes stored = encode(codec, choice, raw);
      for (std::size_t length = 0; length < stored.size(); ++length) {
        Bytes back(raw.size());
        CHECK(failure(codec, choice.codec, std::span(stored).first(length), back) == Reason::bad_stream);
      }
    }
  }
}

TEST_CASE("codecs: with any byte changed, decoding fails or stays within its output") {
  BlockCodec codec;
  for (const EncodeChoice& choice : default_choices()) {
    CAPTURE(to_text(choice.codec));
    for (int kind = 0; kind < 3; ++kind) {
      const Bytes raw = make_bytes(kind, 300);
      const Bytes stored = encode(codec, choice, raw);
      for (std::size_t at = 0; at < stored.size(); ++at) {
        for (unsigned flip = 1; flip < 256; flip = flip < 8 ? flip + 1 : flip * 2) {
          Bytes damaged = stored;
          damaged[at] ^= static_cast<std::byte>(flip);
          Bytes back(raw.size());
          const auto reason = failure(codec, choice.codec, damaged, back);
          if (reason) CHECK(*reason == Reason::bad_stream);
          // RFC 1950 has a sum of the raw bytes: what still decodes is what was meant.
          if (choice.codec == CodecId::zlib && !reason) CHECK(back == raw);
        }
      }
    }
  }
}

TEST_CASE("zlib: the sum inside may be skipped, and nothing else is") {
  BlockCodec codec;
  for (int kind = 0; kind < 3; ++kind) {
    const Bytes raw = make_bytes(kind, 300), stored = encode(codec, {CodecId::zlib, false, 0}, raw);
    const auto skipping = [&](std::span<const std::byte> bytes, Bytes& back) {
      return failure(codec, CodecId::zlib, bytes, back, nullptr, InnerSum::skipped);
    };
    for (std::size_t at = 0; at < stored.size(); ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Bytes damaged = stored;
        damaged[at] ^= static_cast<std::byte>(1U << bit);
        Bytes back(raw.size()), strict(raw.size());
        const auto reason = skipping(damaged, back);
        if (reason) CHECK(*reason == Reason::bad_stream);
        const auto strict_reason = failure(codec, CodecId::zlib, damaged, strict);
        if (at < 2) CHECK(reason == strict_reason);
        if (at + 4 < stored.size()) continue;
        CHECK(strict_reason == Reason::bad_stream);
        CHECK(reason == std::nullopt);
        CHECK(back == raw);
      }
    }
    Bytes back(raw.size()), shorter(raw.size() - 1), longer(raw.size() + 1), more = stored;
    for (std::size_t length = 0; length < stored.size(); ++length) {
      CHECK(skipping(std::span(stored).first(length), back) == Reason::bad_stream);
    }
    more.push_back(std::byte{0});
    CHECK(skipping(more, back) == Reason::bad_stream);
    CHECK(skipping(stored, shorter) == Reason::bad_stream);
    CHECK(skipping(stored, longer) == Reason::bad_stream);
    CHECK(skipping(stored, back) == std::nullopt);
    CHECK(back == raw);
  }
}

TEST_CASE("codecs: noise is not taken for a stream") {
  BlockCodec codec;
  std::mt19937_64 random(5);
  for (int round = 0; round < 3000; ++round) {
    Bytes noise(random() % 100);
    for (std::byte& b : noise) b = static_cast<std::byte>(random());
    for (const CodecId id : {CodecId::lz4, CodecId::zlib, CodecId::zstd}) {
      if (!has_codec(id)) continue;
      Bytes back(random() % 200);
      const auto reason = failure(codec, id, noise, back);
      if (reason) CHECK(*reason == Reason::bad_stream);
    }
  }
}

TEST_CASE("codecs: what is wrong with a stream is told, with the place where it is known") {
  BlockCodec codec;
  const Bytes raw = make_bytes(1, 1000);
  std::string message;
  Bytes stored = encode(codec, {CodecId::zlib, false, 0}, raw);
  stored.push_back(std::byte{0});
  Bytes back(raw.size());
  CHECK(failure(codec, CodecId::zlib, stored, back, &message) == Reason::bad_stream);
  CHECK(message == "zlib stream of " + std::to_string(stored.size()) +
                       " bytes for 1000 raw bytes: bytes follow its end at "
                       "compressed byte " +
                       std::to_string(stored.size() - 1));
  stored = encode(codec, {CodecId::lz4, false, 0}, raw);
  Bytes longer(1001);
  CHECK(failure(codec, CodecId::lz4, stored, longer, &message) == Reason::bad_stream);
  CHECK(message ==
        "lz4 stream of " + std::to_string(stored.size()) + " bytes for 1001 raw bytes: ends after 1000 raw bytes");
}

TEST_CASE("codecs: an unknown number, and one that this build lacks, are unknown_codec") {
  BlockCodec codec;
  Bytes bytes(10), room(1000);
  for (unsigned number = 0; number < 256; ++number) {
    const auto id = static_cast<CodecId>(number);
    if (has_codec(id)) continue;
    CHECK(failure(codec, id, bytes, bytes) == Reason::unknown_codec);
    try {
      codec.encode({id, false, 0}, bytes, room);
      FAIL("encoded by an unknown codec");
    } catch (const Error& e) {
      CHECK(e.reason() == Reason::unknown_codec);
    }
  }
  CHECK(to_text(static_cast<CodecId>(4)) == "unknown");
}

TEST_CASE("codecs: a level that a codec does not have is a bad argument") {
  BlockCodec codec;
  const Bytes raw = make_bytes(1, 100);
  const auto reason = [&](CodecId id, bool high, int level) -> std::optional<Reason> {
    try {
      encode(codec, {id, high, level}, raw);
      return std::nullopt;
    } catch (const Error& e) {
      return e.reason();
    }
  };
  for (const CodecId id : kCodecs) {
    if (!has_codec(id)) continue;
    CHECK(reason(id, false, -1) == Reason::bad_argument);
    CHECK(reason(id, false, level_range(id, false).greatest + 1) == Reason::bad_argument);
  }
  CHECK(reason(CodecId::lz4, true, 13) == Reason::bad_argument);
  CHECK(reason(CodecId::lz4, true, 12) == std::nullopt);
  CHECK(reason(CodecId::zlib, false, 9) == std::nullopt);
}

TEST_CASE("codecs: too little room to encode is a bad argument") {
  BlockCodec codec;
  const Bytes raw = make_bytes(2, 1000);
  for (const EncodeChoice& choice : default_choices()) {
    Bytes room(encode_bound(choice, raw.size()) - 1);
    CHECK_THROWS_AS(codec.encode(choice, raw, room), Error);
  }
}

}  // namespace
