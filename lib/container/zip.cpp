#include "container/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include <mere/error.hpp>
#include <mere/size.hpp>

#include "format/text_form.hpp"

namespace mere::container {

namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50, kDescriptorMagic = 0x08074b50;
constexpr std::uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr std::uint32_t kFlagEncrypted = 1, kFlagEndMarked = 2, kFlagDescriptor = 8, kFlagStrong = 64, kFlagUtf8 = 2048,
                        kFlagMasked = 8192;

struct Method {
  std::uint16_t number;
  std::optional<StreamCodec> codec;
};
constexpr Method kMethods[] = {
    {0, std::nullopt}, {8, StreamCodec::deflate}, {12, StreamCodec::bz2}, {14, StreamCodec::lzma}};

[[noreturn]] void fail(Reason reason, std::uint64_t offset, const std::string& what) {
  throw Error(reason, "zip, byte " + std::to_string(offset) + ": " + what);
}

// Numbers at fixed places of a record that is known to be there.
template <class T>
T read(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// One entry as central and local headers both describe it.
struct Header {
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t stored = 0, raw = 0, local_offset = 0;
  std::string_view name;
  std::uint64_t bytes = 0;  // of the header itself with name, extra and comment
};

// Where the central directory lies.
struct Directory {
  std::uint64_t offset = 0, bytes = 0, entries = 0;
};

// Replaces sizes of 0xffffffff by those of the zip64 extra field, in the order that the format fixes.
void read_zip64(std::span<const std::byte> extra, std::uint64_t at, std::initializer_list<std::uint64_t*> fields) {
  std::uint64_t position = 0;
  bool found = false;
  while (position < extra.size()) {
    if (extra.size() - position < 4) fail(Reason::bad_record, at, "an extra field that is cut");
    const auto id = read<std::uint16_t>(extra, position);
    const auto length = read<std::uint16_t>(extra, position + 2);
    if (!range_fits(position + 4, length, extra.size())) fail(Reason::bad_record, at, "an extra field that is cut");
    if (id == 1) {
      if (found) fail(Reason::bad_record, at, "two zip64 fields");
      found = true;
      std::uint64_t used = 0;
      for (std::uint64_t* const field : fields) {
        if (*field != 0xffffffff) continue;
        if (length - used < 8) fail(Reason::bad_record, at, "a zip64 field that lacks a size");
        *field = read<std::uint64_t>(extra, position + 4 + used);
        used += 8;
      }
    }
    position += 4 + length;
  }
  if (found) return;
  for (const std::uint64_t* const field : fields) {
    if (*field == 0xffffffff) fail(Reason::bad_record, at, "a size of 4294967295 without a zip64 field");
  }
}

// The one end record: its comment reaches to the end of the file, and no other one does.
std::uint64_t find_end(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndBytes) fail(Reason::truncated, bytes.size(), "too short for a zip archive");
  const std::uint64_t last = bytes.size() - kEndBytes;
  const std::uint64_t first = last > 0xffff ? last - 0xffff : 0;
  std::optional<std::uint64_t> found;
  for (std::uint64_t at = last + 1; at-- > first;) {
    if (read<std::uint32_t>(bytes, at) != kEndMagic || read<std::uint16_t>(bytes, at + 20) != last - at) continue;
    if (found) fail(Reason::bad_record, at, "two ends of the directory");
    found = at;
  }
  if (!found) fail(Reason::truncated, bytes.size(), "the directory's end is missing");
  return *found;
}

Directory find_directory(std::span<const std::byte> bytes) {
  const std::uint64_t end = find_end(bytes);
  if (read<std::uint16_t>(bytes, end + 4) != 0 || read<std::uint16_t>(bytes, end + 6) != 0) {
    fail(Reason::not_supported, end, "an archive of several disks");
  }
  Directory directory{.offset = read<std::uint32_t>(bytes, end + 16),
                      .bytes = read<std::uint32_t>(bytes, end + 12),
                      .entries = read<std::uint16_t>(bytes, end + 10)};
  if (read<std::uint16_t>(bytes, end + 8) != directory.entries) fail(Reason::bad_record, end, "two numbers of entries");
  std::uint64_t directory_end = end;
  if (end >= kLocator64Bytes && read<std::uint32_t>(bytes, end - kLocator64Bytes) == kLocator64Magic) {
    const std::uint64_t locator = end - kLocator64Bytes;
    const auto record = read<std::uint64_t>(bytes, locator + 8);
    if (!range_fits(record, kEnd64Bytes, locator) || read<std::uint32_t>(bytes, record) != kEnd64Magic ||
        read<std::uint64_t>(bytes, record + 4) != locator - record - 12) {
      fail(Reason::bad_record, locator, "no zip64 end record where the locator says");
    }
    const Directory wide{.offset = read<std::uint64_t>(bytes, record + 48),
                         .bytes = read<std::uint64_t>(bytes, record + 40),
                         .entries = read<std::uint64_t>(bytes, record + 32)};
    if (read<std::uint32_t>(bytes, record + 16) != 0 || read<std::uint32_t>(bytes, record + 20) != 0 ||
        read<std::uint64_t>(bytes, record + 24) != wide.entries) {
      fail(Reason::not_supported, record, "an archive of several disks");
    }
    // The short record says the same, or that a number does not fit into it.
    if ((directory.offset != wide.offset && directory.offset != 0xffffffff) ||
        (directory.bytes != wide.bytes && directory.bytes != 0xffffffff) ||
        (directory.entries != wide.entries && directory.entries != 0xffff)) {
      fail(Reason::bad_record, end, "the two ends of the directory differ");
    }
    directory = wide;
    directory_end = record;
  }
  if (!range_fits(directory.offset, directory.bytes, directory_end) ||
      directory.offset + directory.bytes != directory_end) {
    fail(Reason::bad_record, end, "the directory does not end where its end begins: bytes stand before or between");
  }
  if (directory.entries > directory.bytes / kCentralBytes)
    fail(Reason::bad_record, end, "more entries than the directory holds");
  return directory;
}

Header read_central(std::span<const std::byte> bytes, std::uint64_t at, std::uint64_t end) {
  if (!range_fits(at, kCentralBytes, end) || read<std::uint32_t>(bytes, at) != kCentralMagic) {
    fail(Reason::bad_record, at, "no entry of the directory");
  }
  Header header{.flags = read<std::uint16_t>(bytes, at + 8),
                .method = read<std::uint16_t>(bytes, at + 10),
                .crc32 = read<std::uint32_t>(bytes, at + 16),
                .stored = read<std::uint32_t>(bytes, at + 20),
                .raw = read<std::uint32_t>(bytes, at + 24),
                .local_offset = read<std::uint32_t>(bytes, at + 42),
                .name = {}};
  const std::uint64_t name = read<std::uint16_t>(bytes, at + 28), extra = read<std::uint16_t>(bytes, at + 30);
  header.bytes = kCentralBytes + name + extra + read<std::uint16_t>(bytes, at + 32);
  if (!range_fits(at, header.bytes, end)) fail(Reason::bad_record, at, "an entry past the end of the directory");
  header.name = {reinterpret_cast<const char*>(bytes.data()) + at + kCentralBytes, static_cast<std::size_t>(name)};
  read_zip64(bytes.subspan(at + kCentralBytes + name, extra), at, {&header.raw, &header.stored, &header.local_offset});
  if (read<std::uint16_t>(bytes, at + 34) != 0) fail(Reason::not_supported, at, "an entry on another disk");
  // Unix modes lie in the upper half of the external attributes, if a Unix made them.
  const bool from_unix = read<std::uint16_t>(bytes, at + 4) >> 8 == 3;
  const std::uint32_t type = read<std::uint32_t>(bytes, at + 38) >> 28;
  if (from_unix && type != 0 && type != 8)
    fail(Reason::not_supported, at, "an entry that is no file (a link or a directory)");
  return header;
}

Header read_local(std::span<const std::byte> bytes, std::uint64_t at, std::uint64_t end) {
  if (!range_fits(at, kLocalBytes, end) || read<std::uint32_t>(bytes, at) != kLocalMagic) {
    fail(Reason::bad_record, at, "no entry where the directory says");
  }
  Header header{.flags = read<std::uint16_t>(bytes, at + 6),
                .method = read<std::uint16_t>(bytes, at + 8),
                .crc32 = read<std::uint32_t>(bytes, at + 14),
                .stored = read<std::uint32_t>(bytes, at + 18),
                .raw = read<std::uint32_t>(bytes, at + 22),
                .name = {}};
  const std::uint64_t name = read<std::uint16_t>(bytes, at + 26), extra = read<std::uint16_t>(bytes, at + 28);
  header.bytes = kLocalBytes + name + extra;
  if (!range_fits(at, header.bytes, end)) fail(Reason::bad_record, at, "an entry past the end of the data");
  header.name = {reinterpret_cast<const char*>(bytes.data()) + at + kLocalBytes, static_cast<std::size_t>(name)};
  read_zip64(bytes.subspan(at + kLocalBytes + name, extra), at, {&header.raw, &header.stored});
  return header;
}

void check_name(std::string_view name, std::uint64_t at, bool utf8) {
  const auto refuse = [&](const char* what) {
    fail(Reason::bad_record, at, "entry name '" + std::string(name) + "' " + what);
  };
  if (format::text_form(name) != format::TextForm::utf8) refuse("is not UTF-8");
  if (name.empty()) refuse("is empty");
  if (name.find('\0') != std::string_view::npos) refuse("holds a NUL");
  if (name.find('\\') != std::string_view::npos) refuse("holds a backslash");
  if (name.front() == '/' || (name.size() > 1 && name[1] == ':')) refuse("is absolute");
  if (name.back() == '/') refuse("is a directory");
  if (!utf8 && std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    refuse("is neither ASCII nor flagged as UTF-8");
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t slash = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, slash - begin);
    if (part == ".." || part == "." || part.empty()) refuse("leaves its place");
    begin = slash + 1;
  }
}

// Bytes of the data descriptor at `at`, which repeats crc and sizes: with or without magic, with short or long sizes.
std::uint64_t descriptor_bytes(std::span<const std::byte> bytes, std::uint64_t at, std::uint64_t end,
                               const Header& central) {
  for (const std::uint64_t magic : {std::uint64_t{4}, std::uint64_t{0}}) {
    for (const std::uint64_t width : {std::uint64_t{4}, std::uint64_t{8}}) {
      const std::uint64_t length = magic + 4 + 2 * width;
      if (!range_fits(at, length, end)) continue;
      if (magic != 0 && read<std::uint32_t>(bytes, at) != kDescriptorMagic) continue;
      const std::uint64_t body = at + magic;
      const auto size_at = [&](std::uint64_t place) {
        return width == 4 ? read<std::uint32_t>(bytes, place) : read<std::uint64_t>(bytes, place);
      };
      if (read<std::uint32_t>(bytes, body) == central.crc32 && size_at(body + 4) == central.stored &&
          size_at(body + 4 + width) == central.raw) {
        return length;
      }
    }
  }
  fail(Reason::bad_record, at, "no data descriptor that repeats the directory's sums and sizes");
}

}  // namespace

bool is_zip(std::span<const std::byte> bytes) {
  if (bytes.size() < 4) return false;
  const auto magic = read<std::uint32_t>(bytes, 0);
  return magic == kLocalMagic || magic == kEndMagic || magic == kEnd64Magic;
}

std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> bytes) {
  const Directory directory = find_directory(bytes);
  const std::uint64_t directory_end = directory.offset + directory.bytes;
  std::vector<ZipEntry> entries;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;  // first byte of an entry, and the one after its last
  std::set<std::string_view> names;
  std::uint64_t at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const Header central = read_central(bytes, at, directory_end);
    check_name(central.name, at, (central.flags & kFlagUtf8) != 0);
    if (!names.insert(central.name).second) {
      fail(Reason::duplicate_key, at, "two entries of the name '" + std::string(central.name) + "'");
    }
    if ((central.flags & (kFlagEncrypted | kFlagStrong | kFlagMasked)) != 0)
      fail(Reason::not_supported, at, "an encrypted entry");
    const auto* method = std::find_if(std::begin(kMethods), std::end(kMethods),
                                      [&](const Method& known) { return known.number == central.method; });
    if (method == std::end(kMethods)) {
      fail(Reason::not_supported, at,
           "compression method " + std::to_string(central.method) + ", known are 0, 8, 12 and 14");
    }
    if (central.method == 0 && central.stored != central.raw)
      fail(Reason::bad_record, at, "a stored entry of two sizes");

    const Header local = read_local(bytes, central.local_offset, directory.offset);
    const bool described = (local.flags & kFlagDescriptor) != 0;
    const bool same_sizes = local.crc32 == central.crc32 && local.stored == central.stored && local.raw == central.raw;
    const bool no_sizes = local.crc32 == 0 && local.stored == 0 && local.raw == 0;
    if (local.name != central.name || local.flags != central.flags || local.method != central.method ||
        !(same_sizes || (described && no_sizes))) {
      fail(Reason::bad_record, central.local_offset,
           "entry '" + std::string(central.name) + "' and the directory differ");
    }
    const std::uint64_t data = central.local_offset + local.bytes;
    if (!range_fits(data, central.stored, directory.offset)) {
      fail(Reason::out_of_bounds, central.local_offset,
           "entry '" + std::string(central.name) + "' reaches past the data");
    }
    std::uint64_t end = data + central.stored;
    if (described) end += descriptor_bytes(bytes, end, directory.offset, central);
    extents.emplace_back(central.local_offset, end);
    entries.push_back({std::string(central.name), method->codec, (central.flags & kFlagEndMarked) != 0, data,
                       central.stored, central.raw, central.crc32});
    at += central.bytes;
  }
  if (at != directory_end) fail(Reason::bad_record, at, "bytes in the directory that belong to no entry");
  // Entries stand one after another from the first byte on: nothing before, between, or shared.
  std::sort(extents.begin(), extents.end());
  std::uint64_t end = 0;
  for (const auto& [first, last] : extents) {
    if (first != end)
      fail(Reason::overlap, first, first < end ? "two entries share bytes" : "bytes before it belong to no entry");
    end = last;
  }
  if (end != directory.offset) fail(Reason::overlap, end, "bytes before the directory belong to no entry");
  return entries;
}

namespace {

// Before its stream, method 14 has a version and the number of properties, 5; the .lzma format has those properties and
// the size, or all ones if the stream marks its end.
std::vector<std::byte> lzma_file(std::span<const std::byte> stored, const ZipEntry& entry) {
  constexpr std::size_t kHeaderBytes = 4, kPropertyBytes = 5;
  if (stored.size() < kHeaderBytes + kPropertyBytes || read<std::uint16_t>(stored, 2) != kPropertyBytes) {
    fail(Reason::bad_stream, entry.offset, "entry '" + entry.name + "' does not begin as an lzma stream");
  }
  const std::uint64_t size = entry.end_marked ? ~std::uint64_t{0} : entry.raw_bytes;
  const auto size_bytes = std::as_bytes(std::span(&size, 1));
  std::vector<std::byte> file;
  file.reserve(stored.size() + size_bytes.size());
  const auto properties = stored.subspan(kHeaderBytes, kPropertyBytes);
  file.insert(file.end(), properties.begin(), properties.end());
  file.insert(file.end(), size_bytes.begin(), size_bytes.end());
  const auto stream = stored.subspan(kHeaderBytes + kPropertyBytes);
  file.insert(file.end(), stream.begin(), stream.end());
  return file;
}

}  // namespace

ZipContent expand_zip_entry(std::span<const std::byte> bytes, const ZipEntry& entry, ExpandedFile& expanded,
                            const StreamOptions& options) {
  const auto stored = bytes.subspan(entry.offset, entry.stored_bytes);
  uLong sum = ::crc32(0, nullptr, 0);
  std::uint64_t made = 0;
  const auto add = [&](std::span<const std::byte> piece) {
    sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    made += piece.size();
  };
  ZipContent content{.expanded = entry.codec.has_value(), .offset = entry.offset};
  if (entry.codec) {
    std::vector<std::byte> file;
    if (entry.codec == StreamCodec::lzma) file = lzma_file(stored, entry);
    const std::span<const std::byte> stream = file.empty() ? stored : file;
    StreamOptions bounded = options;
    bounded.most_bytes = std::min(options.most_bytes, entry.raw_bytes);
    expanded.align(64);
    content.offset = expanded.size();
    const std::uint64_t used = decode_stream(*entry.codec, stream, bounded, [&](std::span<const std::byte> piece) {
      add(piece);
      expanded.append(piece);
    });
    if (used != stream.size() || made != entry.raw_bytes) {
      fail(Reason::bad_stream, entry.offset + used, "entry '" + entry.name + "' is not as long as its header says");
    }
  } else {
    add(stored);
  }
  if (sum != entry.crc32) fail(Reason::checksum, entry.offset, "the sum of entry '" + entry.name + "' differs");
  return content;
}

}  // namespace mere::container
