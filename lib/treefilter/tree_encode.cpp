#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <new>

#include <mere/error.hpp>

#include "codec/columns_filter.hpp"
#include "treefilter/derive.hpp"
#include "treefilter/payload.hpp"
#include "treefilter/tree_filter.hpp"

namespace mere::treefilter {
namespace {

constexpr std::size_t kRuleSamples = 16;   // nodes looked at to choose a rule
constexpr std::size_t kShareSamples = 64;  // nodes looked at to tell shares of whole counts from others

// The arrays, and what is read of them.
struct Tree {
  const std::byte* nodes;
  const std::byte* values;
  std::size_t node_bytes, columns, count;

  bool has_missing() const { return node_bytes == kNodeBytesWithMissing; }
  template <class T>
  T field(std::size_t i, std::size_t offset) const {
    return load<T>(nodes + i * node_bytes + offset);
  }
  std::uint64_t word(std::size_t i, std::size_t offset) const { return field<std::uint64_t>(i, offset); }
  double weight(std::size_t i) const { return field<double>(i, kWeight); }
  const LooseReal* row(std::size_t i) const { return reinterpret_cast<const LooseReal*>(values + i * columns * 8); }
};

double nearest_whole(double x) {
  return std::floor(x + 0.5);
}

bool is_near(double a, double b) {
  return std::fabs(a - b) <= 1e-9 * std::fabs(b);
}

// The number of outputs that `ratio` stands for; 0 if for none.
std::size_t outputs_of(double ratio, std::size_t columns) {
  if (!(ratio >= 0.5 && ratio <= static_cast<double>(columns) + 0.5)) return 0;
  const auto outputs = static_cast<std::size_t>(nearest_whole(ratio));
  return outputs > 0 && columns % outputs == 0 ? outputs : 0;
}

// From a tree to its payload. What is not as it would be derived is corrected, whatever it is; the rules are chosen
// from nodes at fixed places, for few corrections.
class Encoder {
 public:
  Encoder(const Tree& tree, std::vector<std::byte>& out, codec::FilterScratch& scratch)
      : tree_(tree), out_(out), scratch_(scratch) {}

  bool run() {
    if (!find_shape()) return false;
    choose_value_rule();
    choose_leaf_form();
    choose_impurity_rule();
    find_corrections();
    write();
    return true;
  }

 private:
  // Leaves, and whether children stand where a walk that enters the left child first meets them.
  bool find_shape() {
    const std::size_t n = tree_.count;
    out_.assign(kHeaderBytes + (n + 7) / 8, std::byte{0});
    std::byte* bitmap = out_.data() + kHeaderBytes;
    std::vector<std::uint64_t>& roots = scratch_.group_words[0];
    if (roots.size() < n) roots.resize(n);
    std::size_t root_count = 0, leaves = 0;
    bool is_walk = true;
    for (std::size_t i = n; i-- > 0;) {
      const std::uint64_t left = tree_.word(i, kLeft), right = tree_.word(i, kRight);
      if (tree_.has_missing() && (tree_.word(i, kMissing) >> 8) != 0) return false;
      if (left == kNoChild && right == kNoChild) {
        bitmap[i / 8] |= std::byte{1} << (i % 8);
        ++leaves;
        roots[root_count++] = i;
        continue;
      }
      if (left <= i || left >= n || right <= i || right >= n) return false;
      is_walk = is_walk && root_count >= 2 && roots[root_count - 1] == left && roots[root_count - 2] == right;
      if (is_walk) {
        root_count -= 2;
        roots[root_count++] = i;
      }
    }
    if (!is_walk || root_count != 1) header_.flags |= kStoredChildren;
    header_.nodes = static_cast<std::uint32_t>(n);
    header_.inner = static_cast<std::uint32_t>(n - leaves);
    return true;
  }

  bool leaf(std::size_t i) const { return is_leaf(out_.data() + kHeaderBytes, i); }

  void choose_value_rule() {
    const std::size_t n = tree_.count, columns = tree_.columns;
    const double root_total = total_of(tree_.row(0), columns);
    const std::size_t by_weight = outputs_of(root_total / tree_.weight(0), columns);
    const std::size_t by_one = outputs_of(root_total, columns);
    bool are_totals = by_weight != 0, are_shares = by_one != 0;
    for (std::size_t s = 0; s < kRuleSamples; ++s) {
      const std::size_t i = s * n / kRuleSamples;
      const double total = total_of(tree_.row(i), columns);
      are_totals = are_totals && is_near(total, static_cast<double>(by_weight) * tree_.weight(i));
      are_shares = are_shares && is_near(total, static_cast<double>(by_one));
    }
    header_.value_rule = ValueRule::means;
    header_.outputs = static_cast<std::uint16_t>(columns);
    if (are_totals) {
      header_.value_rule = ValueRule::totals;
      header_.outputs = static_cast<std::uint16_t>(by_weight);
    } else if (are_shares) {
      header_.value_rule = are_of_whole_counts() ? ValueRule::shares : ValueRule::means;
      header_.outputs = static_cast<std::uint16_t>(by_one);
    }
    of_classes_ = are_totals || are_shares;
  }

  bool are_of_whole_counts() const {
    for (std::size_t s = 0; s < kShareSamples; ++s) {
      const std::size_t i = s * tree_.count / kShareSamples;
      const double weight = tree_.weight(i);
      for (std::size_t c = 0; c < tree_.columns; ++c) {
        const double share = tree_.row(i)[c];
        if (nearest_whole(share * weight) / weight != share) return false;
      }
    }
    return true;
  }

  // Classes, if nearly all leaves have but one of each output; others are corrected.
  void choose_leaf_form() {
    std::size_t leaves = 0, pure = 0;
    for (std::size_t i = 0; of_classes_ && i < tree_.count; ++i) {
      if (!leaf(i)) continue;
      ++leaves;
      pure += has_one_class(i) ? 1 : 0;
    }
    if (of_classes_ && pure >= leaves - leaves / 16) header_.leaf_form = LeafForm::classes;
  }

  bool has_one_class(std::size_t i) const {
    const double whole = header_.value_rule == ValueRule::totals ? tree_.weight(i) : 1.0;
    const LooseReal* values = tree_.row(i);
    const std::size_t classes = tree_.columns / header_.outputs;
    for (std::size_t k = 0; k < header_.outputs; ++k, values += classes) {
      std::size_t zeros = 0, wholes = 0;
      for (std::size_t c = 0; c < classes; ++c) {
        zeros += values[c] == 0.0 ? 1 : 0;
        wholes += values[c] == whole ? 1 : 0;
      }
      if (wholes != 1 || zeros + 1 != classes) return false;
    }
    return true;
  }

  // The class of output k that a leaf is kept as: its largest.
  std::size_t class_of(std::size_t i, std::size_t k) const {
    const std::size_t classes = tree_.columns / header_.outputs;
    const LooseReal* values = tree_.row(i) + k * classes;
    std::size_t largest = 0;
    for (std::size_t c = 1; c < classes; ++c) {
      if (values[c] > values[largest]) largest = c;
    }
    return largest;
  }

  void choose_impurity_rule() {
    if (header_.inner == 0) return;
    std::array<std::uint64_t, 4> cost{};
    std::array<double, codec::kMaxColumns> counts;
    for (std::size_t s = 0; s < kRuleSamples; ++s) {
      std::size_t i = s * tree_.count / kRuleSamples;
      while (leaf(i)) i = i == 0 ? tree_.count - 1 : i - 1;
      const LooseReal* values = tree_.row(i);
      if (header_.value_rule == ValueRule::shares) {
        for (std::size_t c = 0; c < tree_.columns; ++c) counts[c] = nearest_whole(values[c] * tree_.weight(i));
        values = counts.data();
      }
      for (std::size_t rule = 0; rule < cost.size(); ++rule) {
        const auto difference = static_cast<std::int64_t>(inner_impurity(i, values, static_cast<ImpurityRule>(rule)));
        cost[rule] += static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(std::llabs(difference | 1)) - 1));
      }
    }
    for (std::size_t rule = 1; rule < cost.size(); ++rule) {
      const bool of_classes = rule != static_cast<std::size_t>(ImpurityRule::squared_error);
      if (of_classes == of_classes_ && cost[rule] < cost[static_cast<std::size_t>(header_.impurity_rule)]) {
        header_.impurity_rule = static_cast<ImpurityRule>(rule);
      }
    }
  }

  // What must be added to the impurity of an inner node as `rule` derives it. `values` as the decoder has them.
  std::uint64_t inner_impurity(std::size_t i, const LooseReal* values, ImpurityRule rule) const {
    double impurity = 0.0;
    if (rule == ImpurityRule::squared_error) {
      const auto left = static_cast<std::size_t>(tree_.word(i, kLeft));
      const auto right = static_cast<std::size_t>(tree_.word(i, kRight));
      impurity = squared_error({tree_.weight(left), tree_.field<double>(left, kImpurity), tree_.row(left)},
                               {tree_.weight(right), tree_.field<double>(right, kImpurity), tree_.row(right)},
                               tree_.weight(i), values, tree_.columns, header_.outputs);
    } else {
      Header header = header_;
      header.impurity_rule = rule;
      impurity = own_impurity(header, values, tree_.columns, tree_.weight(i));
    }
    return tree_.word(i, kImpurity) - bits_of(impurity);
  }

  // Counts of a node, under the rule of shares.
  LooseReal* counts(std::size_t i) {
    return reinterpret_cast<LooseReal*>(scratch_.group_words[1].data()) + i * tree_.columns;
  }

  // What the decoder has in the place of the values when it makes node i, before corrections; children come first.
  void derive(std::size_t i, LooseReal* values) {
    const std::size_t columns = tree_.columns;
    const bool shares = header_.value_rule == ValueRule::shares;
    if (!leaf(i)) {
      const auto left = static_cast<std::size_t>(tree_.word(i, kLeft));
      const auto right = static_cast<std::size_t>(tree_.word(i, kRight));
      derive_values(header_.value_rule, values, shares ? counts(left) : tree_.row(left),
                    shares ? counts(right) : tree_.row(right), tree_.weight(left), tree_.weight(right), tree_.weight(i),
                    columns);
    } else if (header_.leaf_form == LeafForm::classes) {
      const std::size_t classes = columns / header_.outputs;
      for (std::size_t c = 0; c < columns; ++c) values[c] = 0.0;
      for (std::size_t k = 0; k < header_.outputs; ++k) {
        values[k * classes + class_of(i, k)] = header_.value_rule == ValueRule::means ? 1.0 : tree_.weight(i);
      }
    } else if (shares) {
      for (std::size_t c = 0; c < columns; ++c) values[c] = nearest_whole(tree_.row(i)[c] * tree_.weight(i));
    } else {
      std::memcpy(static_cast<void*>(values), tree_.row(i), columns * 8);
    }
  }

  // Sets the words that must be added to the derived values; true if any is not 0. `derived` is what derive() gave.
  bool correct_values(std::size_t i, const LooseReal* derived, std::byte* corrections) const {
    const double weight = tree_.weight(i);
    const bool shares = header_.value_rule == ValueRule::shares;
    std::uint64_t any = 0;
    for (std::size_t c = 0; c < tree_.columns; ++c) {
      const double value = shares ? settled(derived[c] / weight) : static_cast<double>(derived[c]);
      const std::uint64_t difference =
          std::bit_cast<std::uint64_t>(static_cast<double>(tree_.row(i)[c])) - std::bit_cast<std::uint64_t>(value);
      any |= difference;
      if (corrections != nullptr) store(corrections + 8 * c, difference);
    }
    return any != 0;
  }

  // Differences of every node's samples, weight and impurity, and which others there are.
  void find_corrections() {
    const std::size_t n = tree_.count;
    if (scratch_.group_words[0].size() < 3 * n) scratch_.group_words[0].resize(3 * n);
    samples_ = scratch_.group_words[0].data();
    weights_ = samples_ + n;
    impurities_ = weights_ + n;
    const bool shares = header_.value_rule == ValueRule::shares;
    if (shares && scratch_.group_words[1].size() < n * tree_.columns) scratch_.group_words[1].resize(n * tree_.columns);
    std::array<double, codec::kMaxColumns> room;
    bool all_whole = true;
    std::uint64_t missing = 0, missing_if_larger = 0;
    std::uint64_t inner_samples = 0, inner_weight = 0, inner_impurity_bits = 0, leaf_weight = 0, leaf_impurity = 0,
                  leaf_split = 0;
    bool inner_values = false, leaf_values = false;
    for (std::size_t i = n; i-- > 0;) {
      const std::uint64_t weight_bits = tree_.word(i, kWeight);
      const double weight = tree_.weight(i);
      LooseReal* derived = shares ? counts(i) : static_cast<LooseReal*>(room.data());
      derive(i, derived);
      const bool differs = correct_values(i, derived, nullptr);
      const LooseReal* values = shares ? derived : tree_.row(i);
      if (leaf(i)) {
        leaf_values = leaf_values || differs;
        const bool from_values = header_.leaf_form == LeafForm::numbers && header_.value_rule != ValueRule::means;
        weights_[i] = weight_bits - (from_values ? bits_of(total_of(derived, tree_.columns / header_.outputs)) : 0);
        impurities_[i] = tree_.word(i, kImpurity) - bits_of(own_impurity(header_, values, tree_.columns, weight));
        samples_[i] = whole_or_zero(weight) - tree_.word(i, kSamples);
        all_whole = all_whole && (whole_or_zero(weight) != 0 || weight_bits == 0);
        leaf_weight |= weights_[i];
        leaf_impurity |= impurities_[i];
        leaf_split |= (tree_.word(i, kFeature) - kNoFeature) | (tree_.word(i, kThreshold) - kNoThreshold);
        if (tree_.has_missing()) leaf_split |= tree_.word(i, kMissing);
      } else {
        inner_values = inner_values || differs;
        const auto left = static_cast<std::size_t>(tree_.word(i, kLeft));
        const auto right = static_cast<std::size_t>(tree_.word(i, kRight));
        const std::uint64_t left_samples = tree_.word(left, kSamples), right_samples = tree_.word(right, kSamples);
        samples_[i] = tree_.word(i, kSamples) - (left_samples + right_samples);
        weights_[i] = weight_bits - bits_of(tree_.weight(left) + tree_.weight(right));
        impurities_[i] = inner_impurity(i, values, header_.impurity_rule);
        inner_samples |= samples_[i];
        inner_weight |= weights_[i];
        inner_impurity_bits |= impurities_[i];
        if (tree_.has_missing()) {
          const std::uint64_t found = tree_.word(i, kMissing);
          missing += found != 0 ? 1 : 0;
          missing_if_larger += found != static_cast<std::uint64_t>(is_larger(left_samples, right_samples)) ? 1 : 0;
        }
      }
    }
    const auto set = [&](bool present, std::uint16_t flag) {
      if (present) header_.flags = static_cast<std::uint16_t>(header_.flags | flag);
    };
    set(all_whole, kExcess);
    set(missing_if_larger < missing, kMissingToLarger);
    set(std::min(missing, missing_if_larger) != 0, kInnerMissing);
    set(inner_samples != 0, kInnerSamples);
    set(inner_weight != 0, kInnerWeight);
    set(inner_impurity_bits != 0, kInnerImpurity);
    set(inner_values, kInnerValues);
    set(leaf_weight != 0, kLeafWeight);
    set(leaf_impurity != 0, kLeafImpurity);
    set(leaf_split != 0, kLeafSplit);
    set(leaf_values, kLeafValues);
  }

  static void put(std::byte* row, std::uint32_t offset, std::uint64_t word) {
    if (offset != kAbsent) store(row + offset, word);
  }

  void write() {
    std::byte* bytes = out_.data();
    store(bytes, static_cast<std::uint8_t>(header_.value_rule));
    store(bytes + 1, static_cast<std::uint8_t>(header_.leaf_form));
    store(bytes + 2, static_cast<std::uint8_t>(header_.impurity_rule));
    store(bytes + 4, header_.flags);
    store(bytes + 6, header_.outputs);
    store(bytes + 8, header_.nodes);
    store(bytes + 12, header_.inner);
    const InnerRow inner(header_);
    write_part(false, inner, [&](std::size_t i, std::byte* row) {
      const std::uint64_t left = tree_.word(i, kLeft), right = tree_.word(i, kRight);
      store(row + inner.feature, tree_.word(i, kFeature));
      store(row + inner.threshold, tree_.word(i, kThreshold));
      put(row, inner.left, left);
      put(row, inner.gap, right - left);
      put(row, inner.samples, samples_[i]);
      put(row, inner.weight, weights_[i]);
      put(row, inner.impurity, impurities_[i]);
      if (inner.missing == kAbsent) return;
      const bool larger =
          header_.has(kMissingToLarger) && is_larger(tree_.word(static_cast<std::size_t>(left), kSamples),
                                                     tree_.word(static_cast<std::size_t>(right), kSamples));
      store(row + inner.missing, static_cast<std::uint8_t>(tree_.word(i, kMissing) - (larger ? 1 : 0)));
    });
    const LeafRow leaves(header_, tree_.has_missing());
    write_part(true, leaves, [&](std::size_t i, std::byte* row) {
      store(row + leaves.samples, header_.has(kExcess) ? samples_[i] : tree_.word(i, kSamples));
      put(row, leaves.weight, weights_[i]);
      put(row, leaves.impurity, impurities_[i]);
      put(row, leaves.feature, tree_.word(i, kFeature) - kNoFeature);
      put(row, leaves.threshold, tree_.word(i, kThreshold) - kNoThreshold);
      if (leaves.missing != kAbsent) store(row + leaves.missing, tree_.field<std::uint8_t>(i, kMissing));
      if (leaves.classes == kAbsent) return;
      for (std::size_t k = 0; k < header_.outputs; ++k) {
        store(row + leaves.classes + 2 * k, static_cast<std::uint16_t>(class_of(i, k)));
      }
    });
    std::array<double, codec::kMaxColumns> room;
    const auto derived = [&](std::size_t i) -> const LooseReal* {
      if (header_.value_rule == ValueRule::shares) return counts(i);
      derive(i, room.data());
      return room.data();
    };
    const ValuesRow numbers(tree_.columns, codec::Column::Content::real);
    if (header_.leaf_form == LeafForm::numbers) {
      write_part(true, numbers, [&](std::size_t i, std::byte* row) {
        std::memcpy(row, static_cast<const void*>(derived(i)), tree_.columns * 8);
      });
    }
    const ValuesRow corrections(tree_.columns, codec::Column::Content::integer);
    const auto correct = [&](std::size_t i, std::byte* row) { correct_values(i, derived(i), row); };
    if (header_.has(kInnerValues)) write_part(false, corrections, correct);
    if (header_.has(kLeafValues)) write_part(true, corrections, correct);
  }

  // One row for each leaf, or each other node, in their order.
  template <class Fill>
  void write_part(bool of_leaves, const RowPlan& plan, const Fill& fill) {
    const std::size_t rows = of_leaves ? tree_.count - header_.inner : header_.inner;
    if (rows == 0) return;
    std::vector<std::byte>& table = scratch_.group_bytes[0];
    const std::size_t bytes = rows * plan.row_bytes();
    if (table.size() < bytes) table.resize(bytes);
    std::byte* row = table.data();
    for (std::size_t i = 0; i < tree_.count; ++i) {
      if (leaf(i) != of_leaves) continue;
      fill(i, row);
      row += plan.row_bytes();
    }
    std::span<const std::byte> part = std::span(table).first(bytes);
    std::vector<std::byte>& filtered = scratch_.group_bytes[1];
    std::uint32_t flag = 0;
    if (codec::ColumnsFilter().encode(part, plan.layout(), {}, filtered, scratch_)) {
      part = filtered;
      flag = kFilteredPart;
    }
    const std::size_t at = out_.size();
    out_.resize(at + 4 + part.size());
    store(out_.data() + at, static_cast<std::uint32_t>(part.size()) | flag);
    std::memcpy(out_.data() + at + 4, part.data(), part.size());
  }

  const Tree& tree_;
  std::vector<std::byte>& out_;  // the payload; from the first step on with the bitmap of leaves
  codec::FilterScratch& scratch_;
  Header header_;
  bool of_classes_ = false;
  std::uint64_t* samples_ = nullptr;  // what is kept or corrected of each node
  std::uint64_t* weights_ = nullptr;
  std::uint64_t* impurities_ = nullptr;
};

// Words one after the other, as `expected` says of their contents, little-endian.
bool has_columns(const codec::RowLayout& layout, std::span<const codec::Column> expected) noexcept {
  return std::equal(layout.columns.begin(), layout.columns.end(), expected.begin(), expected.end(),
                    [](const codec::Column& a, const codec::Column& b) {
                      return a.offset == b.offset && a.bytes == b.bytes && a.content == b.content && !a.big_endian;
                    });
}

bool is_node_layout(const codec::RowLayout& layout) noexcept {
  using enum codec::Column::Content;
  static constexpr std::array<codec::Column, 9> fields = {{{kLeft, 8, integer},
                                                           {kRight, 8, integer},
                                                           {kFeature, 8, integer},
                                                           {kThreshold, 8, real},
                                                           {kImpurity, 8, real},
                                                           {kSamples, 8, integer},
                                                           {kWeight, 8, real},
                                                           {kMissing, 1, integer},
                                                           {kMissing + 1, 7, other}}};
  return (layout.row_bytes == kNodeBytes && has_columns(layout, std::span(fields).first(7))) ||
         (layout.row_bytes == kNodeBytesWithMissing && has_columns(layout, fields));
}

bool is_value_layout(const codec::RowLayout& layout) noexcept {
  const std::size_t columns = layout.columns.size();
  if (columns == 0 || columns > codec::kMaxColumns || layout.row_bytes != 8 * columns) return false;
  for (std::size_t c = 0; c < columns; ++c) {
    const codec::Column& column = layout.columns[c];
    if (column.offset != 8 * c || column.bytes != 8 || column.content != codec::Column::Content::real ||
        column.big_endian) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::size_t TreeFilter::match(std::span<const codec::RowLayout> layouts,
                              std::span<const std::uint64_t> raw_bytes) const noexcept {
  if (layouts.size() < 2 || raw_bytes.size() < 2 || !is_node_layout(layouts[0]) || !is_value_layout(layouts[1])) {
    return 0;
  }
  const std::uint64_t n = raw_bytes[0] / layouts[0].row_bytes;
  const bool fits = n > 0 && n <= kMostNodes && raw_bytes[0] == n * layouts[0].row_bytes &&
                    raw_bytes[1] % layouts[1].row_bytes == 0 && raw_bytes[1] / layouts[1].row_bytes == n;
  return fits ? 2 : 0;
}

bool TreeFilter::encode(std::span<const std::span<const std::byte>> raw, std::span<const codec::RowLayout> layouts,
                        std::vector<std::byte>& out, codec::FilterScratch& scratch) const try {
  out.clear();
  if (raw.size() != 2 || layouts.size() != 2) return false;
  const std::uint64_t raw_bytes[] = {raw[0].size(), raw[1].size()};
  if (match(layouts, raw_bytes) != 2) return false;
  const auto node_bytes = static_cast<std::size_t>(layouts[0].row_bytes);
  const Tree tree{raw[0].data(), raw[1].data(), node_bytes, layouts[1].columns.size(), raw[0].size() / node_bytes};
  if (Encoder(tree, out, scratch).run()) return true;
  out.clear();
  return false;
} catch (const std::bad_alloc&) {
  throw Error::out_of_memory();
}

codec::FilterTable tree_filters() noexcept {
  static const TreeFilter tree;
  static const codec::GroupFilter* const filters[] = {&tree};
  return {{}, filters};
}

}  // namespace mere::treefilter
