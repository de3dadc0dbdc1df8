#pragma once
// The bytes of a .mere file, seen through its directory. Borrows the bytes; bounds everything where it is used.
// docs/format.md; section numbers refer to it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <mere/error.hpp>
#include <mere/size.hpp>
#include "codec/filter.hpp"
#include "format/load_once.hpp"
#include "format/records.hpp"

namespace mere::format {

// One column as the directory gives it. Bounds are those of the file and fixed at open (a copy of the footer is kept).
struct SectionView {
  const std::byte* data = nullptr;
  std::uint64_t count = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t model_end = 0, program_end = 0;
};

// Copies of a file's first and last bytes, for who has a descriptor: two small reads cost less than the faults of two
// pages far apart in a large map.
struct FileEnds {
  Header header;
  Footer footer;
};

// Safe from any thread: const after construction.
class Image {
 public:
  // Open checks (section 10). `bytes`, at any address, and the filters of `table` outlive this. `name` is for messages.
  // `faulted` may be null: asked after reads that a page may have failed under. `ends`, if not null, are the first and
  // last bytes of `bytes`, which then are not touched here. Throws Error: truncated, bad_magic, endianness,
  // unsupported_version, bad_header, bad_padding, bad_segment, checksum, unknown_section, fault.
  Image(std::span<const std::byte> bytes, std::string name, codec::FilterTable table = codec::array_filters(),
        std::function<bool()> faulted = {}, const FileEnds* ends = nullptr);

  const std::string& name() const noexcept { return name_; }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  const Header& header() const noexcept { return header_; }  // copies made at open
  const Footer& footer() const noexcept { return footer_; }
  const SectionView& section(Section s) const noexcept { return sections_[static_cast<std::size_t>(s) - 1]; }
  const codec::FilterTable& filter_table() const noexcept { return table_; }
  bool has_encoded_blocks() const noexcept { return (footer_.flags & kHasEncodedBlocks) != 0; }
  std::uint64_t alignment() const noexcept { return std::uint64_t{1} << header_.alignment_log2; }
  std::uint64_t data_end() const noexcept { return footer_.sections[0].offset; }  // where the manifest begins

  // One record, copied once. Throws Error: bad_node (id out of range).
  NodeRecord node(std::uint32_t id) const { return record<NodeRecord>(Section::nodes, id); }
  // Throw Error: out_of_bounds.
  std::uint32_t link(std::uint64_t index) const { return record<std::uint32_t>(Section::links, index); }
  std::int64_t extent(std::uint64_t index) const { return record<std::int64_t>(Section::extents, index); }
  TypeRecord type(std::uint32_t id) const { return record<TypeRecord>(Section::types, id); }
  FieldRecord field(std::uint64_t index) const { return record<FieldRecord>(Section::fields, index); }
  ArrayRecord array(std::uint32_t id) const { return record<ArrayRecord>(Section::arrays, id); }
  BufferRecord buffer(std::uint32_t id) const { return record<BufferRecord>(Section::buffers, id); }
  BlockRecord block(std::uint32_t id) const { return record<BlockRecord>(Section::blocks, id); }
  std::uint64_t block_sum(std::uint32_t id) const { return record<std::uint64_t>(Section::sums, id); }
  // Bytes in the map. Throws Error: out_of_bounds.
  std::span<const std::byte> heap(std::uint64_t offset, std::uint64_t length) const {
    const SectionView& s = section(Section::heap);
    if (!range_fits(offset, length, s.count)) [[unlikely]]
      throw_range(Section::heap, offset, length);
    return {s.data + offset, static_cast<std::size_t>(length)};
  }
  // `count` links from `first` on lie in the column: throws Error: out_of_bounds. Then link() need not be feared.
  void check_links(std::uint64_t first, std::uint64_t count) const { check_range(Section::links, first, count); }
  void check_extents(std::uint64_t first, std::uint64_t count) const { check_range(Section::extents, first, count); }

  // The raw bytes of a mapped buffer, where they lie in the file; an empty optional if it is encoded.
  // Throws Error: bad_segment (outside the data, or not aligned to 64), out_of_bounds.
  std::optional<std::span<const std::byte>> find_mapped(std::uint32_t buffer) const;

  // `out.size()` raw bytes of a buffer from `offset` on, decoded if need be; blocks read whole are checked against
  // their sums, as are all that were decoded. Decodes only the blocks touched. Throws Error: out_of_bounds,
  // bad_segment, bad_stream, checksum, unknown_codec, unknown_filter, fault.
  void read_buffer(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const;

  // Throws Error(fault) if a page of the map could not be read.
  void check_faults() const;

  // Where a record begins in the file, for messages.
  std::uint64_t file_offset(Section section, std::uint64_t index) const noexcept;

 private:
  template <class T>
  T record(Section which, std::uint64_t index) const {
    const SectionView& s = section(which);
    if (index >= s.count) [[unlikely]]
      throw_range(which, index, 1);
    return load_once<T>(s.data + index * s.record_bytes);
  }
  void check_range(Section which, std::uint64_t first, std::uint64_t count) const {
    if (!range_fits(first, count, section(which).count)) [[unlikely]]
      throw_range(which, first, count);
  }
  [[noreturn]] void throw_range(Section which, std::uint64_t first, std::uint64_t count) const;

  void check_open(const FileEnds* ends);
  void check_header() const;
  void check_footer() const;
  void read_directory();

  std::span<const std::byte> bytes_;
  std::string name_;
  codec::FilterTable table_;
  std::function<bool()> faulted_;
  Header header_;
  Footer footer_;
  std::array<SectionView, kSectionCount> sections_;
};

}  // namespace mere::format
