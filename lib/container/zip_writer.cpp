#include "container/zip_writer.hpp"

#include <zlib.h>

#include <algorithm>

#include "container/expanded_file.hpp"
#include "container/stream_encoder.hpp"

namespace mere::container {

namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50,
                        kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr std::uint64_t kFull32 = 0xffffffff, kFull16 = 0xffff;
constexpr std::uint16_t kVersion = 20, kVersion64 = 45;
constexpr std::uint16_t kFlagUtf8 = 0x800;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kFirstDay = 0x21;  // 1980-01-01, the first that the format knows
constexpr std::uint16_t kZip64Field = 1;

class Bytes {
 public:
  template <class T>
  Bytes& add(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    return *this;
  }
  Bytes& add16(std::uint64_t value) { return add(static_cast<std::uint16_t>(value)); }
  Bytes& add32(std::uint64_t value) { return add(static_cast<std::uint32_t>(value)); }
  Bytes& add64(std::uint64_t value) { return add(value); }
  Bytes& add_text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Into an anonymous file, counted.
class SpoolSink final : public os::Sink {
 public:
  explicit SpoolSink(ExpandedFile& file) : file_(file) {}
  void write(std::span<const std::byte> bytes) override { file_.append(bytes); }

 private:
  ExpandedFile& file_;
};

}  // namespace

void ZipWriter::write(std::string_view bytes) {
  write(std::as_bytes(std::span(bytes)));
}

void ZipWriter::write(std::span<const std::byte> bytes) {
  sink_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::write_local(const Entry& entry) {
  const bool wide = entry.stored_bytes >= kFull32 || entry.raw_bytes >= kFull32;
  Bytes header;
  header.add(kLocalMagic)
      .add(wide ? kVersion64 : kVersion)
      .add16(is_ascii(entry.name) ? 0 : kFlagUtf8)
      .add16(entry.deflated ? kDeflated : 0)
      .add16(0)
      .add(kFirstDay)
      .add(entry.crc32)
      .add32(wide ? kFull32 : entry.stored_bytes)
      .add32(wide ? kFull32 : entry.raw_bytes)
      .add16(entry.name.size())
      .add16(wide ? 20 : 0)
      .add_text(entry.name);
  if (wide) header.add(kZip64Field).add16(16).add64(entry.raw_bytes).add64(entry.stored_bytes);
  write(header.bytes());
}

void ZipWriter::add(std::string_view name, const Source& source) {
  if (name.empty() || name.size() > 0x7fff) {
    throw Error(Reason::bad_argument, "zip: a member's name of " + std::to_string(name.size()) + " bytes");
  }
  Entry entry{.name = std::string(name), .offset = position_, .deflated = level_ != 0};
  uLong sum = ::crc32(0, nullptr, 0);
  const auto count = [&](std::span<const std::byte> piece) {
    sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    entry.raw_bytes += piece.size();
  };
  if (!entry.deflated) {
    // Twice over the bytes: the sum stands before them.
    source(count);
    entry.stored_bytes = entry.raw_bytes;
    entry.crc32 = static_cast<std::uint32_t>(sum);
    write_local(entry);
    source([&](std::span<const std::byte> piece) { write(piece); });
  } else {
    ExpandedFile spool;
    SpoolSink to_spool(spool);
    CompressingSink compress(StreamCodec::deflate, level_, to_spool);
    source([&](std::span<const std::byte> piece) {
      count(piece);
      compress.write(piece);
    });
    compress.finish();
    entry.stored_bytes = spool.size();
    entry.crc32 = static_cast<std::uint32_t>(sum);
    write_local(entry);
    const HeldBytes held = spool.map();
    write(held.bytes);
  }
  if (position_ - entry.offset < entry.stored_bytes) {
    throw Error(Reason::file_changed, "zip: member '" + entry.name + "' changed while it was written");
  }
  entries_.push_back(std::move(entry));
}

void ZipWriter::add(std::string_view name, std::span<const std::byte> bytes) {
  add(name, [bytes](const auto& take) {
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    for (std::size_t at = 0; at < bytes.size(); at += kPiece)
      take(bytes.subspan(at, std::min(kPiece, bytes.size() - at)));
  });
}

void ZipWriter::finish() {
  const std::uint64_t begin = position_;
  for (const Entry& entry : entries_) {
    Bytes wide;
    if (entry.raw_bytes >= kFull32) wide.add64(entry.raw_bytes);
    if (entry.stored_bytes >= kFull32) wide.add64(entry.stored_bytes);
    if (entry.offset >= kFull32) wide.add64(entry.offset);
    const bool is_wide = !wide.bytes().empty();
    Bytes header;
    header.add(kCentralMagic)
        .add(is_wide ? kVersion64 : kVersion)
        .add(is_wide ? kVersion64 : kVersion)
        .add16(is_ascii(entry.name) ? 0 : kFlagUtf8)
        .add16(entry.deflated ? kDeflated : 0)
        .add16(0)
        .add(kFirstDay)
        .add(entry.crc32)
        .add32(std::min(entry.stored_bytes, kFull32))
        .add32(std::min(entry.raw_bytes, kFull32))
        .add16(entry.name.size())
        .add16(is_wide ? wide.bytes().size() + 4 : 0)
        .add16(0)
        .add16(0)
        .add16(0)
        .add32(0)
        .add32(std::min(entry.offset, kFull32))
        .add_text(entry.name);
    if (is_wide) header.add(kZip64Field).add16(wide.bytes().size()).add_text(wide.bytes());
    write(header.bytes());
  }
  const std::uint64_t bytes = position_ - begin, count = entries_.size();
  Bytes end;
  if (bytes >= kFull32 || begin >= kFull32 || count >= kFull16) {
    end.add(kEnd64Magic).add64(44).add(kVersion64).add(kVersion64).add32(0).add32(0).add64(count).add64(count);
    end.add64(bytes).add64(begin);
    end.add(kLocator64Magic).add32(0).add64(position_).add32(1);
  }
  end.add(kEndMagic).add16(0).add16(0).add16(std::min(count, kFull16)).add16(std::min(count, kFull16));
  end.add32(std::min(bytes, kFull32)).add32(std::min(begin, kFull32)).add16(0);
  write(end.bytes());
}

}  // namespace mere::container
