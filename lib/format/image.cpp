#include "format/image.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/checksum.hpp"
#include "format/block_reader.hpp"

namespace mere::format {

namespace {

// Bytes of one record of each section, by number - 1.
constexpr std::array<std::uint32_t, kSectionCount> kRecordBytes = {
    sizeof(NodeRecord),   sizeof(std::uint32_t), 1,
    sizeof(std::int64_t), sizeof(TypeRecord),    sizeof(FieldRecord),
    sizeof(ArrayRecord),  sizeof(BufferRecord),  sizeof(BlockRecord),
    sizeof(std::uint64_t)};

template <class T, std::size_t N>
bool all_zero(const T (&values)[N]) noexcept {
  T any = 0;
  for (const T value : values) any = static_cast<T>(any | value);
  return any == 0;
}

template <class Record>
std::uint64_t sum_before_last(const Record& record, std::size_t bytes) noexcept {
  return codec::xxh3_64({reinterpret_cast<const std::byte*>(&record), bytes});
}

// Fewer than eight bytes can still show that this is no cut .mere file.
void check_magic(std::span<const std::byte> bytes, const std::string& name) {
  const std::size_t n = std::min(bytes.size(), kMagic.size());
  std::array<std::uint8_t, kMagic.size()> found{};
  std::memcpy(found.data(), bytes.data(), n);
  if (std::equal(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), kMagic.begin())) return;
  if (n == kMagic.size() && std::equal(found.begin(), found.end(), kMagic.rbegin())) {
    throw Error(Reason::endianness,
                name + ": the magic at offset 0 has its bytes in reverse: a file of a big-endian machine");
  }
  std::string hex;
  for (std::size_t i = 0; i < n; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += {kDigits[found[i] >> 4], kDigits[found[i] & 15], ' '};
  }
  throw Error(Reason::bad_magic,
              name + ": not a .mere file: found " + hex + "at offset 0, expected 89 4d 45 52 0d 0a 1a 0a");
}

}  // namespace

Image::Image(std::span<const std::byte> bytes, std::string name, codec::FilterTable table,
             std::function<bool()> faulted, const FileEnds* ends)
    : bytes_(bytes), name_(std::move(name)), table_(table), faulted_(std::move(faulted)) {
  try {
    check_open(ends);
  } catch (const Error&) {
    check_faults();  // if a page failed, that is why
    throw;
  }
}

void Image::check_open(const FileEnds* ends) {
  if (bytes_.empty()) throw Error(Reason::truncated, name_ + ": the file is empty");
  check_magic(ends != nullptr ? std::as_bytes(std::span(&ends->header, 1)) : bytes_, name_);
  if (bytes_.size() < kHeaderBytes + kFooterBytes) {
    throw Error(Reason::truncated, name_ + ": the file ends at offset " + std::to_string(bytes_.size()) +
                                       "; header and footer alone are " + std::to_string(kHeaderBytes + kFooterBytes) +
                                       " bytes");
  }
  if (ends != nullptr) {
    header_ = ends->header;
    footer_ = ends->footer;
  } else {
    std::memcpy(&header_, bytes_.data(), sizeof header_);
    std::memcpy(&footer_, bytes_.data() + bytes_.size() - kFooterBytes, sizeof footer_);
  }
  check_header();
  check_footer();
  read_directory();
}

void Image::check_header() const {
  // Before the sum: the header of another major may have its sum elsewhere.
  if (header_.major != kMajor) {
    throw Error(Reason::unsupported_version, name_ + ": format version " + std::to_string(header_.major) + "." +
                                                 std::to_string(header_.minor) + " at offset 8; this build reads " +
                                                 std::to_string(kMajor) + ".x");
  }
  const std::uint64_t sum = sum_before_last(header_, offsetof(Header, sum));
  if (sum != header_.sum) {
    throw Error(Reason::checksum, name_ + ": header: the sum at offset 56 is " + std::to_string(header_.sum) +
                                      ", that of the bytes before it " + std::to_string(sum));
  }
  if (header_.alignment_log2 < 12 || header_.alignment_log2 > 30) {
    throw Error(Reason::bad_header, name_ + ": alignment 2^" + std::to_string(header_.alignment_log2) +
                                        " at offset 12; it is 2^12 to 2^30");
  }
  if (!all_zero(header_.reserved)) {
    throw Error(Reason::bad_padding, name_ + ": reserved bytes of the header, from offset 13 on, are not zero");
  }
}

void Image::check_footer() const {
  const std::uint64_t at = bytes_.size() - kFooterBytes;
  if (!std::equal(footer_.end_magic.begin(), footer_.end_magic.end(), kMagic.rbegin())) {
    throw Error(Reason::truncated, name_ + ": no footer before the end at offset " + std::to_string(bytes_.size()) +
                                       ": the file was not written to its end, was cut, or has bytes behind it");
  }
  const std::uint64_t sum = sum_before_last(footer_, offsetof(Footer, sum));
  if (sum != footer_.sum) {
    throw Error(Reason::checksum, name_ + ": footer: the sum at offset " + std::to_string(at + offsetof(Footer, sum)) +
                                      " is " + std::to_string(footer_.sum) + ", that of the bytes before it " +
                                      std::to_string(sum));
  }
  if (footer_.file_bytes != bytes_.size()) {
    throw Error(footer_.file_bytes > bytes_.size() ? Reason::truncated : Reason::bad_header,
                name_ + ": the footer at offset " + std::to_string(at) + " is that of a file of " +
                    std::to_string(footer_.file_bytes) + " bytes, this one has " + std::to_string(bytes_.size()));
  }
  if (footer_.section_count < kSectionCount || footer_.section_count > kDirectorySlots) {
    throw Error(Reason::bad_header, name_ + ": " + std::to_string(footer_.section_count) +
                                        " directory entries at offset " +
                                        std::to_string(at + offsetof(Footer, section_count)) + "; there are 10 to 16");
  }
  if ((footer_.flags & ~kHasEncodedBlocks) != 0) {
    throw Error(Reason::bad_header, name_ + ": unknown flags " + std::to_string(footer_.flags) +
                                        " in the footer at offset " + std::to_string(at + offsetof(Footer, flags)));
  }
  bool reserved_zero = all_zero(footer_.reserved);
  for (std::size_t i = 0; i < kDirectorySlots; ++i) {
    const DirectoryEntry& entry = footer_.sections[i];
    reserved_zero = reserved_zero && all_zero(entry.reserved);
    if (i < footer_.section_count) continue;
    std::array<std::uint64_t, sizeof entry / 8> words;
    std::memcpy(words.data(), &entry, sizeof entry);
    std::uint64_t any = 0;
    for (const std::uint64_t word : words) any |= word;
    reserved_zero = reserved_zero && any == 0;
  }
  if (!reserved_zero) {
    throw Error(Reason::bad_padding,
                name_ + ": reserved bytes of the footer at offset " + std::to_string(at) + " are not zero");
  }
}

void Image::read_directory() {
  const std::uint64_t footer_at = bytes_.size() - kFooterBytes;
  std::uint64_t free_from = kHeaderBytes;  // the end of the section before
  std::uint16_t known = 0;                 // number of the last known section
  for (std::size_t i = 0; i < footer_.section_count; ++i) {
    const DirectoryEntry& entry = footer_.sections[i];
    const auto fail = [&](Reason reason, const std::string& problem) {
      throw Error(reason, name_ + ": section " + std::to_string(entry.number) + ", directory entry at offset " +
                              std::to_string(footer_at + i * sizeof entry) + ": " + problem);
    };
    const bool is_known = entry.number >= 1 && entry.number <= kSectionCount;
    if (!is_known && (entry.number == 0 || (entry.flags & kOptionalSection) == 0)) {
      fail(entry.number == 0 ? Reason::bad_header : Reason::unknown_section,
           "this build knows 1 to 10, and it is not marked optional");
    }
    if ((entry.flags & ~kOptionalSection) != 0)
      fail(Reason::bad_header, "unknown flags " + std::to_string(entry.flags));
    // The known ones come in order, which also makes them distinct; so few others that comparing all is as good as a
    // set.
    if (is_known && entry.number != known + 1)
      fail(Reason::bad_header, "expected section " + std::to_string(known + 1));
    if (!is_known) {
      for (std::size_t j = 0; j < i; ++j) {
        if (footer_.sections[j].number == entry.number) fail(Reason::bad_header, "it occurs twice");
      }
    }
    const std::uint32_t least = is_known ? kRecordBytes[entry.number - 1] : 1;
    const bool is_heap = entry.number == static_cast<std::uint16_t>(Section::heap);
    if (entry.record_bytes < least || (is_heap && entry.record_bytes != 1)) {
      fail(Reason::bad_header, "records of " + std::to_string(entry.record_bytes) + " bytes; expected " +
                                   std::to_string(least) + (is_heap ? "" : " or more"));
    }
    const Size bytes = Size(entry.count) * entry.record_bytes;
    if (entry.offset % kSectionAlignment != 0) {
      fail(Reason::bad_segment, "offset " + std::to_string(entry.offset) + " is no multiple of 64");
    }
    if (entry.offset < free_from) {
      fail(Reason::bad_segment, "offset " + std::to_string(entry.offset) + " lies before " + std::to_string(free_from) +
                                    ", the end of what precedes it");
    }
    if (!bytes.valid() || !range_fits(entry.offset, bytes.get("section"), footer_at)) {
      fail(Reason::bad_segment, std::to_string(entry.count) + " records of " + std::to_string(entry.record_bytes) +
                                    " bytes at offset " + std::to_string(entry.offset) + " pass the footer at " +
                                    std::to_string(footer_at));
    }
    if (entry.model_end > entry.program_end || entry.program_end > entry.count) {
      fail(Reason::bad_header, "model end " + std::to_string(entry.model_end) + ", program end " +
                                   std::to_string(entry.program_end) + " and count " + std::to_string(entry.count) +
                                   " do not rise");
    }
    free_from = entry.offset + bytes.get("section");
    if (!is_known) continue;
    known = entry.number;
    sections_[entry.number - 1] = {bytes_.data() + entry.offset, entry.count, entry.record_bytes, entry.model_end,
                                   entry.program_end};
  }
  if (known != kSectionCount) {
    throw Error(Reason::bad_header, name_ + ": section " + std::to_string(known + 1) +
                                        " is missing from the directory at offset " + std::to_string(footer_at));
  }
  if (section(Section::blocks).count != section(Section::sums).count) {
    throw Error(Reason::bad_header, name_ + ": " + std::to_string(section(Section::blocks).count) + " blocks but " +
                                        std::to_string(section(Section::sums).count) + " sums");
  }
  const std::uint64_t nodes = section(Section::nodes).count;
  const auto check_root = [&](std::uint32_t root, std::string_view which, bool may_lack) {
    if (root < nodes || (may_lack && root == kNone)) return;
    throw Error(Reason::bad_header, name_ + ": the " + std::string(which) + " root is node " + std::to_string(root) +
                                        " of " + std::to_string(nodes) + " (footer at offset " +
                                        std::to_string(footer_at) + ")");
  };
  check_root(footer_.model_root, "model", false);
  check_root(footer_.program_root, "program", true);
  check_root(footer_.metadata_root, "metadata", true);
}

void Image::throw_range(Section which, std::uint64_t first, std::uint64_t count) const {
  check_faults();  // what led here may be the zeros of a page that could not be read
  throw Error(which == Section::nodes ? Reason::bad_node : Reason::out_of_bounds,
              name_ + ": " + std::string(to_text(which)) + " " + std::to_string(first) + "+" + std::to_string(count) +
                  " asked for; the section at offset " + std::to_string(file_offset(which, 0)) + " has " +
                  std::to_string(section(which).count));
}

std::uint64_t Image::file_offset(Section which, std::uint64_t index) const noexcept {
  const SectionView& s = section(which);
  return static_cast<std::uint64_t>(s.data - bytes_.data()) + index * s.record_bytes;
}

std::optional<std::span<const std::byte>> Image::find_mapped(std::uint32_t id) const {
  const BufferRecord buffer = this->buffer(id);
  if (buffer.raw_bytes == 0) return std::span<const std::byte>();
  const BlockRecord first = block(buffer.first_block);
  if ((first.flags & kMappedBuffer) == 0) return std::nullopt;
  if (first.offset < kHeaderBytes || first.offset % kArrayAlignment != 0 ||
      !range_fits(first.offset, buffer.raw_bytes, data_end())) [[unlikely]] {
    throw Error(Reason::bad_segment,
                name_ + ": buffer " + std::to_string(id) + ": " + std::to_string(buffer.raw_bytes) +
                    " bytes at offset " + std::to_string(first.offset) + " (block " +
                    std::to_string(buffer.first_block) + "); expected a multiple of 64, and its end not behind " +
                    std::to_string(data_end()));
  }
  return bytes_.subspan(first.offset, buffer.raw_bytes);
}

void Image::read_buffer(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const {
  try {
    BlockReader(*this).read(buffer, offset, out);
  } catch (const Error&) {
    check_faults();  // if a page failed, that is why
    throw;
  }
  check_faults();
}

void Image::check_faults() const {
  if (faulted_ && faulted_()) {
    throw Error(Reason::fault,
                name_ + ": a page of the file could not be read (it was cut short, or the device failed)");
  }
}

}  // namespace mere::format
