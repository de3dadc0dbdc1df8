// Filtered bytes that were cut, changed or made up: the fast decoder and the plain reference agree on what they mean,
// and nothing is read or written outside (this test is built with sanitizers too).

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/columns_filter.hpp"
#include "codec/cpu_code.hpp"
#include "codec/random_rows.hpp"
#include "reference/columns_plain.hpp"

namespace {

using namespace mere::codec;
using mere::Error;
using mere::Reason;
using mere::codec::test::make_rows;
using mere::codec::test::Rows;
using Bytes = std::vector<std::byte>;

// Decodes in memory of exactly these sizes, so that a sanitizer sees each step outside. False: bad_stream.
bool decodes(const CpuCode& code, std::span<const std::byte> filtered, Bytes& raw) {
  const Bytes exact(filtered.begin(), filtered.end());
  static FilterScratch scratch;  // its content means nothing: every decoder sets what it reads
  try {
    ColumnsFilter(code).decode(exact, raw, scratch);
    return true;
  } catch (const Error& e) {
    CHECK(e.reason() == Reason::bad_stream);
    CHECK(e.message().find("filter columns: ") == 0);
    return false;
  }
}

void check_agreement(std::span<const std::byte> filtered, std::size_t raw_bytes) {
  Bytes plain(raw_bytes);
  const bool allowed = mere::reference::undo_columns(filtered, plain);
  // All codes share what refuses damaged bytes, so one of them shows it; exceptions are what costs time here.
  for (std::size_t i = allowed ? 0 : cpu_code_count() - 1; i < cpu_code_count(); ++i) {
    Bytes fast(raw_bytes);
    const bool decoded = decodes(cpu_code_at(i), filtered, fast);
    CHECK(decoded == allowed);
    if (decoded && allowed) CHECK(fast == plain);
  }
}

struct Encoded {
  Bytes filtered;
  std::size_t raw_bytes;
};

// A small block for each of the decoder's ways.
std::vector<Encoded> encoded_blocks(std::size_t count) {
  std::vector<Encoded> blocks;
  const ColumnsFilter filter;
  FilterScratch scratch;
  for (std::uint64_t seed = 0; blocks.size() < count; ++seed) {
    const Rows rows = make_rows(seed, 70);
    if (rows.bytes.size() < 10) continue;
    Encoded block;
    const std::size_t skip = seed % 5;
    const auto raw = std::span(rows.bytes).subspan(skip);
    block.raw_bytes = raw.size();
    if (filter.encode(raw, rows.layout, {skip}, block.filtered, scratch)) blocks.push_back(std::move(block));
  }
  return blocks;
}

TEST_CASE("columns: filtered bytes cut at any length are a bad stream") {
  for (const Encoded& block : encoded_blocks(12)) {
    for (std::size_t length = 0; length < block.filtered.size(); ++length) {
      Bytes raw(block.raw_bytes);
      CHECK_FALSE(decodes(cpu_code(), std::span(block.filtered).first(length), raw));
    }
    Bytes longer = block.filtered;
    longer.push_back(std::byte{0});
    Bytes raw(block.raw_bytes);
    CHECK_FALSE(decodes(cpu_code(), longer, raw));
  }
}

TEST_CASE("columns: a raw length that is not the encoder's is a bad stream, or part of a row") {
  for (const Encoded& block : encoded_blocks(12)) {
    for (std::size_t length = 0; length < block.raw_bytes + 100; ++length) check_agreement(block.filtered, length);
  }
}

TEST_CASE("columns: with any byte changed, the decoder says what the plain reference says") {
  std::size_t seed = 0;
  for (const Encoded& block : encoded_blocks(24)) {
    ++seed;
    for (std::size_t at = 0; at < block.filtered.size(); ++at) {
      Bytes damaged = block.filtered;
      // The header and the first record lie early: all their bits. Of four bytes that follow a bit, so that the bytes
      // of other records, which are as many as columns, get theirs from one block or another.
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (at >= 48 && bit + 8 * (at % 4) != (at / 4 + 5 * seed) % 32) continue;
        damaged[at] = block.filtered[at] ^ static_cast<std::byte>(1U << bit);
        check_agreement(damaged, block.raw_bytes);
      }
      damaged[at] = ~block.filtered[at];
      if (at < 48) check_agreement(damaged, block.raw_bytes);
    }
  }
}

TEST_CASE("columns: made-up bytes decode as the plain reference has it, or not at all") {
  std::mt19937_64 random(7);
  std::size_t decoded = 0;
  for (int round = 0; round < 20000; ++round) {
    // A header that is right, and records of which most fields are.
    const std::size_t columns = 1 + random() % 3;
    const std::size_t raw_bytes = random() % 400;
    Bytes bytes(16);
    std::size_t row_bytes = 0;
    std::vector<std::uint8_t> sizes;
    for (std::size_t c = 0; c < columns; ++c) {
      sizes.push_back(static_cast<std::uint8_t>(1U << random() % 4));
      row_bytes += sizes.back();
    }
    const std::size_t head = std::min<std::size_t>(random() % row_bytes, raw_bytes);
    const std::size_t rows = (raw_bytes - head) / row_bytes;
    bytes[0] = static_cast<std::byte>(columns);
    bytes[2] = static_cast<std::byte>(row_bytes);
    bytes[4] = static_cast<std::byte>(head);
    for (int i = 8; i < 16; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::byte>(random() % 2 * random());
    bytes.resize(bytes.size() + raw_bytes - rows * row_bytes);
    for (const std::uint8_t size : sizes) {
      const bool words = random() % 4 != 0;
      const auto flags = static_cast<std::uint8_t>(words ? random() % 128 : 0);
      const auto width = static_cast<std::uint8_t>(words ? random() % (size + 1U) : 0);
      const std::uint8_t record[8] = {words,
                                      flags,
                                      width,
                                      static_cast<std::uint8_t>(words ? random() % 64 : 0),
                                      size,
                                      0,
                                      static_cast<std::uint8_t>(words ? random() % 2 * (flags >> 3 & 1U) : 0),
                                      0};
      for (const std::uint8_t b : record) bytes.push_back(static_cast<std::byte>(b));
      for (int i = 0; i < 8; ++i) bytes.push_back(words ? static_cast<std::byte>(random()) : std::byte{0});
      if (!words) {
        bytes.resize(bytes.size() + rows * size, std::byte{9});
        continue;
      }
      std::size_t kept = rows;
      if ((flags & 4) != 0) {
        bytes.resize(bytes.size() + 8, std::byte{3});
        if ((flags & 8) == 0) {
          kept = 0;
          Bytes bitmap((rows + 7) / 8);
          for (std::size_t i = 0; i < rows; ++i) {
            if (random() % 3 == 0) continue;
            bitmap[i / 8] |= static_cast<std::byte>(1U << (i % 8));
            ++kept;
          }
          bytes.insert(bytes.end(), bitmap.begin(), bitmap.end());
        } else {
          kept = rows / 2;  // seldom right
        }
      }
      if ((flags & 32) != 0) bytes.resize(bytes.size() + 8, std::byte{200});
      for (std::size_t i = 0; i < kept * width; ++i) bytes.push_back(static_cast<std::byte>(random()));
    }
    Bytes plain(raw_bytes);
    decoded += mere::reference::undo_columns(bytes, plain) ? 1 : 0;
    check_agreement(bytes, raw_bytes);
  }
  CHECK(decoded > 2000);
}

}  // namespace
