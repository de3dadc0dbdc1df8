#pragma once
// What filters may know of the bytes of a buffer, from the columns alone: so a file that is written again gets the same
// blocks.

#include <cstdint>
#include <vector>

#include "codec/filter.hpp"
#include "format/columns.hpp"

namespace mere::format {

// Holds four bytes a buffer; borrows the columns. Safe from any thread.
class RowLayouts {
 public:
  explicit RowLayouts(const Columns& columns);
  // Rows of the array that fills the buffer: elements, or the rows of a short matrix. Nothing for arenas, for arrays
  // that share their buffer in other ways, and for types of more columns than filters take.
  codec::RowLayout of(std::uint32_t buffer) const;

 private:
  // `steps` bounds the work: types may nest without adding a byte.
  bool add_type(std::uint32_t type, std::uint64_t offset, unsigned& steps, codec::RowLayout& layout) const;
  bool add_column(std::uint64_t offset, std::uint64_t bytes, codec::Column::Content content, bool big_endian,
                  codec::RowLayout& layout) const;

  const Columns& columns_;
  std::vector<std::uint32_t> node_of_;  // by buffer: the node of the array that fills it, or none
};

}  // namespace mere::format
