// Compressed streams, piece by piece.

#include <doctest/doctest.h>
#include <lz4frame.h>
#include <zlib.h>

#include <string>

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
