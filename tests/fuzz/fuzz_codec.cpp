// Any bytes as a stored block: decoding gives Error or fills its output, and what it gave encodes and decodes again.
// Input: codec (u8), raw length (u16), stored bytes.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "codec/block_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere::codec;
  if (size < 3) return 0;
  const auto id = static_cast<CodecId>(data[0]);
  std::vector<std::byte> raw(data[1] | static_cast<std::size_t>(data[2]) << 8);
  // Copied, so that a sanitizer sees the first byte read outside.
  const auto bytes = std::as_bytes(std::span(data + 3, size - 3));
  const std::vector<std::byte> stored(bytes.begin(), bytes.end());
  BlockCodec codec;
  try {
    codec.decode(id, stored, raw);
  } catch (const mere::Error& e) {
    const bool expected =
        has_codec(id) ? e.reason() == mere::Reason::bad_stream : e.reason() == mere::Reason::unknown_codec;
    if (!expected) std::abort();
    return 0;
  }
  const EncodeChoice choice{id, (size & 1U) != 0, 0};
  std::vector<std::byte> again(encode_bound(choice, raw.size())), back(raw.size());
  again.resize(codec.encode(choice, raw, again));
  codec.decode(id, again, back);
  if (back != raw) std::abort();
  return 0;
}
