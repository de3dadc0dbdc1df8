#pragma once
// A tree as training libraries hold it: a column a field, a row a node. Borrows what it shows.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace mere::lower {

// One column of a table in memory: element i lies i * stride bytes after the first, at any alignment. Borrows.
template <class T>
class Column {
 public:
  Column() = default;
  Column(std::span<const T> values)  // NOLINT: a span is a column
      : first_(reinterpret_cast<const std::byte*>(values.data())), size_(values.size()) {}
  Column(const std::vector<T>& values) : Column(std::span<const T>(values)) {}  // NOLINT
  Column(const std::byte* first, std::ptrdiff_t stride, std::size_t size)
      : first_(first), stride_(stride), size_(size) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T operator[](std::size_t i) const {
    T value;
    __builtin_memcpy(&value, first_ + static_cast<std::ptrdiff_t>(i) * stride_, sizeof value);
    return value;
  }

 private:
  const std::byte* first_ = nullptr;
  std::ptrdiff_t stride_ = sizeof(T);
  std::size_t size_ = 0;
};

// A tree by node; node 0 is the root, and a left child of -1 makes a leaf. All columns are as long as `left`, or empty
// where that is allowed.
struct TreeColumns {
  Column<std::int64_t> left, right, feature;
  Column<double> threshold;                      // x <= threshold goes left
  Column<std::uint8_t> missing_left;             // NaN goes left where it is not 0; empty: NaN goes right
  Column<std::uint8_t> categorical;              // empty: none
  Column<std::uint32_t> category_set;            // row of category_sets for nodes that are categorical; empty with that
  std::span<const std::uint32_t> category_sets;  // rows of 16 words: categories that go left, categories known
  // Sets the numbers of a leaf, as they are to be added. Called once for each leaf, in the order of nodes.
  std::function<void(std::size_t node, std::span<double> row)> leaf_row;
  // Or: rows of leaf_width numbers, by node.
  std::span<const double> values;
  // Keeps what the columns show, where that is not the caller's.
  std::shared_ptr<const void> held;
};

}  // namespace mere::lower
