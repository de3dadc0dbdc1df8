// The words of options, the same in C++, on the command line and in Python.

#include <cstdio>

#include <mere/convert.hpp>
#include <mere/dump.hpp>

#include "codec/block_codec.hpp"

namespace mere {

namespace {

template <class Enum>
struct Word {
  Enum value;
  std::string_view word;
};

constexpr Word<Verify> kVerify[] = {{Verify::none, "none"}, {Verify::manifest, "manifest"}, {Verify::all, "all"}};
constexpr Word<Expand> kExpand[] = {
    {Expand::shared, "shared"}, {Expand::in_memory, "in_memory"}, {Expand::lazy, "lazy"}};
constexpr Word<Codec> kCodec[] = {{Codec::none, "none"}, {Codec::lz4, "lz4"},   {Codec::lz4hc, "lz4hc"},
                                  {Codec::zlib, "zlib"}, {Codec::zstd, "zstd"}, {Codec::smallest, "smallest"}};
constexpr Word<StoreProgram> kStoreProgram[] = {{StoreProgram::automatic, "auto"},
                                                {StoreProgram::with, "with"},
                                                {StoreProgram::only, "only"},
                                                {StoreProgram::none, "none"}};
constexpr Word<Durability> kDurability[] = {{Durability::full, "full"}, {Durability::none, "none"}};

template <class Table, class Enum>
std::string_view word_of(const Table& table, Enum value) noexcept {
  for (const auto& row : table) {
    if (row.value == value) return row.word;
  }
  return "unknown";
}

template <class Enum, std::size_t N>
std::optional<Enum> find_word(const Word<Enum> (&table)[N], std::string_view word) noexcept {
  for (const auto& row : table) {
    if (row.word == word) return row.value;
  }
  return std::nullopt;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view to_text(Verify value) noexcept {
  return word_of(kVerify, value);
}
std::string_view to_text(Expand value) noexcept {
  return word_of(kExpand, value);
}
std::string_view to_text(Codec value) noexcept {
  return word_of(kCodec, value);
}
std::string_view to_text(StoreProgram value) noexcept {
  return word_of(kStoreProgram, value);
}
std::optional<StoreProgram> find_store_program(std::string_view word) noexcept {
  return find_word(kStoreProgram, word);
}
std::string_view to_text(Durability value) noexcept {
  return word_of(kDurability, value);
}
std::optional<Verify> find_verify(std::string_view word) noexcept {
  return find_word(kVerify, word);
}
std::optional<Expand> find_expand(std::string_view word) noexcept {
  return find_word(kExpand, word);
}
std::optional<Codec> find_codec(std::string_view word) noexcept {
  return find_word(kCodec, word);
}
std::optional<Durability> find_durability(std::string_view word) noexcept {
  return find_word(kDurability, word);
}

bool has_codec(Codec value) noexcept {
  switch (value) {
    case Codec::none:
    case Codec::smallest: return true;
    case Codec::lz4:
    case Codec::lz4hc: return codec::has_codec(codec::CodecId::lz4);
    case Codec::zlib: return codec::has_codec(codec::CodecId::zlib);
    case Codec::zstd: return codec::has_codec(codec::CodecId::zstd);
  }
  return false;
}

std::string ContentId::to_text() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

std::optional<ContentId> ContentId::parse(std::string_view hex) {
  if (hex.size() != 32) return std::nullopt;
  ContentId id;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const int digit = hex_digit(hex[i]);
    if (digit < 0) return std::nullopt;
    std::uint64_t& half = i < 16 ? id.high : id.low;
    half = half << 4 | static_cast<std::uint64_t>(digit);
  }
  return id;
}

}  // namespace mere
