#include "container/stream_encoder.hpp"

#include <lz4frame.h>
#include <zlib.h>

#ifdef MERE_HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef MERE_HAVE_LZMA
#include <lzma.h>
#endif

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace mere::container {

namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr int kDefaultLevel = 3;

[[noreturn]] void fail(StreamCodec codec, const std::string& what) {
  throw Error(Reason::not_supported, std::string(to_text(codec)) + ": " + what);
}

}  // namespace

struct CompressingSink::Encoder {
  explicit Encoder(os::Sink& to) : sink(to), out(kPieceBytes) {}
  virtual ~Encoder() = default;
  virtual void encode(std::span<const std::byte> bytes) = 0;
  virtual void end() = 0;

  void pass_on(std::size_t count) {
    if (count != 0) sink.write(std::span(out).first(count));
  }

  os::Sink& sink;
  std::vector<std::byte> out;
};

namespace {

class DeflateEncoder final : public CompressingSink::Encoder {
 public:
  DeflateEncoder(StreamCodec codec, int level, os::Sink& to) : Encoder(to) {
    constexpr int kWindow = 15;
    const int bits = codec == StreamCodec::gzip ? kWindow + 16 : codec == StreamCodec::deflate ? -kWindow : kWindow;
    if (deflateInit2(&stream_, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw Error::out_of_memory();
  }
  ~DeflateEncoder() override { deflateEnd(&stream_); }
  void encode(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 1u << 30));
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
      while (stream_.avail_in != 0) run(Z_NO_FLUSH);
      bytes = bytes.subspan(part.size());
    }
  }
  void end() override {
    while (run(Z_FINISH) != Z_STREAM_END) {
    }
  }

 private:
  int run(int flush) {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = deflate(&stream_, flush);
    pass_on(out.size() - stream_.avail_out);
    return result;
  }
  z_stream stream_{};
};

class Lz4Encoder final : public CompressingSink::Encoder {
 public:
  Lz4Encoder(int level, os::Sink& to) : Encoder(to) {
    if (LZ4F_isError(LZ4F_createCompressionContext(&context_, LZ4F_VERSION))) throw Error::out_of_memory();
    preferences_.frameInfo.blockSizeID = LZ4F_max256KB;
    preferences_.compressionLevel = level;
    out.resize(std::max<std::size_t>(LZ4F_compressBound(kPieceBytes, &preferences_), LZ4F_HEADER_SIZE_MAX));
    take(LZ4F_compressBegin(context_, out.data(), out.size(), &preferences_));
  }
  ~Lz4Encoder() override { LZ4F_freeCompressionContext(context_); }
  void encode(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min(bytes.size(), kPieceBytes));
      take(LZ4F_compressUpdate(context_, out.data(), out.size(), part.data(), part.size(), nullptr));
      bytes = bytes.subspan(part.size());
    }
  }
  void end() override { take(LZ4F_compressEnd(context_, out.data(), out.size(), nullptr)); }

 private:
  void take(std::size_t result) {
    if (LZ4F_isError(result)) fail(StreamCodec::lz4, LZ4F_getErrorName(result));
    pass_on(result);
  }
  LZ4F_cctx* context_ = nullptr;
  LZ4F_preferences_t preferences_{};
};

#ifdef MERE_HAVE_BZIP2
class Bzip2Encoder final : public CompressingSink::Encoder {
 public:
  Bzip2Encoder(int level, os::Sink& to) : Encoder(to) {
    if (BZ2_bzCompressInit(&stream_, level, 0, 0) != BZ_OK) throw Error::out_of_memory();
  }
  ~Bzip2Encoder() override { BZ2_bzCompressEnd(&stream_); }
  void encode(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 1u << 30));
      stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(part.data()));
      stream_.avail_in = static_cast<unsigned>(part.size());
      while (stream_.avail_in != 0) run(BZ_RUN);
      bytes = bytes.subspan(part.size());
    }
  }
  void end() override {
    while (run(BZ_FINISH) != BZ_STREAM_END) {
    }
  }

 private:
  int run(int action) {
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int result = BZ2_bzCompress(&stream_, action);
    if (result < 0) fail(StreamCodec::bz2, "error " + std::to_string(result));
    pass_on(out.size() - stream_.avail_out);
    return result;
  }
  bz_stream stream_{};
};
#endif

#ifdef MERE_HAVE_LZMA
class XzEncoder final : public CompressingSink::Encoder {
 public:
  XzEncoder(int level, os::Sink& to) : Encoder(to) {
    if (lzma_easy_encoder(&stream_, static_cast<std::uint32_t>(level), LZMA_CHECK_CRC64) != LZMA_OK) {
      throw Error::out_of_memory();
    }
  }
  ~XzEncoder() override { lzma_end(&stream_); }
  void encode(std::span<const std::byte> bytes) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    stream_.avail_in = bytes.size();
    while (stream_.avail_in != 0) run(LZMA_RUN);
  }
  void end() override {
    while (run(LZMA_FINISH) != LZMA_STREAM_END) {
    }
  }

 private:
  lzma_ret run(lzma_action action) {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret result = lzma_code(&stream_, action);
    if (result != LZMA_OK && result != LZMA_STREAM_END) fail(StreamCodec::xz, "error " + std::to_string(result));
    pass_on(out.size() - stream_.avail_out);
    return result;
  }
  lzma_stream stream_ = LZMA_STREAM_INIT;
};
#endif

}  // namespace

CompressingSink::CompressingSink(StreamCodec codec, int level, os::Sink& sink) {
  if (level < 0 || level > 9) {
    throw Error(Reason::bad_argument, "a compression level of " + std::to_string(level) + ", expected 1 to 9");
  }
  if (level == 0) level = kDefaultLevel;
  switch (codec) {
    case StreamCodec::zlib:
    case StreamCodec::gzip:
    case StreamCodec::deflate: encoder_ = std::make_unique<DeflateEncoder>(codec, level, sink); return;
    case StreamCodec::lz4: encoder_ = std::make_unique<Lz4Encoder>(level, sink); return;
    case StreamCodec::bz2:
#ifdef MERE_HAVE_BZIP2
      encoder_ = std::make_unique<Bzip2Encoder>(level, sink);
      return;
#else
      break;
#endif
    case StreamCodec::xz:
#ifdef MERE_HAVE_LZMA
      encoder_ = std::make_unique<XzEncoder>(level, sink);
      return;
#else
      break;
#endif
    case StreamCodec::lzma: break;
  }
  fail(codec, "this build does not write it");
}

CompressingSink::~CompressingSink() = default;

void CompressingSink::write(std::span<const std::byte> bytes) {
  encoder_->encode(bytes);
}

void CompressingSink::finish() {
  encoder_->end();
}

}  // namespace mere::container
