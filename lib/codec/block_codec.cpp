#include "codec/block_codec.hpp"

#include <lz4.h>
#include <lz4hc.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#if defined(MERE_HAVE_LIBDEFLATE)
#include <libdeflate.h>
#else
#include <zlib.h>
#endif
#if defined(MERE_HAVE_ZSTD)
#include <zstd.h>
#include <zstd_errors.h>
#endif

namespace mere::codec {
namespace {

// Blocks are far smaller (docs/format.md 6); the libraries count in int and uInt.
constexpr std::size_t kMaxBlockBytes = LZ4_MAX_INPUT_SIZE;

[[noreturn]] void throw_unknown(CodecId codec) {
  const auto number = std::to_string(static_cast<unsigned>(codec));
  if (to_text(codec) == "unknown")
    throw Error(Reason::unknown_codec, "codec " + number + " is unknown to this version");
  throw Error(Reason::unknown_codec, "codec " + number + " (" + std::string(to_text(codec)) + ") is not in this build");
}

[[noreturn]] void throw_damaged(std::string_view codec, std::string_view what, std::span<const std::byte> in,
                                std::span<std::byte> out) {
  throw Error(Reason::bad_stream, std::string(codec) + " stream of " + std::to_string(in.size()) + " bytes for " +
                                      std::to_string(out.size()) + " raw bytes: " + std::string(what));
}

std::string at_offset(std::string_view what, std::size_t offset) {
  return std::string(what) + " at compressed byte " + std::to_string(offset);
}

// The libraries want an address even of nothing.
const char* chars(std::span<const std::byte> bytes) {
  return bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data());
}

void decode_lz4(std::span<const std::byte> in, std::span<std::byte> out) {
  char nothing = 0;
  char* const target = out.empty() ? &nothing : reinterpret_cast<char*>(out.data());
  const int got = LZ4_decompress_safe(chars(in), target, static_cast<int>(in.size()), static_cast<int>(out.size()));
  if (got < 0) {
    // The library gives back minus the place in the input, less one.
    throw_damaged("lz4", at_offset("damaged, or too long,", static_cast<std::size_t>(-(got + 1))), in, out);
  }
  if (static_cast<std::size_t>(got) != out.size()) {
    throw_damaged("lz4", "ends after " + std::to_string(got) + " raw bytes", in, out);
  }
}

#if defined(MERE_HAVE_LIBDEFLATE)
constexpr std::size_t kZlibHeaderBytes = 2, kZlibSumBytes = 4;

// RFC 1950: method 8, a window of 32 KiB at most, no dictionary, and a number that 31 divides.
bool has_zlib_frame(std::span<const std::byte> in) {
  if (in.size() < kZlibHeaderBytes + kZlibSumBytes) return false;
  const unsigned method = std::to_integer<unsigned>(in[0]), flags = std::to_integer<unsigned>(in[1]);
  return (method & 15U) == 8 && method >> 4 <= 7 && (flags & 32U) == 0 && (256 * method + flags) % 31 == 0;
}
#endif

void check_level(const EncodeChoice& choice) {
  const LevelRange range = level_range(choice.codec, choice.high);
  if (choice.level == 0 || (choice.level >= range.least && choice.level <= range.greatest)) return;
  const std::string name = std::string(to_text(choice.codec)) + (choice.high ? " (high)" : "");
  const std::string allowed = range.greatest == 0 ? "it takes none"
                                                  : "expected " + std::to_string(range.least) + " to " +
                                                        std::to_string(range.greatest) + ", or 0";
  throw Error(Reason::bad_argument, "level " + std::to_string(choice.level) + " of codec " + name + ": " + allowed);
}

}  // namespace

std::string_view to_text(CodecId id) noexcept {
  switch (id) {
    case CodecId::none: return "none";
    case CodecId::lz4: return "lz4";
    case CodecId::zlib: return "zlib";
    case CodecId::zstd: return "zstd";
  }
  return "unknown";
}

bool has_codec(CodecId id) noexcept {
  switch (id) {
    case CodecId::none:
    case CodecId::lz4:
    case CodecId::zlib: return true;
    case CodecId::zstd:
#if defined(MERE_HAVE_ZSTD)
      return true;
#else
      return false;
#endif
  }
  return false;
}

LevelRange level_range(CodecId id, bool high) noexcept {
  switch (id) {
    case CodecId::none: return {0, 0};
    case CodecId::lz4: return high ? LevelRange{1, LZ4HC_CLEVEL_MAX} : LevelRange{0, 0};
#if defined(MERE_HAVE_LIBDEFLATE)
    case CodecId::zlib: return {1, 12};
#else
    case CodecId::zlib: return {1, 9};
#endif
#if defined(MERE_HAVE_ZSTD)
    case CodecId::zstd: return {1, ZSTD_maxCLevel()};
#else
    case CodecId::zstd: return {0, 0};
#endif
  }
  return {0, 0};
}

std::size_t encode_bound(const EncodeChoice& choice, std::size_t raw_bytes) noexcept {
  switch (choice.codec) {
    case CodecId::lz4:
      return raw_bytes > kMaxBlockBytes ? 0 : static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(raw_bytes)));
    case CodecId::zlib:
#if defined(MERE_HAVE_LIBDEFLATE)
      return libdeflate_zlib_compress_bound(nullptr, raw_bytes);
#else
      return compressBound(static_cast<uLong>(raw_bytes));
#endif
    case CodecId::zstd:
#if defined(MERE_HAVE_ZSTD)
      return ZSTD_compressBound(raw_bytes);
#else
      return 0;
#endif
    case CodecId::none: return raw_bytes;
  }
  return 0;
}

// The libraries' contexts, each made when first used: a thread that only reads lz4 holds none.
struct BlockCodec::State {
  std::vector<std::uint64_t> lz4, lz4_high;

#if defined(MERE_HAVE_LIBDEFLATE)
  libdeflate_decompressor* inflater = nullptr;
  libdeflate_compressor* deflater = nullptr;
  int deflater_level = 0;
#endif
#if defined(MERE_HAVE_ZSTD)
  ZSTD_CCtx* zstd_encoder = nullptr;
  ZSTD_DCtx* zstd_decoder = nullptr;
#endif

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
#if defined(MERE_HAVE_LIBDEFLATE)
    libdeflate_free_decompressor(inflater);
    libdeflate_free_compressor(deflater);
#endif
#if defined(MERE_HAVE_ZSTD)
    ZSTD_freeCCtx(zstd_encoder);
    ZSTD_freeDCtx(zstd_decoder);
#endif
  }

  std::size_t encode_lz4(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out) {
    std::vector<std::uint64_t>& memory = choice.high ? lz4_high : lz4;
    const int state_bytes = choice.high ? LZ4_sizeofStateHC() : LZ4_sizeofState();
    try {
      memory.resize((static_cast<std::size_t>(state_bytes) + 7) / 8);
    } catch (const std::bad_alloc&) {
      throw Error::out_of_memory();
    }
    const int in_bytes = static_cast<int>(in.size());
    const int out_bytes = static_cast<int>(std::min(out.size(), kMaxBlockBytes));
    char* const target = reinterpret_cast<char*>(out.data());
    const int got = choice.high ? LZ4_compress_HC_extStateHC(memory.data(), chars(in), target, in_bytes, out_bytes,
                                                             choice.level == 0 ? LZ4HC_CLEVEL_DEFAULT : choice.level)
                                : LZ4_compress_fast_extState(memory.data(), chars(in), target, in_bytes, out_bytes, 1);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

#if defined(MERE_HAVE_LIBDEFLATE)
  std::size_t encode_zlib(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out) {
    const int level = choice.level == 0 ? 6 : choice.level;
    if (deflater == nullptr || deflater_level != level) {
      libdeflate_free_compressor(deflater);
      deflater = libdeflate_alloc_compressor(level);
      if (deflater == nullptr) throw Error::out_of_memory();
      deflater_level = level;
    }
    return libdeflate_zlib_compress(deflater, chars(in), in.size(), out.data(), out.size());
  }

  void decode_zlib(std::span<const std::byte> in, std::span<std::byte> out, InnerSum inner_sum) {
    if (inflater == nullptr) inflater = libdeflate_alloc_decompressor();
    if (inflater == nullptr) throw Error::out_of_memory();
    char nothing = 0;
    void* const target = out.empty() ? static_cast<void*>(&nothing) : out.data();
    std::size_t used = 0;
    std::size_t got = 0;
    libdeflate_result result = LIBDEFLATE_BAD_DATA;
    if (inner_sum == InnerSum::compared) {
      result = libdeflate_zlib_decompress_ex(inflater, chars(in), in.size(), target, out.size(), &used, &got);
    } else if (has_zlib_frame(in)) {
      result = libdeflate_deflate_decompress_ex(inflater, chars(in) + kZlibHeaderBytes,
                                                in.size() - kZlibHeaderBytes - kZlibSumBytes, target, out.size(), &used,
                                                &got);
      used += kZlibHeaderBytes + kZlibSumBytes;
    }
    switch (result) {
      case LIBDEFLATE_SUCCESS: break;
      case LIBDEFLATE_INSUFFICIENT_SPACE: throw_damaged("zlib", "holds more raw bytes", in, out);
      default: throw_damaged("zlib", "damaged, or its sum is wrong", in, out);
    }
    if (got != out.size()) throw_damaged("zlib", "ends after " + std::to_string(got) + " raw bytes", in, out);
    if (used != in.size()) throw_damaged("zlib", at_offset("bytes follow its end", used), in, out);
  }
#else
  std::size_t encode_zlib(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out) {
    uLongf got = static_cast<uLongf>(out.size());
    const int code = compress2(reinterpret_cast<Bytef*>(out.data()), &got, reinterpret_cast<const Bytef*>(chars(in)),
                               static_cast<uLong>(in.size()), choice.level == 0 ? 6 : choice.level);
    if (code == Z_MEM_ERROR) throw Error::out_of_memory();
    return code == Z_OK ? static_cast<std::size_t>(got) : 0;
  }

  void decode_zlib(std::span<const std::byte> in, std::span<std::byte> out, InnerSum inner_sum) {
    z_stream stream{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chars(in)));
    stream.avail_in = static_cast<uInt>(in.size());
    if (inflateInit(&stream) != Z_OK) throw Error::out_of_memory();
    if (inner_sum == InnerSum::skipped) inflateValidate(&stream, 0);
    Bytef spare = 0;
    stream.next_out = out.empty() ? &spare : reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    int code = out.empty() ? Z_OK : inflate(&stream, Z_FINISH);
    if (code != Z_STREAM_END && stream.avail_out == 0 && code != Z_DATA_ERROR) {
      // All raw bytes are there, but the sum may not be read yet. One spare byte tells this from a stream that goes on.
      stream.next_out = &spare;
      stream.avail_out = 1;
      code = inflate(&stream, Z_FINISH);
      if (stream.avail_out == 0) code = Z_BUF_ERROR;
    }
    const std::size_t used = static_cast<std::size_t>(stream.total_in);
    const std::size_t got = static_cast<std::size_t>(stream.total_out);
    inflateEnd(&stream);
    if (code == Z_MEM_ERROR) throw Error::out_of_memory();
    if (got > out.size()) throw_damaged("zlib", at_offset("holds more raw bytes", used), in, out);
    if (code != Z_STREAM_END) throw_damaged("zlib", at_offset("damaged, or its sum is wrong,", used), in, out);
    if (got != out.size()) throw_damaged("zlib", "ends after " + std::to_string(got) + " raw bytes", in, out);
    if (used != in.size()) throw_damaged("zlib", at_offset("bytes follow its end", used), in, out);
  }
#endif

#if defined(MERE_HAVE_ZSTD)
  std::size_t encode_zstd(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out) {
    if (zstd_encoder == nullptr) zstd_encoder = ZSTD_createCCtx();
    if (zstd_encoder == nullptr) throw Error::out_of_memory();
    const std::size_t got = ZSTD_compressCCtx(zstd_encoder, out.data(), out.size(), chars(in), in.size(),
                                              choice.level == 0 ? ZSTD_CLEVEL_DEFAULT : choice.level);
    if (ZSTD_isError(got) == 0) return got;
    if (ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall) return 0;
    throw Error::out_of_memory();
  }

  void decode_zstd(std::span<const std::byte> in, std::span<std::byte> out) {
    // One frame is the whole block: the library would also take several, one after the other.
    const std::size_t frame = ZSTD_findFrameCompressedSize(chars(in), in.size());
    if (ZSTD_isError(frame) != 0) throw_damaged("zstd", ZSTD_getErrorName(frame), in, out);
    if (frame != in.size()) throw_damaged("zstd", at_offset("bytes follow its end", frame), in, out);
    if (zstd_decoder == nullptr) zstd_decoder = ZSTD_createDCtx();
    if (zstd_decoder == nullptr) throw Error::out_of_memory();
    char nothing = 0;
    void* const target = out.empty() ? static_cast<void*>(&nothing) : out.data();
    const std::size_t got = ZSTD_decompressDCtx(zstd_decoder, target, out.size(), chars(in), in.size());
    if (ZSTD_isError(got) != 0) throw_damaged("zstd", ZSTD_getErrorName(got), in, out);
    if (got != out.size()) throw_damaged("zstd", "ends after " + std::to_string(got) + " raw bytes", in, out);
  }
#endif
};

BlockCodec::BlockCodec() : state_(std::make_unique<State>()) {}
BlockCodec::~BlockCodec() = default;
BlockCodec::BlockCodec(BlockCodec&&) noexcept = default;
BlockCodec& BlockCodec::operator=(BlockCodec&&) noexcept = default;

std::size_t BlockCodec::encode(const EncodeChoice& choice, std::span<const std::byte> in, std::span<std::byte> out) {
  if (out.size() < encode_bound(choice, in.size())) {
    throw Error(Reason::bad_argument, "encoding a block of " + std::to_string(in.size()) + " bytes into " +
                                          std::to_string(out.size()) + ": expected encode_bound() bytes for it");
  }
  const std::size_t got = try_encode(choice, in, out);
  // With room for the bound, memory is all that can be missing.
  if (got == 0 && choice.codec != CodecId::none) throw Error::out_of_memory();
  return got;
}

std::size_t BlockCodec::try_encode(const EncodeChoice& choice, std::span<const std::byte> in,
                                   std::span<std::byte> out) {
  if (!has_codec(choice.codec)) throw_unknown(choice.codec);
  check_level(choice);
  if (in.size() > kMaxBlockBytes) {
    throw Error(Reason::bad_argument, "encoding a block of " + std::to_string(in.size()) + " bytes; expected " +
                                          std::to_string(kMaxBlockBytes) + " at most");
  }
  if (out.empty()) return 0;
  switch (choice.codec) {
    case CodecId::none:
      if (in.size() > out.size()) return 0;
      if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
      return in.size();
    case CodecId::lz4: return state_->encode_lz4(choice, in, out);
    case CodecId::zlib: return state_->encode_zlib(choice, in, out);
    case CodecId::zstd:
#if defined(MERE_HAVE_ZSTD)
      return state_->encode_zstd(choice, in, out);
#endif
      break;
  }
  return 0;
}

void BlockCodec::decode(CodecId codec, std::span<const std::byte> in, std::span<std::byte> out, InnerSum inner_sum) {
  if (!has_codec(codec)) throw_unknown(codec);
  if (in.size() > kMaxBlockBytes || out.size() > kMaxBlockBytes) {
    throw_damaged(to_text(codec), "no block has more than " + std::to_string(kMaxBlockBytes) + " bytes", in, out);
  }
  switch (codec) {
    case CodecId::none:
      if (in.size() != out.size()) throw_damaged("raw", "the lengths differ", in, out);
      if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
      return;
    case CodecId::lz4: decode_lz4(in, out); return;
    case CodecId::zlib: state_->decode_zlib(in, out, inner_sum); return;
    case CodecId::zstd:
#if defined(MERE_HAVE_ZSTD)
      state_->decode_zstd(in, out);
#endif
      return;
  }
}

}  // namespace mere::codec
