#pragma once
// The parts of a filtered tree, for those that write and read them. docs/filters.md 2 is normative.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/filter.hpp"

namespace mere::treefilter {

// A node of scikit-learn's: int64 left, right child, feature; float64 threshold, impurity; int64 samples; float64
// weight; from 1.3 on also uint8 missing_go_to_left and 7 bytes that no field covers.
inline constexpr std::size_t kNodeBytes = 56, kNodeBytesWithMissing = 64;
inline constexpr std::size_t kLeft = 0, kRight = 8, kFeature = 16, kThreshold = 24, kImpurity = 32, kSamples = 40,
                             kWeight = 48, kMissing = 56;
inline constexpr std::uint64_t kNoChild = ~std::uint64_t{0};          // -1
inline constexpr std::uint64_t kNoFeature = ~std::uint64_t{1};        // -2
inline constexpr std::uint64_t kNoThreshold = 0xc000'0000'0000'0000;  // -2.0
inline constexpr std::uint64_t kMostNodes = (std::uint64_t{1} << 31) - 1;

// How values are derived: as totals of the classes, as shares of whole counts, as means.
enum class ValueRule : std::uint8_t { totals = 1, shares = 2, means = 3 };
// What is kept of a leaf's values: a number a column, or a class an output.
enum class LeafForm : std::uint8_t { numbers = 0, classes = 1 };
enum class ImpurityRule : std::uint8_t { none = 0, gini = 1, entropy = 2, squared_error = 3 };

// Flags of the header. The last eight say which corrections there are.
inline constexpr std::uint16_t kStoredChildren = 1, kExcess = 2, kMissingToLarger = 4;
inline constexpr std::uint16_t kInnerMissing = 8, kInnerSamples = 16, kInnerWeight = 32, kInnerImpurity = 64,
                               kInnerValues = 128;
inline constexpr std::uint16_t kLeafWeight = 256, kLeafImpurity = 512, kLeafSplit = 1024, kLeafValues = 2048;
inline constexpr std::uint16_t kKnownFlags = 4095;

struct Header {
  ValueRule value_rule = ValueRule::totals;
  LeafForm leaf_form = LeafForm::numbers;
  ImpurityRule impurity_rule = ImpurityRule::none;
  std::uint16_t flags = 0;
  std::uint16_t outputs = 1;
  std::uint32_t nodes = 0, inner = 0;

  bool has(std::uint16_t flag) const noexcept { return (flags & flag) != 0; }
};
inline constexpr std::size_t kHeaderBytes = 16;

// Each part is preceded by its length; this bit says that the filter columns made it.
inline constexpr std::uint32_t kFilteredPart = 0x8000'0000;

// Rows of a part: where each thing begins that it may hold. What there is not has offset kAbsent.
inline constexpr std::uint32_t kAbsent = ~std::uint32_t{0};

class RowPlan {
 public:
  std::uint32_t add(std::uint32_t bytes, codec::Column::Content content) {
    const auto offset = static_cast<std::uint32_t>(layout_.row_bytes);
    layout_.columns.push_back({offset, bytes, content, false});
    layout_.row_bytes += bytes;
    return offset;
  }
  std::uint32_t add_if(bool present, std::uint32_t bytes, codec::Column::Content content) {
    return present ? add(bytes, content) : kAbsent;
  }
  const codec::RowLayout& layout() const noexcept { return layout_; }
  std::size_t row_bytes() const noexcept { return static_cast<std::size_t>(layout_.row_bytes); }

 private:
  codec::RowLayout layout_;
};

// A row for each inner node.
struct InnerRow : RowPlan {
  explicit InnerRow(const Header& header);
  std::uint32_t feature, threshold, left, gap, samples, weight, impurity, missing;
};
// A row for each leaf.
struct LeafRow : RowPlan {
  LeafRow(const Header& header, bool has_missing);
  std::uint32_t classes, samples, weight, impurity, feature, threshold, missing;
};
// A row of as many words as values, for each inner node or leaf.
struct ValuesRow : RowPlan {
  ValuesRow(std::size_t columns, codec::Column::Content content) {
    for (std::size_t c = 0; c < columns; ++c) add(8, content);
  }
};

// Numbers in a row or record, at any address.
using LooseReal __attribute__((aligned(1), may_alias)) = double;

template <class T>
T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void store(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

inline bool is_leaf(const std::byte* bitmap, std::size_t node) noexcept {
  return ((std::to_integer<unsigned>(bitmap[node / 8]) >> (node % 8)) & 1U) != 0;
}

}  // namespace mere::treefilter
