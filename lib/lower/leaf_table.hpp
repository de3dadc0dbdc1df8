#pragma once
// Rows of numbers, equal ones kept once, and what shorter form they come back from to the bit.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mere::lower {

class LeafTable {
 public:
  explicit LeafTable(std::size_t width);

  // The index of a row that is equal to the bit; a new one at the end if there is none.
  // Throws Error: too_large (2^31 rows).
  std::uint32_t find_or_add(const double* row);

  std::size_t size() const { return width_ == 0 ? 0 : rows_.size() / width_; }
  const double* row(std::size_t index) const { return rows_.data() + index * width_; }
  // Empty again, with room for about as many rows.
  void clear();
  std::vector<double> take_rows() { return std::move(rows_); }

  // True: every row is one 1.0 among zeros; `columns` gets where. Zeros are +0.0.
  bool are_votes(std::vector<std::uint32_t>& columns) const;

  // Rows of counts and, in the last two elements, what to divide them by: for bytes and for u16. False if some row does
  // not come back to the bit. `length` becomes the elements of a row.
  bool to_counts8(std::vector<std::uint8_t>& counts, std::size_t& length) const;
  bool to_counts16(std::vector<std::uint16_t>& counts, std::size_t& length) const;

 private:
  void grow();
  std::size_t slot_of(const double* row) const;
  template <class T>
  bool to_counts(std::vector<T>& counts, std::size_t length) const;

  std::size_t width_;
  std::vector<double> rows_;
  std::vector<std::uint32_t> slots_;  // index + 1; 0: free
};

}  // namespace mere::lower
