#pragma once
// Filters: reversible rewritings of a block's bytes that make it easier to compress. Formats: docs/filters.md.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <mere/error.hpp>

namespace mere::codec {

// What an encoder may know of a block's bytes. A row is one element of the array, or a row of a short matrix; columns
// cover the row without gaps or overlap.
struct Column {
  enum class Content : std::uint8_t { integer, real, other };
  std::uint32_t offset = 0;  // in the row
  std::uint32_t bytes = 0;   // integer 1 2 4 8, real 2 4 8; other: any
  Content content = Content::other;
  bool big_endian = false;
};
struct RowLayout {
  std::uint64_t row_bytes = 0;  // 0: nothing is known
  std::vector<Column> columns;
};
// Where a block stands in its array: blocks need not begin at a row.
struct BlockPlace {
  std::uint64_t first_byte = 0;  // of the block, in the array
};

// A filter of single blocks. Stateless and shared between threads; scratch memory is the caller's.
struct FilterScratch {
  std::vector<std::uint64_t> words[4];
  std::vector<std::byte> bytes[2];
  // Of group filters, which leave those above to filters of the parts they make of a group.
  std::vector<std::uint64_t> group_words[2];
  std::vector<std::byte> group_bytes[5];
};

class Filter {
 public:
  virtual ~Filter() = default;
  virtual std::uint8_t id() const noexcept = 0;  // docs/filters.md; 1 to 127
  virtual std::string_view name() const noexcept = 0;

  // Appends the filtered form to `out` (cleared first); false if it has nothing to offer for such bytes.
  // Deterministic: the same bytes, layout and place give the same output.
  virtual bool encode(std::span<const std::byte> raw, const RowLayout& layout, const BlockPlace& place,
                      std::vector<std::byte>& out, FilterScratch& scratch) const = 0;
  // The length of raw bytes at most that encode() may append.
  virtual std::size_t bound(std::size_t raw_bytes) const noexcept = 0;
  // Fills `raw` exactly, from the filtered bytes alone. Safe for any bytes. Throws Error: bad_stream.
  virtual void decode(std::span<const std::byte> filtered, std::span<std::byte> raw, FilterScratch& scratch) const = 0;
};

// A filter over a group of arrays that follow each other: one group is decoded as one.
class GroupFilter {
 public:
  virtual ~GroupFilter() = default;
  virtual std::uint8_t id() const noexcept = 0;  // 128 to 255
  virtual std::string_view name() const noexcept = 0;
  // The most arrays that match() looks at.
  virtual std::size_t most_members() const noexcept { return 64; }
  // The number of arrays, from the first of `layouts` on, that would make a group (at least 2), or 0.
  virtual std::size_t match(std::span<const RowLayout> layouts,
                            std::span<const std::uint64_t> raw_bytes) const noexcept = 0;
  // As of Filter, for the arrays of one group.
  virtual bool encode(std::span<const std::span<const std::byte>> raw, std::span<const RowLayout> layouts,
                      std::vector<std::byte>& out, FilterScratch& scratch) const = 0;
  virtual void decode(std::span<const std::byte> filtered, std::span<const std::span<std::byte>> raw,
                      FilterScratch& scratch) const = 0;
};

// What a reader or writer may use; borrowed. An id not in it is Error(unknown_filter) when touched.
struct FilterTable {
  std::span<const Filter* const> filters;
  std::span<const GroupFilter* const> group_filters;
  const Filter* find(std::uint8_t id) const noexcept;
  const GroupFilter* find_group(std::uint8_t id) const noexcept;
};

// The filters of this room: they know rows and columns, and no models.
FilterTable array_filters() noexcept;

}  // namespace mere::codec
