// Compressed streams, piece by piece.

#include <doctest/doctest.h>
#include <lz4frame.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <mere/error.hpp>
#include "container/expanded_file.hpp"
#include "container/stream_decoder.hpp"

using namespace mere;
using namespace mere::container;

namespace {

std::string sample(std::size_t size) {
  std::string text;
  for (std::uint32_t i = 1; text.size() < size; i = i * 1664525 + 1013904223)
    text += std::to_string(i % 1000) + (i % 7 == 0 ? "\n" : " ");
  text.resize(size);
  return text;
}

std::string lz4(const std::string& data, bool sums) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentChecksumFlag = sums ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
  std::string out(LZ4F_compressFrameBound(data.size(), &preferences), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), data.data(), data.size(), &preferences));
  return out;
}

std::string zlib(const std::string& data) {
  std::string out(compressBound(data.size()), '\0');
  uLongf size = out.size();
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()), data.size());
  out.resize(size);
  return out;
}

struct Decoded {
  std::string bytes;
  std::uint64_t used = 0;
  std::size_t largest_piece = 0;
};

Decoded decode(StreamCodec codec, const std::string& stream, const StreamOptions& options = {}) {
  Decoded out;
  out.used = decode_stream(codec, std::as_bytes(std::span(stream)), options, [&](std::span<const std::byte> piece) {
    out.bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    out.largest_piece = std::max(out.largest_piece, piece.size());
  });
  return out;
}

}  // namespace

TEST_CASE("stream: large streams come back whole, in pieces of at most 1 MiB") {
  const std::string data = sample(5'000'000);
  for (const StreamCodec codec : {StreamCodec::zlib, StreamCodec::lz4}) {
    const std::string packed = codec == StreamCodec::zlib ? zlib(data) : lz4(data, true);
    const Decoded decoded = decode(codec, packed + "tail");
    CHECK(decoded.bytes == data);
    CHECK(decoded.used == packed.size());
    CHECK(decoded.largest_piece <= (1u << 20));
  }
  CHECK(decode(StreamCodec::zlib, zlib("")).bytes.empty());
  CHECK(decode(StreamCodec::lz4, lz4("", false)).bytes.empty());
}

TEST_CASE("stream: cut at any byte it is damaged, and so it is with a wrong sum") {
  const std::string data = sample(3000);
  for (const StreamCodec codec : {StreamCodec::zlib, StreamCodec::lz4}) {
    const std::string packed = codec == StreamCodec::zlib ? zlib(data) : lz4(data, true);
    for (std::size_t length = 0; length < packed.size(); ++length)
      CHECK_THROWS_AS(decode(codec, packed.substr(0, length)), Error);
    std::string bad = packed;
    bad.back() = static_cast<char>(bad.back() ^ 1);
    CHECK_THROWS_AS(decode(codec, bad), Error);
  }
}

TEST_CASE("stream: limits of size and ratio stop it") {
  const std::string zeros(80'000'000, '\0');
  StreamOptions options;
  options.most_bytes = 1000;
  CHECK_THROWS_AS(decode(StreamCodec::zlib, zlib(sample(1001)), options), Error);
  CHECK_NOTHROW(decode(StreamCodec::zlib, zlib(sample(1000)), options));
  const std::string bomb = zlib(zeros);
  CHECK_THROWS_AS(decode(StreamCodec::zlib, bomb), Error);
  options.most_bytes = ~std::uint64_t{0};
  options.bound_ratio = false;
  CHECK(decode(StreamCodec::zlib, bomb, options).bytes.size() == zeros.size());
}

TEST_CASE("stream: progress is told and may stop it") {
  StreamOptions options;
  std::uint64_t last = 0;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    CHECK(done >= last);
    CHECK(done <= total);
    last = done;
  };
  const std::string packed = zlib(sample(3'000'000));
  decode(StreamCodec::zlib, packed, options);
  CHECK(last == packed.size());
  options.progress = [](std::uint64_t, std::uint64_t) { throw Error(Reason::interrupted, "stop"); };
  CHECK_THROWS_AS(decode(StreamCodec::zlib, packed, options), Error);
}

TEST_CASE("expanded file: its map holds what was appended and outlives it") {
  HeldBytes held;
  {
    ExpandedFile file;
    file.append(std::as_bytes(std::span("abc", 3)));
    file.align(64);
    CHECK(file.size() == 64);
    file.append(std::as_bytes(std::span("def", 3)));
    held = file.map();
  }
  CHECK(held.bytes.size() == 67);
  CHECK(static_cast<char>(held.bytes[64]) == 'd');
}

namespace {

std::string bytes_of(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::optional<Reason> refusal(StreamCodec codec, const std::string& stream, const StreamOptions& options = {}) {
  try {
    decode(codec, stream, options);
    return std::nullopt;
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("stream, byte ") != std::string::npos);
    return error.reason();
  }
}

// "hello hello hello hello\n", by Python 3.11's bz2 and lzma; dictionaries of 64 KiB.
const std::string kHello = "hello hello hello hello\n";
const std::string kBz2 =
    bytes_of("425a68393141592653596f4f10f3000005d100001040000244a00030c002a834710dad870f1772453850906f4f10f3");
const std::string kXz = bytes_of(
    "fd377a585a000004e6d6b4460200210108000000d80f2313e00017000c5d00341949ee8de9560ac121b000006c14ed1b3b68bb9100012818d7"
    "83b76e1fb6f37d010000000004595a");
const std::string kLzma = bytes_of(
    "5d00000100ffffffffffffffff00341949ee8de9560ac1b620b7ffffba340000");  // of unknown length, with an end marker
const std::string kLzmaSized = bytes_of(
    "5d00000100180000000000000000341949ee8de9560ac1b620b7ffffba340000");  // the same with its length in the header

}  // namespace

TEST_CASE("stream: bz2, xz and lzma come back whole, and at any cut or second member they do not") {
  const std::pair<StreamCodec, const std::string*> streams[] = {{StreamCodec::bz2, &kBz2},
                                                                {StreamCodec::xz, &kXz},
                                                                {StreamCodec::lzma, &kLzma},
                                                                {StreamCodec::lzma, &kLzmaSized}};
  for (const auto& row : streams) {
    const StreamCodec codec = row.first;  // clang 14 captures no structured binding
    const std::string* stream = row.second;
    CAPTURE(to_text(codec));
    if (!has_codec(codec)) {
      CHECK(refusal(codec, *stream) == Reason::not_supported);
      continue;
    }
    CHECK(decode(codec, *stream).bytes == kHello);
    CHECK(decode(codec, *stream + *stream).used == stream->size());
    for (std::size_t length = 0; length < stream->size(); ++length) {
      CAPTURE(length);
      CHECK(refusal(codec, stream->substr(0, length)).has_value());
    }
  }
}

TEST_CASE("stream: sums and lengths that lie are found") {
  if (has_codec(StreamCodec::bz2)) {
    std::string bad = kBz2;
    bad[10] ^= 1;  // the block's sum
    CHECK(refusal(StreamCodec::bz2, bad) == Reason::bad_stream);
  }
  if (has_codec(StreamCodec::xz)) {
    for (std::size_t at = 0; at < kXz.size(); ++at) {
      std::string bad = kXz;
      bad[at] ^= 1;
      CAPTURE(at);
      // One bit of the properties means nothing to so short a text.
      CHECK((refusal(StreamCodec::xz, bad).has_value() || decode(StreamCodec::xz, bad).bytes == kHello));
    }
    for (const int change : {-1, 1}) {
      std::string bad = kLzmaSized;
      bad[5] = static_cast<char>(bad[5] + change);
      CHECK(refusal(StreamCodec::lzma, bad).has_value());
    }
  }
  // An LZ4 frame that says how long it is.
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentSize = kHello.size();
  std::string sized(LZ4F_compressFrameBound(kHello.size(), &preferences), '\0');
  sized.resize(LZ4F_compressFrame(sized.data(), sized.size(), kHello.data(), kHello.size(), &preferences));
  CHECK(decode(StreamCodec::lz4, sized).bytes == kHello);
  for (const int change : {-1, 1}) {
    std::string bad = sized;
    bad[6] = static_cast<char>(bad[6] + change);
    CHECK(refusal(StreamCodec::lz4, bad) == Reason::bad_stream);
  }
}

TEST_CASE("stream: a dictionary of 4 GiB or a length of 1 TB costs nothing") {
  if (!has_codec(StreamCodec::xz)) return;
  std::string wide = kLzma;
  wide.replace(1, 4, "\xff\xff\xff\xff");
  CHECK(refusal(StreamCodec::lzma, wide) == Reason::too_large);
  StreamOptions options;
  options.decoder_bytes = std::uint64_t{8} << 30;
  CHECK(refusal(StreamCodec::lzma, kLzma, options) == std::nullopt);
  options.decoder_bytes = 1000;
  CHECK(refusal(StreamCodec::lzma, kLzma, options) == Reason::too_large);
  CHECK(refusal(StreamCodec::xz, kXz, options) == Reason::too_large);
  std::string long_claim = kLzmaSized;
  long_claim.replace(5, 8, std::string("\0\0\0\0\0\1\0\0", 8));
  CHECK(refusal(StreamCodec::lzma, long_claim) == Reason::bad_stream);
  // The block header of xz: its byte 4 is the dictionary, a sum of it follows.
  std::string xz = kXz;
  const std::size_t header = 12;
  REQUIRE(xz[header + 2] == 0x21);
  xz[header + 4] = 40;
  const std::size_t length = (static_cast<std::size_t>(xz[header]) + 1) * 4;
  const auto sum = static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(xz.data()) + header, static_cast<uInt>(length - 4)));
  std::memcpy(xz.data() + header + length - 4, &sum, sizeof sum);
  CHECK(refusal(StreamCodec::xz, xz) == Reason::too_large);
}

TEST_CASE("expanded file: more than it may hold in memory goes to a file without a name") {
  const std::string data = sample(300'000);
  ExpandedFile file(1000);
  for (std::size_t at = 0; at < data.size(); at += 700) {
    file.append(std::as_bytes(std::span(data).subspan(at, std::min<std::size_t>(700, data.size() - at))));
  }
  const HeldBytes held = file.map();
  REQUIRE(held.mapping);
  CHECK(std::string(reinterpret_cast<const char*>(held.bytes.data()), held.bytes.size()) == data);
  held.release(held.bytes);
  CHECK(static_cast<char>(held.bytes[12345]) == data[12345]);
  CHECK(!held.faulted());
  ExpandedFile small(1000);
  small.append(std::as_bytes(std::span("abc", 3)));
  CHECK(!small.map().mapping);
}
