#include "container/stream_decoder.hpp"

#include <lz4frame.h>
#include <zlib.h>
#ifdef MERE_HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef MERE_HAVE_LZMA
#include <lzma.h>
#endif

#include <algorithm>
#include <memory>
#include <string>

#include <mere/error.hpp>

namespace mere::container {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20;  // any ratio is allowed up to here

// What a codec writes into: not zeroed, since small streams are most of what is read.
struct Piece {
  std::unique_ptr<std::byte[]> memory = std::make_unique_for_overwrite<std::byte[]>(kPieceBytes);
  std::byte* data() const { return memory.get(); }
  std::size_t size() const { return kPieceBytes; }
  std::span<const std::byte> first(std::size_t count) const { return {memory.get(), count}; }
};

// Counts what comes out and holds it against the limits.
class Output {
 public:
  Output(StreamCodec codec, const StreamOptions& options, std::uint64_t total,
         const std::function<void(std::span<const std::byte>)>& take)
      : codec_(codec), options_(options), total_(total), take_(take) {}

  void give(std::span<const std::byte> piece, std::uint64_t used) {
    done_ += piece.size();
    if (done_ > options_.most_bytes) {
      fail(Reason::too_large, used,
           "expands to more than " + std::to_string(options_.most_bytes) + " bytes (Limits::expanded_bytes)");
    }
    const std::uint64_t ratio = options_.bound_ratio ? options_.most_ratio : 0;
    if (ratio != 0 && done_ > kFreeBytes && done_ / ratio > used) {
      fail(Reason::too_large, used,
           "expands to more than " + std::to_string(options_.most_ratio) + " times its size (Limits::expand_ratio)");
    }
    if (!piece.empty()) take_(piece);
    if (options_.progress) options_.progress(used, total_);
  }

  [[noreturn]] void fail(Reason reason, std::uint64_t offset, const std::string& what) const {
    throw Error(reason, std::string(to_text(codec_)) + " stream, byte " + std::to_string(offset) + ": " + what);
  }

 private:
  StreamCodec codec_;
  const StreamOptions& options_;
  std::uint64_t total_;
  const std::function<void(std::span<const std::byte>)>& take_;
  std::uint64_t done_ = 0;
};

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

std::uint64_t inflate_stream(int window_bits, std::span<const std::byte> in, Output& out) {
  z_stream state{};
  if (inflateInit2(&state, window_bits) != Z_OK) throw Error::out_of_memory();
  const std::unique_ptr<z_stream, InflateEnd> closer(&state);
  const Piece piece;
  std::size_t given = 0;  // input handed to zlib, which counts in 32 bits
  while (true) {
    if (state.avail_in == 0) {
      const std::size_t more = std::min<std::size_t>(in.size() - given, kPieceBytes);
      // zlib reads from it and declares it writable all the same.
      state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data() + given));
      state.avail_in = static_cast<uInt>(more);
      given += more;
    }
    state.next_out = reinterpret_cast<Bytef*>(piece.data());
    state.avail_out = static_cast<uInt>(piece.size());
    const int result = inflate(&state, Z_NO_FLUSH);
    const std::uint64_t used = given - state.avail_in;
    const std::size_t made = piece.size() - state.avail_out;
    if (result == Z_MEM_ERROR) throw Error::out_of_memory();
    if (result == Z_NEED_DICT) out.fail(Reason::bad_stream, used, "asks for a preset dictionary");
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      out.fail(Reason::bad_stream, used, state.msg != nullptr ? state.msg : "damaged");
    }
    out.give(piece.first(made), used);
    if (result == Z_STREAM_END) return used;
    if (state.avail_in == 0 && given == in.size() && made < piece.size())
      out.fail(Reason::bad_stream, used, "ends in the middle");
  }
}

struct Lz4End {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

std::uint64_t decode_lz4(std::span<const std::byte> in, Output& out) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) throw Error::out_of_memory();
  const std::unique_ptr<LZ4F_dctx, Lz4End> context(raw);
  const Piece piece;
  std::uint64_t used = 0;
  while (true) {
    std::size_t made = piece.size();
    std::size_t taken = std::min<std::size_t>(in.size() - used, kPieceBytes);
    const std::size_t offered = taken;
    const std::size_t hint = LZ4F_decompress(context.get(), piece.data(), &made, in.data() + used, &taken, nullptr);
    if (LZ4F_isError(hint)) out.fail(Reason::bad_stream, used, LZ4F_getErrorName(hint));
    used += taken;
    out.give(piece.first(made), used);
    if (hint == 0) return used;
    if (offered == 0 && made == 0) out.fail(Reason::bad_stream, used, "ends in the middle");
  }
}

#ifdef MERE_HAVE_BZIP2
struct Bz2End {
  void operator()(bz_stream* stream) const { BZ2_bzDecompressEnd(stream); }
};

std::uint64_t decode_bz2(std::span<const std::byte> in, Output& out) {
  bz_stream state{};
  const int begun = BZ2_bzDecompressInit(&state, 0, 0);
  if (begun != BZ_OK) throw Error::out_of_memory();
  const std::unique_ptr<bz_stream, Bz2End> closer(&state);
  const Piece piece;
  std::size_t given = 0;  // input handed to bzip2, which counts in 32 bits
  while (true) {
    if (state.avail_in == 0) {
      const std::size_t more = std::min<std::size_t>(in.size() - given, kPieceBytes);
      state.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data() + given));
      state.avail_in = static_cast<unsigned>(more);
      given += more;
    }
    state.next_out = reinterpret_cast<char*>(piece.data());
    state.avail_out = static_cast<unsigned>(piece.size());
    const int result = BZ2_bzDecompress(&state);
    const std::uint64_t used = given - state.avail_in;
    const std::size_t made = piece.size() - state.avail_out;
    if (result == BZ_MEM_ERROR) throw Error::out_of_memory();
    if (result != BZ_OK && result != BZ_STREAM_END) {
      out.fail(Reason::bad_stream, used, result == BZ_DATA_ERROR_MAGIC ? "no bzip2 header" : "damaged");
    }
    out.give(piece.first(made), used);
    if (result == BZ_STREAM_END) return used;
    if (state.avail_in == 0 && given == in.size() && made < piece.size()) {
      out.fail(Reason::bad_stream, used, "ends in the middle");
    }
  }
}
#endif

#ifdef MERE_HAVE_LZMA
struct LzmaEnd {
  void operator()(lzma_stream* stream) const { lzma_end(stream); }
};

[[noreturn]] void fail_lzma(lzma_ret result, const lzma_stream& state, std::uint64_t used, const StreamOptions& options,
                            const Output& out) {
  switch (result) {
    case LZMA_MEM_ERROR: throw Error::out_of_memory();
    case LZMA_MEMLIMIT_ERROR:
      out.fail(Reason::too_large, used,
               "asks for " + std::to_string(lzma_memusage(&state)) + " bytes of memory, allowed are " +
                   std::to_string(options.decoder_bytes) + " (Limits::decoder_bytes)");
    case LZMA_UNSUPPORTED_CHECK: out.fail(Reason::not_supported, used, "a check that this build does not know");
    case LZMA_OPTIONS_ERROR: out.fail(Reason::not_supported, used, "options that this build does not know");
    case LZMA_FORMAT_ERROR: out.fail(Reason::bad_stream, used, "no header of this format");
    case LZMA_BUF_ERROR: out.fail(Reason::bad_stream, used, "ends in the middle");
    default: out.fail(Reason::bad_stream, used, "damaged");
  }
}

std::uint64_t decode_lzma(bool alone, std::span<const std::byte> in, const StreamOptions& options, Output& out) {
  lzma_stream state = LZMA_STREAM_INIT;
  const lzma_ret begun = alone ? lzma_alone_decoder(&state, options.decoder_bytes)
                               : lzma_stream_decoder(&state, options.decoder_bytes, LZMA_TELL_UNSUPPORTED_CHECK);
  const std::unique_ptr<lzma_stream, LzmaEnd> closer(&state);
  if (begun != LZMA_OK) throw Error::out_of_memory();
  const Piece piece;
  // In pieces, so that progress is told while little comes out.
  std::size_t given = 0;
  while (true) {
    if (state.avail_in == 0) {
      state.next_in = reinterpret_cast<const std::uint8_t*>(in.data() + given);
      state.avail_in = std::min<std::size_t>(in.size() - given, kPieceBytes);
      given += state.avail_in;
    }
    state.next_out = reinterpret_cast<std::uint8_t*>(piece.data());
    state.avail_out = piece.size();
    const lzma_ret result = lzma_code(&state, given == in.size() ? LZMA_FINISH : LZMA_RUN);
    const std::uint64_t used = given - state.avail_in;
    if (result != LZMA_OK && result != LZMA_STREAM_END) fail_lzma(result, state, used, options, out);
    out.give(piece.first(piece.size() - state.avail_out), used);
    if (result == LZMA_STREAM_END) return used;
  }
}
#endif

}  // namespace

std::string_view to_text(StreamCodec codec) noexcept {
  switch (codec) {
    case StreamCodec::zlib: return "zlib";
    case StreamCodec::gzip: return "gzip";
    case StreamCodec::deflate: return "deflate";
    case StreamCodec::lz4: return "lz4";
    case StreamCodec::bz2: return "bz2";
    case StreamCodec::xz: return "xz";
    case StreamCodec::lzma: return "lzma";
  }
  return "unknown";
}

bool has_codec(StreamCodec codec) noexcept {
  switch (codec) {
#ifndef MERE_HAVE_BZIP2
    case StreamCodec::bz2: return false;
#endif
#ifndef MERE_HAVE_LZMA
    case StreamCodec::xz:
    case StreamCodec::lzma: return false;
#endif
    default: return true;
  }
}

std::uint64_t decode_stream(StreamCodec codec, std::span<const std::byte> stream, const StreamOptions& options,
                            const std::function<void(std::span<const std::byte>)>& take) {
  Output out(codec, options, stream.size(), take);
  // inflateInit2's window bits choose the wrapping: 15 zlib, +16 gzip, negative none.
  switch (codec) {
    case StreamCodec::zlib: return inflate_stream(15, stream, out);
    case StreamCodec::gzip: return inflate_stream(15 + 16, stream, out);
    case StreamCodec::deflate: return inflate_stream(-15, stream, out);
    case StreamCodec::lz4: return decode_lz4(stream, out);
#ifdef MERE_HAVE_BZIP2
    case StreamCodec::bz2: return decode_bz2(stream, out);
#endif
#ifdef MERE_HAVE_LZMA
    case StreamCodec::xz: return decode_lzma(false, stream, options, out);
    case StreamCodec::lzma: return decode_lzma(true, stream, options, out);
#endif
    default: out.fail(Reason::not_supported, 0, "this build does not read this codec");
  }
}

}  // namespace mere::container
