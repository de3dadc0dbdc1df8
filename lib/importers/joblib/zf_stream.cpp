#include "importers/joblib/zf_stream.hpp"

#include <charconv>
#include <string>
#include <string_view>

#include <mere/error.hpp>

namespace mere::importers::joblib {

namespace {

constexpr std::string_view kMagic = "ZF";
constexpr std::size_t kDigitsBytes = 19;  // "0x" and the digits, filled up with spaces

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Python 2 wrote one space more.
std::size_t header_bytes(std::span<const std::byte> bytes) {
  const std::size_t size = kMagic.size() + kDigitsBytes;
  return bytes.size() > size && bytes[size] == std::byte{' '} ? size + 1 : size;
}

}  // namespace

bool is_zf(std::span<const std::byte> bytes) {
  return text_of(bytes).starts_with(kMagic);
}

std::uint64_t zf_length(std::span<const std::byte> bytes) {
  if (bytes.size() < kMagic.size() + kDigitsBytes) {
    throw Error(Reason::truncated, "ZF stream: " + std::to_string(bytes.size()) + " bytes, its header alone has 21");
  }
  std::string_view digits = text_of(bytes).substr(kMagic.size(), kDigitsBytes);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  if (digits.ends_with('L')) digits.remove_suffix(1);  // as Python 2 spells large numbers
  std::uint64_t length = 0;
  bool good = digits.starts_with("0x") && digits.size() > 2;
  if (good) {
    digits.remove_prefix(2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length, 16);
    good = error == std::errc() && end == digits.data() + digits.size();
  }
  if (!good) throw Error(Reason::bad_record, "ZF stream, byte 2: no length in hexadecimal digits, such as 0x3f");
  return length;
}

std::uint64_t decode_zf(std::span<const std::byte> bytes, const container::StreamOptions& options,
                        const std::function<void(std::span<const std::byte>)>& take) {
  const std::uint64_t length = zf_length(bytes);
  if (length > options.most_bytes) {
    throw Error(Reason::too_large, "ZF stream, byte 2: claims " + std::to_string(length) + " bytes, at most " +
                                       std::to_string(options.most_bytes) + " are allowed (Limits::expanded_bytes)");
  }
  const std::size_t skipped = header_bytes(bytes);
  container::StreamOptions inner = options;
  if (options.progress) {
    inner.progress = [&](std::uint64_t done, std::uint64_t) { options.progress(skipped + done, bytes.size()); };
  }
  std::uint64_t made = 0;
  const auto fail = [&] {
    throw Error(Reason::bad_stream, "ZF stream: holds " + std::to_string(made) +
                                        (made > length ? " bytes or more" : " bytes") + ", its header says " +
                                        std::to_string(length));
  };
  std::uint64_t used = skipped;
  try {
    used += container::decode_stream(container::StreamCodec::zlib, bytes.subspan(skipped), inner,
                                     [&](std::span<const std::byte> piece) {
                                       made += piece.size();
                                       if (made > length) fail();
                                       take(piece);
                                     });
  } catch (const Error& error) {
    throw error.with_context("after a ZF header of " + std::to_string(skipped) + " bytes");
  }
  if (made != length) fail();
  return used;
}

}  // namespace mere::importers::joblib
