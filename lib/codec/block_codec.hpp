#pragma once
// Codecs of one block: bytes to bytes. Numbers as in docs/format.md 6.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <mere/error.hpp>

namespace mere::codec {

enum class CodecId : std::uint8_t { none = 0, lz4 = 1, zlib = 2, zstd = 3 };

// How to encode: `high` asks lz4 for its slow, small form. level 0 is the codec's default.
struct EncodeChoice {
  CodecId codec = CodecId::none;
  bool high = false;
  int level = 0;

  bool operator==(const EncodeChoice&) const = default;
};

std::string_view to_text(CodecId id) noexcept;  // "none", "lz4", ...; "unknown" else
bool has_codec(CodecId id) noexcept;            // in this build

// The levels of a codec besides 0; {0, 0} if it has none.
struct LevelRange {
  int least, greatest;
};
LevelRange level_range(CodecId id, bool high) noexcept;

// The most that encode() may write for `raw_bytes` bytes.
std::size_t encode_bound(const EncodeChoice& choice, std::size_t raw_bytes) noexcept;

// The sum inside of a stream (Adler-32 of zlib): skipped by those who compare a better one of all that they decode.
enum class InnerSum : std::uint8_t { compared, skipped };

// Holds the working memory of a thread: keep one a thread. Not for two threads at once.
class BlockCodec {
 public:
  BlockCodec();
  ~BlockCodec();
  BlockCodec(BlockCodec&&) noexcept;
  BlockCodec& operator=(BlockCodec&&) noexcept;

  // Returns the bytes written to `out` (of encode_bound() bytes). The same input, choice and library give the same
  // bytes. Throws Error: unknown_codec, bad_argument (level, or too little room), out_of_memory.
  std::size_t encode(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out);
  // As encode(), into as much room as there is; 0 if that is too little. What a codec needs beyond its result may make
  // it give up a few bytes before the end.
  std::size_t try_encode(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out);

  // Fills `out` exactly. Reads nothing outside `in`, writes nothing outside `out`, whatever the bytes.
  // Throws Error: bad_stream (damaged; too short or too long by any amount), unknown_codec.
  void decode(CodecId codec, std::span<const std::byte> in, std::span<std::byte> out,
              InnerSum inner_sum = InnerSum::compared);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mere::codec
