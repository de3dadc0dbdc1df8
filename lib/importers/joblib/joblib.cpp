#include "importers/joblib/joblib.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "container/expanded_file.hpp"
#include "container/stream_decoder.hpp"
#include "importers/joblib/zf_stream.hpp"
#include "importers/pickle/pickle.hpp"

namespace mere::importers::joblib {

namespace {

using container::StreamCodec;

struct Magic {
  std::string_view bytes;
  std::string_view codec;
  StreamCodec decoder;
};

// zlib has no magic but its header, which is checked apart.
constexpr Magic kMagics[] = {
    {"ZF", "zf", StreamCodec::zlib},
    {std::string_view("\x1f\x8b", 2), "gzip", StreamCodec::gzip},
    {std::string_view("\x04\x22\x4d\x18", 4), "lz4", StreamCodec::lz4},
    {std::string_view("BZh", 3), "bz2", StreamCodec::bz2},
    {std::string_view("\xfd\x37zXZ\0", 6), "xz", StreamCodec::xz},
    // Its properties, which joblib does not choose, and the low bytes of the dictionary's size.
    {std::string_view("\x5d\0\0", 3), "lzma", StreamCodec::lzma},
};
constexpr Magic kZlib{"", "zlib", StreamCodec::zlib};

const Magic* find_magic(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Magic& magic : kMagics) {
    if (text.substr(0, magic.bytes.size()) == magic.bytes) return &magic;
  }
  // RFC 1950: deflate with a 32 KiB window, and both bytes together a multiple of 31.
  if (bytes.size() >= 2 && bytes[0] == std::byte{0x78} && (0x7800 + static_cast<unsigned>(bytes[1])) % 31 == 0)
    return &kZlib;
  return nullptr;
}

}  // namespace

bool matches(std::span<const std::byte> bytes) {
  return find_magic(bytes) != nullptr;
}

Imported read(const Source& source, const ImportOptions& options) {
  const Magic& magic = *find_magic(source.bytes);
  const std::string codec(magic.codec);
  if (!container::has_codec(magic.decoder)) {
    throw Error(Reason::not_supported, "compressed by " + codec + ", which this build does not read");
  }
  container::ExpandedFile expanded;
  container::StreamOptions stream_options{.most_bytes = options.limits.expanded_bytes,
                                          .most_ratio = options.limits.expand_ratio,
                                          .decoder_bytes = options.limits.decoder_bytes,
                                          .progress = {}};
  if (options.progress || source.release) {
    stream_options.progress = [&](std::uint64_t done, std::uint64_t total) {
      if (source.release) source.release(0, done);
      if (options.progress) options.progress({done, total});
    };
  }
  const auto take = [&](std::span<const std::byte> piece) { expanded.append(piece); };
  const std::uint64_t used = is_zf(source.bytes)
                                 ? decode_zf(source.bytes, stream_options, take)
                                 : container::decode_stream(magic.decoder, source.bytes, stream_options, take);
  if (used != source.bytes.size()) {
    throw Error(Reason::trailing_bytes, "byte " + std::to_string(used) + ": " +
                                            std::to_string(source.bytes.size() - used) +
                                            " bytes follow the end of the " + codec + " stream");
  }
  const container::HeldBytes held = expanded.map();
  if (!pickle::matches(held.bytes)) {
    throw Error(Reason::unknown_format, "a " + codec + " stream that holds no pickle");
  }
  Source inside{held.bytes, held.owner, source.name, source.directory, {}};
  if (held.mapping) {
    inside.release = [&held](std::uint64_t begin, std::uint64_t end) { held.mapping->release(begin, end); };
  }
  Imported result = pickle::read(inside, options);
  result.format = "joblib";
  result.codec = codec;
  if (held.mapping) {
    result.release = [held, others = std::move(result.release)](std::span<const std::byte> bytes) {
      held.release(bytes);
      if (others) others(bytes);
    };
    result.check_unchanged = [mapping = held.mapping, others = std::move(result.check_unchanged)] {
      if (mapping->faulted()) {
        throw Error(Reason::fault,
                    "a page of the expanded bytes could not be read: the temporary directory's disk is bad");
      }
      if (others) others();
    };
  }
  return result;
}

}  // namespace mere::importers::joblib
