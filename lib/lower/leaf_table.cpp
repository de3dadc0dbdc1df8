#include "lower/leaf_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <mere/error.hpp>

namespace mere::lower {

namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 31;
constexpr std::size_t kFirstSlots = 1024;

// A whole number over another, in lowest terms.
struct Fraction {
  std::uint64_t above = 0, below = 1;
};

// The fraction of smallest divisor, at most `most`, that gives `value` to the bit. A fraction whose divisor is below
// 2^26 and that rounds to `value` is one of the value's continued fractions: it is nearer than 1 / (2 divisor^2).
bool find_fraction(double value, std::uint64_t most, Fraction& found) {
  if (!(value >= 0) || value > 65535 || (value == 0 && std::signbit(value))) return false;
  std::uint64_t above = 1, below = 0, above_before = 0, below_before = 1;
  double rest = value;
  for (int step = 0; step < 40; ++step) {
    if (!(rest < 4294967296.0)) return false;
    const auto whole = static_cast<std::uint64_t>(rest);
    const std::uint64_t next_above = whole * above + above_before, next_below = whole * below + below_before;
    if (next_below > most || next_above > std::uint64_t{1} << 48) return false;
    above_before = above;
    below_before = below;
    above = next_above;
    below = next_below;
    if (static_cast<double>(above) / static_cast<double>(below) == value) {
      found = {above, below};
      return true;
    }
    rest = 1 / (rest - static_cast<double>(whole));
  }
  return false;
}

}  // namespace

LeafTable::LeafTable(std::size_t width) : width_(width), slots_(kFirstSlots, 0) {}

std::size_t LeafTable::slot_of(const double* row) const {
  std::uint64_t hash = 0x9e3779b97f4a7c15;
  for (std::size_t k = 0; k < width_; ++k) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(row[k])) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  const std::size_t mask = slots_.size() - 1;
  // From the highest bits: whole numbers as doubles differ in no others.
  hash *= 0x9e3779b97f4a7c15;
  std::size_t slot = static_cast<std::size_t>(hash >> (64 - std::bit_width(mask)));
  while (slots_[slot] != 0 &&
         std::memcmp(rows_.data() + (slots_[slot] - 1) * width_, row, width_ * sizeof(double)) != 0) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void LeafTable::grow() {
  const std::size_t rows = size();
  slots_.assign(slots_.size() * 4, 0);
  for (std::size_t i = 0; i < rows; ++i) slots_[slot_of(rows_.data() + i * width_)] = static_cast<std::uint32_t>(i + 1);
}

std::uint32_t LeafTable::find_or_add(const double* row) {
  const std::size_t slot = slot_of(row);
  if (slots_[slot] != 0) return slots_[slot] - 1;
  const std::size_t index = size();
  if (index + 1 >= kMostRows) throw Error(Reason::too_large, "trees: more than 2^31 different leaves");
  rows_.insert(rows_.end(), row, row + width_);
  slots_[slot] = static_cast<std::uint32_t>(index + 1);
  if (2 * (index + 1) > slots_.size()) grow();
  return static_cast<std::uint32_t>(index);
}

void LeafTable::clear() {
  slots_.assign(std::max(kFirstSlots, std::bit_ceil(2 * size() + 1)), 0);
  rows_.clear();
}

bool LeafTable::are_votes(std::vector<std::uint32_t>& columns) const {
  columns.clear();
  const std::size_t rows = size();
  if (rows > width_) return false;
  for (std::size_t i = 0; i < rows; ++i) {
    std::size_t ones = 0, zeros = 0, column = 0;
    for (std::size_t k = 0; k < width_; ++k) {
      const auto bits = std::bit_cast<std::uint64_t>(rows_[i * width_ + k]);
      if (bits == 0) ++zeros;
      if (bits == std::bit_cast<std::uint64_t>(1.0)) {
        ++ones;
        column = k;
      }
    }
    if (ones != 1 || zeros != width_ - 1) return false;
    columns.push_back(static_cast<std::uint32_t>(column));
  }
  return true;
}

template <class T>
bool LeafTable::to_counts(std::vector<T>& counts, std::size_t length) const {
  constexpr std::uint64_t kMostCount = std::numeric_limits<T>::max();
  constexpr std::uint64_t kMostDivisor = sizeof(T) == 1 ? 0xffff : 0xffffff;
  const std::size_t rows = size();
  counts.clear();
  std::vector<Fraction> fractions(width_);
  for (std::size_t i = 0; i < rows; ++i) {
    const double* row = rows_.data() + i * width_;
    std::uint64_t divisor = 1;
    for (std::size_t k = 0; k < width_; ++k) {
      if (!find_fraction(row[k], kMostDivisor, fractions[k])) return false;
      divisor = std::lcm(divisor, fractions[k].below);
      if (divisor > kMostDivisor) return false;
    }
    const std::size_t at = counts.size();
    counts.resize(at + length, 0);
    for (std::size_t k = 0; k < width_; ++k) {
      const std::uint64_t count = fractions[k].above * (divisor / fractions[k].below);
      // Whether it comes back is what counts, so that is what is looked at.
      const double back = static_cast<double>(count) / static_cast<double>(divisor);
      if (count > kMostCount || std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(row[k])) {
        return false;
      }
      counts[at + k] = static_cast<T>(count);
    }
    counts[at + length - 2] = static_cast<T>(divisor & kMostCount);
    counts[at + length - 1] = static_cast<T>(divisor >> (8 * sizeof(T)));
  }
  return true;
}

bool LeafTable::to_counts8(std::vector<std::uint8_t>& counts, std::size_t& length) const {
  // Rows that lie in one line of the cache each, while they are short.
  length = width_ + 2 <= 16 ? std::bit_ceil(width_ + 2) : (width_ + 2 + 15) / 16 * 16;
  return width_ > 1 && to_counts(counts, length);
}

bool LeafTable::to_counts16(std::vector<std::uint16_t>& counts, std::size_t& length) const {
  length = width_ + 2 <= 16 ? std::bit_ceil(width_ + 2) : (width_ + 2 + 15) / 16 * 16;
  return width_ > 1 && to_counts(counts, length);
}

}  // namespace mere::lower
