#pragma once
// Compresses a stream piece by piece on its way to a sink: zlib, gzip, raw deflate, LZ4 frames, bzip2 and xz.

#include <cstdint>
#include <memory>
#include <span>

#include "container/stream_decoder.hpp"
#include "os/sink.hpp"

namespace mere::container {

// What is written to it is compressed and goes on to another sink; finish() writes the end. The same bytes give the
// same stream, however they are cut into pieces.
class CompressingSink : public os::Sink {
 public:
  // `level`: 1 to 9, or 0 for the codec's own of joblib, 3. `sink` outlives this.
  // Throws Error: not_supported (the build lacks the codec; lzma), bad_argument (level), out_of_memory.
  CompressingSink(StreamCodec codec, int level, os::Sink& sink);
  ~CompressingSink() override;
  void write(std::span<const std::byte> bytes) override;
  void finish();

  struct Encoder;

 private:
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace mere::container
