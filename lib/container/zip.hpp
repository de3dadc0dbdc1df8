#pragma once
// The zip directory (PKWARE APPNOTE), read strictly: every byte belongs to one entry, the directory or its end, and
// what is said twice is said alike. Entries are never written by name.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "container/expanded_file.hpp"
#include "container/stream_decoder.hpp"

namespace mere::container {

struct ZipEntry {
  std::string name;                  // UTF-8, relative, without "..", backslashes and NUL
  std::optional<StreamCodec> codec;  // nothing: stored
  bool end_marked = false;           // lzma: the stream says itself where it ends
  std::uint64_t offset = 0;          // of its bytes
  std::uint64_t stored_bytes = 0;
  std::uint64_t raw_bytes = 0;
  std::uint32_t crc32 = 0;  // of the raw bytes
};

// True if the bytes begin as a zip archive does, or are an empty one.
bool is_zip(std::span<const std::byte> bytes);

// The entries in the order of the directory; nothing is expanded. Throws Error: bad_record, truncated, duplicate_key
// (a name twice), overlap, not_supported (encrypted, a method other than stored, deflate, bzip2 and lzma, links,
// several disks).
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> bytes);

// The raw bytes of an entry, its sum checked: in `bytes` itself if stored, else appended to `expanded`, from a multiple
// of 64 on; then `offset` is where, and the bytes are in expanded.map(). Throws Error: checksum, bad_stream, too_large,
// not_supported (a build without the codec).
struct ZipContent {
  bool expanded = false;
  std::uint64_t offset = 0;
};
ZipContent expand_zip_entry(std::span<const std::byte> bytes, const ZipEntry& entry, ExpandedFile& expanded,
                            const StreamOptions& options);

}  // namespace mere::container
