#pragma once
// The bytes of a .mere file, seen through its directory. Borrows the bytes; bounds everything where it is used.
// docs/format.md; section numbers refer to it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/filter.hpp"
#include "format/records.hpp"
#include <mere/size.hpp>

namespace mere::format {

// One column as the directory gives it. Bounds are those of the file and fixed at open (a copy of the footer is kept).
struct SectionView {
  const std::byte* data = nullptr;
  std::uint64_t count = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t model_end = 0, program_end = 0;
};

// Safe from any thread: const after construction.
class Image {
 public:
  // Open checks (section 10). `bytes` and the filters of `table` outlive this. `name` is for messages.
  // `faulted` may be null: asked after reads that a page may have failed under.
  // Throws Error: truncated, bad_magic, endianness, unsupported_version, bad_header, bad_segment, checksum, unknown_section.
  Image(std::span<const std::byte> bytes, std::string name, codec::FilterTable table = codec::array_filters(),
        std::function<bool()> faulted = {});

  const std::string& name() const noexcept { return name_; }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  const Header& header() const noexcept { return header_; }   // copies made at open
  const Footer& footer() const noexcept { return footer_; }
  const SectionView& section(Section s) const noexcept { return sections_[static_cast<std::size_t>(s) - 1]; }
  const codec::FilterTable& filter_table() const noexcept { return table_; }
  bool has_encoded_blocks() const noexcept { return (footer_.flags & kHasEncodedBlocks) != 0; }
  std::uint64_t data_end() const noexcept;   // where the manifest begins

  // One record, copied once. Throws Error: bad_node (id out of range).
  NodeRecord node(std::uint32_t id) const;
  // Throw Error: out_of_bounds.
  std::uint32_t link(std::uint64_t index) const;
  std::int64_t extent(std::uint64_t index) const;
  TypeRecord type(std::uint32_t id) const;
  FieldRecord field(std::uint64_t index) const;
  ArrayRecord array(std::uint32_t id) const;
  BufferRecord buffer(std::uint32_t id) const;
  BlockRecord block(std::uint32_t id) const;
  std::uint64_t block_sum(std::uint32_t id) const;
  // Bytes in the map. Throws Error: out_of_bounds.
  std::span<const std::byte> heap(std::uint64_t offset, std::uint64_t length) const;
  // `count` links from `first` on lie in the column: throws Error: out_of_bounds. Then link() need not be feared.
  void check_links(std::uint64_t first, std::uint64_t count) const;
  void check_extents(std::uint64_t first, std::uint64_t count) const;

  // The raw bytes of a mapped buffer, where they lie in the file; an empty optional if it is encoded.
  // Throws Error: bad_segment (outside the data, or not aligned to 64).
  std::optional<std::span<const std::byte>> find_mapped(std::uint32_t buffer) const;

  // `out.size()` raw bytes of a buffer from `offset` on, decoded if need be, each whole block decoded checked against its sum.
  // Throws Error: out_of_bounds, bad_segment, bad_stream, checksum, unknown_codec, unknown_filter, fault.
  void read_buffer(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const;

  // Throws Error(fault) if a page of the map could not be read.
  void check_faults() const;

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  codec::FilterTable table_;
  std::function<bool()> faulted_;
  Header header_;
  Footer footer_;
  std::array<SectionView, kSectionCount> sections_;
};

}  // namespace mere::format
