#include "model/write_options.hpp"

#include "model/filters.hpp"

namespace mere::model {

codec::EncodeChoice encode_choice(Codec codec, int level) {
  if (!has_codec(codec)) {
    throw Error(Reason::unknown_codec, "this build has no codec \"" + std::string(to_text(codec)) + "\"");
  }
  codec::EncodeChoice choice;
  choice.level = level;
  switch (codec) {
    case Codec::none: break;
    case Codec::lz4: choice.codec = codec::CodecId::lz4; break;
    case Codec::lz4hc:
      choice.codec = codec::CodecId::lz4;
      choice.high = true;
      break;
    case Codec::zlib:
    case Codec::smallest: choice.codec = codec::CodecId::zlib; break;
    case Codec::zstd: choice.codec = codec::CodecId::zstd; break;
  }
  return choice;
}

format::WriteOptions write_options(const DumpOptions& options) {
  format::WriteOptions write;
  write.codec = encode_choice(options.codec, options.level);
  write.try_harder = options.codec == Codec::smallest;
  write.filters = options.filters;
  write.filter_table = filters();
  write.alignment = options.alignment;
  write.threads = options.threads;
  if (options.progress) {
    write.progress = [&options](std::uint64_t done, std::uint64_t total) { options.progress({done, total}); };
  }
  return write;
}

}  // namespace mere::model
