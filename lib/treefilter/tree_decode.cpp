#include <bit>
#include <new>
#include <string>

#include <mere/error.hpp>

#include "codec/columns_filter.hpp"
#include "treefilter/derive.hpp"
#include "treefilter/payload.hpp"
#include "treefilter/tree_filter.hpp"

namespace mere::treefilter {
namespace {

[[noreturn]] void throw_damaged(const std::string& what, std::size_t offset) {
  throw Error(Reason::bad_stream, "filter tree: " + what + " at filtered byte " + std::to_string(offset));
}

// Reads the payload from front to back; every length is held against what remains.
class Payload {
 public:
  explicit Payload(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t offset() const { return offset_; }

  std::span<const std::byte> take(std::uint64_t length, const char* what) {
    if (length > bytes_.size() - offset_) {
      throw_damaged(std::string(what) + " of " + std::to_string(length) + " bytes does not fit into the " +
                        std::to_string(bytes_.size() - offset_) + " that remain",
                    offset_);
    }
    const auto taken = bytes_.subspan(offset_, static_cast<std::size_t>(length));
    offset_ += taken.size();
    return taken;
  }

  // One part, un-filtered into `room`, which is made as long as its rows.
  const std::byte* take_part(std::size_t rows, std::size_t row_bytes, std::vector<std::byte>& room, const char* what,
                             codec::FilterScratch& scratch) {
    const std::size_t at = offset_;
    const auto length = load<std::uint32_t>(take(4, what).data());
    const std::span<const std::byte> part = take(length & ~kFilteredPart, what);
    const std::size_t raw_bytes = rows * row_bytes;
    if ((length & kFilteredPart) == 0) {
      if (part.size() != raw_bytes) {
        throw_damaged(
            std::string(what) + " of " + std::to_string(part.size()) + " bytes, expected " + std::to_string(raw_bytes),
            at);
      }
      return part.data();
    }
    if (room.size() < raw_bytes) room.resize(raw_bytes);
    codec::ColumnsFilter().decode(part, std::span(room).first(raw_bytes), scratch);
    return room.data();
  }

  void expect_end() const {
    if (offset_ != bytes_.size()) throw_damaged(std::to_string(bytes_.size() - offset_) + " bytes too many", offset_);
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
};

// What is made, and of what size.
struct Tree {
  std::byte* nodes;
  std::byte* values;
  std::size_t node_bytes;
  std::size_t columns;  // of values

  std::byte* node(std::size_t i) const { return nodes + i * node_bytes; }
  LooseReal* row(std::size_t i) const { return reinterpret_cast<LooseReal*>(values + i * columns * 8); }
};

Header read_header(Payload& payload, std::span<const std::byte> nodes, std::span<const std::byte> values, Tree& tree) {
  const std::byte* bytes = payload.take(kHeaderBytes, "the header").data();
  Header header;
  const auto rule = load<std::uint8_t>(bytes), form = load<std::uint8_t>(bytes + 1),
             impurity = load<std::uint8_t>(bytes + 2);
  if (rule < 1 || rule > 3) throw_damaged("values derived by unknown rule " + std::to_string(rule), 0);
  if (form > 1) throw_damaged("leaves of unknown form " + std::to_string(form), 1);
  if (impurity > 3) throw_damaged("impurity derived by unknown rule " + std::to_string(impurity), 2);
  if (load<std::uint8_t>(bytes + 3) != 0) throw_damaged("a reserved byte is not zero", 3);
  header.value_rule = static_cast<ValueRule>(rule);
  header.leaf_form = static_cast<LeafForm>(form);
  header.impurity_rule = static_cast<ImpurityRule>(impurity);
  header.flags = load<std::uint16_t>(bytes + 4);
  header.outputs = load<std::uint16_t>(bytes + 6);
  header.nodes = load<std::uint32_t>(bytes + 8);
  header.inner = load<std::uint32_t>(bytes + 12);
  if ((header.flags & ~kKnownFlags) != 0) throw_damaged("flags " + std::to_string(header.flags), 4);
  const std::uint64_t n = header.nodes;
  if (n == 0 || n > kMostNodes || header.inner >= n) {
    throw_damaged(std::to_string(n) + " nodes, of which " + std::to_string(header.inner) + " are no leaves", 8);
  }
  if (nodes.size() != n * kNodeBytes && nodes.size() != n * kNodeBytesWithMissing) {
    throw_damaged(std::to_string(n) + " nodes for an array of " + std::to_string(nodes.size()) + " bytes", 8);
  }
  if (values.empty() || values.size() % (8 * n) != 0 || values.size() / (8 * n) > codec::kMaxColumns) {
    throw_damaged(
        "values of " + std::to_string(n) + " nodes for an array of " + std::to_string(values.size()) + " bytes", 8);
  }
  tree.node_bytes = nodes.size() / n;
  tree.columns = values.size() / (8 * n);
  if (header.outputs == 0 || tree.columns % header.outputs != 0) {
    throw_damaged(std::to_string(header.outputs) + " outputs of " + std::to_string(tree.columns) + " columns", 6);
  }
  if (tree.node_bytes == kNodeBytes && (header.flags & (kInnerMissing | kMissingToLarger)) != 0) {
    throw_damaged("flags for missing values, of which the nodes know nothing", 4);
  }
  return header;
}

const std::byte* read_bitmap(Payload& payload, const Header& header) {
  const std::size_t n = header.nodes, at = payload.offset();
  const std::span<const std::byte> bitmap = payload.take((n + 7) / 8, "the bitmap of leaves");
  std::uint64_t leaves = 0;
  for (const std::byte b : bitmap) leaves += static_cast<unsigned>(std::popcount(std::to_integer<unsigned>(b)));
  if (n % 8 != 0 && (std::to_integer<unsigned>(bitmap.back()) >> (n % 8)) != 0) {
    throw_damaged("bits behind the last node", payload.offset() - 1);
  }
  if (leaves != n - header.inner) {
    throw_damaged(std::to_string(leaves) + " leaves, expected " + std::to_string(n - header.inner), at);
  }
  return bitmap.data();
}

// Adds a row of corrections, of the bits.
void correct_row(LooseReal* values, const std::byte* corrections, std::size_t columns) {
  for (std::size_t c = 0; c < columns; ++c) {
    const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(values[c]));
    values[c] = std::bit_cast<double>(bits + load<std::uint64_t>(corrections + 8 * c));
  }
}

// Makes the nodes, the last first: children stand behind their parents.
class Maker {
 public:
  Maker(const Header& header, const Tree& tree, Payload& payload, codec::FilterScratch& scratch)
      : header_(header),
        tree_(tree),
        has_missing_(tree.node_bytes == kNodeBytesWithMissing),
        inner_row_(header),
        leaf_row_(header, has_missing_),
        bitmap_(read_bitmap(payload, header)) {
    const std::size_t inner = header.inner, leaves = header.nodes - inner, value_bytes = 8 * tree.columns;
    const auto take = [&](bool present, std::size_t rows, std::size_t row_bytes, std::size_t room, const char* what) {
      if (!present || rows == 0) return static_cast<const std::byte*>(nullptr);
      return payload.take_part(rows, row_bytes, scratch.group_bytes[room], what, scratch);
    };
    inner_ = take(true, inner, inner_row_.row_bytes(), 0, "the part of inner nodes");
    leaf_ = take(true, leaves, leaf_row_.row_bytes(), 1, "the part of leaves");
    leaf_numbers_ = take(header.leaf_form == LeafForm::numbers, leaves, value_bytes, 2, "the part of values");
    inner_corrections_ = take(header.has(kInnerValues), inner, value_bytes, 3, "the part of inner corrections");
    leaf_corrections_ = take(header.has(kLeafValues), leaves, value_bytes, 4, "the part of leaf corrections");
    payload.expect_end();
    // Never more than there are leaves.
    if (scratch.group_words[0].size() < leaves) scratch.group_words[0].resize(leaves);
    roots_ = scratch.group_words[0].data();
  }

  void run() {
    std::size_t inner = header_.inner, leaf = header_.nodes - inner;
    for (std::size_t i = header_.nodes; i-- > 0;) {
      if (is_leaf(bitmap_, i)) {
        make_leaf(i, --leaf);
      } else {
        make_inner(i, --inner);
      }
    }
    if (!header_.has(kStoredChildren) && root_count_ != 1) {
      throw_damaged("a bitmap of leaves with " + std::to_string(root_count_) + " trees instead of one", kHeaderBytes);
    }
    if (header_.value_rule == ValueRule::shares) divide();
  }

 private:
  void make_leaf(std::size_t i, std::size_t leaf) {
    std::byte* node = tree_.node(i);
    LooseReal* values = tree_.row(i);
    const std::byte* row = leaf_ + leaf * leaf_row_.row_bytes();
    std::uint64_t weight = word(row, leaf_row_.weight);
    if (header_.leaf_form == LeafForm::classes) {
      const std::size_t classes = tree_.columns / header_.outputs;
      const double whole = header_.value_rule == ValueRule::means ? 1.0 : std::bit_cast<double>(weight);
      std::memset(tree_.values + i * tree_.columns * 8, 0, tree_.columns * 8);
      for (std::size_t k = 0; k < header_.outputs; ++k) {
        const auto c = load<std::uint16_t>(row + leaf_row_.classes + 2 * k);
        if (c >= classes) {
          throw_damaged(
              "class " + std::to_string(c) + " of " + std::to_string(classes) + " in leaf " + std::to_string(i),
              kHeaderBytes);
        }
        values[k * classes + c] = whole;
      }
    } else {
      std::memcpy(tree_.values + i * tree_.columns * 8, leaf_numbers_ + leaf * tree_.columns * 8, tree_.columns * 8);
      if (header_.value_rule != ValueRule::means) weight += bits_of(first_total(values));
    }
    const double weight_value = std::bit_cast<double>(weight);
    if (leaf_corrections_ != nullptr && header_.value_rule != ValueRule::shares) {
      correct_row(values, leaf_corrections_ + leaf * tree_.columns * 8, tree_.columns);
    }
    const std::uint64_t samples = word(row, leaf_row_.samples);
    store(node + kLeft, kNoChild);
    store(node + kRight, kNoChild);
    store(node + kFeature, kNoFeature + word(row, leaf_row_.feature));
    store(node + kThreshold, kNoThreshold + word(row, leaf_row_.threshold));
    store(node + kImpurity,
          bits_of(own_impurity(header_, values, tree_.columns, weight_value)) + word(row, leaf_row_.impurity));
    store(node + kSamples, header_.has(kExcess) ? whole_or_zero(weight_value) - samples : samples);
    store(node + kWeight, weight);
    if (has_missing_) {
      const auto missing = leaf_row_.missing == kAbsent ? std::uint8_t{0} : load<std::uint8_t>(row + leaf_row_.missing);
      store(node + kMissing, static_cast<std::uint64_t>(missing));
    }
    if (!header_.has(kStoredChildren)) roots_[root_count_++] = i;
  }

  void make_inner(std::size_t i, std::size_t inner) {
    std::byte* node = tree_.node(i);
    const std::byte* row = inner_ + inner * inner_row_.row_bytes();
    const auto [left, right] = children_of(i, row);
    const std::byte* left_node = tree_.node(left);
    const std::byte* right_node = tree_.node(right);
    const auto left_samples = load<std::uint64_t>(left_node + kSamples);
    const auto right_samples = load<std::uint64_t>(right_node + kSamples);
    const auto left_weight = load<double>(left_node + kWeight), right_weight = load<double>(right_node + kWeight);
    const std::uint64_t weight_bits = bits_of(left_weight + right_weight) + word(row, inner_row_.weight);
    const double weight = std::bit_cast<double>(weight_bits);

    LooseReal* values = tree_.row(i);
    derive_values(header_.value_rule, values, tree_.row(left), tree_.row(right), left_weight, right_weight, weight,
                  tree_.columns);
    if (inner_corrections_ != nullptr && header_.value_rule != ValueRule::shares) {
      correct_row(values, inner_corrections_ + inner * tree_.columns * 8, tree_.columns);
    }
    double impurity = 0.0;
    if (header_.impurity_rule == ImpurityRule::squared_error) {
      impurity = squared_error({left_weight, load<double>(left_node + kImpurity), tree_.row(left)},
                               {right_weight, load<double>(right_node + kImpurity), tree_.row(right)}, weight, values,
                               tree_.columns, header_.outputs);
    } else {
      impurity = own_impurity(header_, values, tree_.columns, weight);
    }
    store(node + kLeft, static_cast<std::uint64_t>(left));
    store(node + kRight, static_cast<std::uint64_t>(right));
    store(node + kFeature, word(row, inner_row_.feature));
    store(node + kThreshold, word(row, inner_row_.threshold));
    store(node + kImpurity, bits_of(impurity) + word(row, inner_row_.impurity));
    store(node + kSamples, left_samples + right_samples + word(row, inner_row_.samples));
    store(node + kWeight, weight_bits);
    if (has_missing_) {
      const bool larger = header_.has(kMissingToLarger) && is_larger(left_samples, right_samples);
      const auto more = inner_row_.missing == kAbsent ? std::uint8_t{0} : load<std::uint8_t>(row + inner_row_.missing);
      store(node + kMissing, static_cast<std::uint64_t>(static_cast<std::uint8_t>(larger + more)));
    }
  }

  struct Children {
    std::size_t left, right;
  };
  Children children_of(std::size_t i, const std::byte* row) {
    if (header_.has(kStoredChildren)) {
      const std::uint64_t left = word(row, inner_row_.left), right = left + word(row, inner_row_.gap);
      if (left <= i || left >= header_.nodes || right <= i || right >= header_.nodes) {
        throw_damaged("node " + std::to_string(i) + " of " + std::to_string(header_.nodes) + " with children " +
                          std::to_string(left) + " and " + std::to_string(right),
                      kHeaderBytes);
      }
      return {static_cast<std::size_t>(left), static_cast<std::size_t>(right)};
    }
    if (root_count_ < 2) throw_damaged("node " + std::to_string(i) + " without children", kHeaderBytes);
    // The left subtree follows its parent, so it was made last.
    root_count_ -= 2;
    const Children children{static_cast<std::size_t>(roots_[root_count_ + 1]),
                            static_cast<std::size_t>(roots_[root_count_])};
    roots_[root_count_++] = i;
    return children;
  }

  double first_total(const LooseReal* values) const { return total_of(values, tree_.columns / header_.outputs); }

  // From counts to shares, once no parent needs the counts any more.
  void divide() {
    std::size_t inner = 0, leaf = 0;
    for (std::size_t i = 0; i < header_.nodes; ++i) {
      LooseReal* values = tree_.row(i);
      const auto weight = load<double>(tree_.node(i) + kWeight);
      for (std::size_t c = 0; c < tree_.columns; ++c) values[c] = settled(values[c] / weight);
      const bool in_leaf = is_leaf(bitmap_, i);
      const std::byte* corrections = in_leaf ? leaf_corrections_ : inner_corrections_;
      const std::size_t row = in_leaf ? leaf++ : inner++;
      if (corrections != nullptr) correct_row(values, corrections + row * tree_.columns * 8, tree_.columns);
    }
  }

  static std::uint64_t word(const std::byte* row, std::uint32_t offset) {
    return offset == kAbsent ? 0 : load<std::uint64_t>(row + offset);
  }

  const Header& header_;
  const Tree& tree_;
  bool has_missing_;
  InnerRow inner_row_;
  LeafRow leaf_row_;
  const std::byte* bitmap_;
  const std::byte* inner_ = nullptr;
  const std::byte* leaf_ = nullptr;
  const std::byte* leaf_numbers_ = nullptr;
  const std::byte* inner_corrections_ = nullptr;
  const std::byte* leaf_corrections_ = nullptr;
  std::uint64_t* roots_ = nullptr;  // of what was made and has no parent yet
  std::size_t root_count_ = 0;
};

}  // namespace

void TreeFilter::decode(std::span<const std::byte> filtered, std::span<const std::span<std::byte>> raw,
                        codec::FilterScratch& scratch) const try {
  if (raw.size() != 2)
    throw_damaged("a group of " + std::to_string(raw.size()) + " arrays, expected nodes and values", 0);
  Payload payload(filtered);
  Tree tree{raw[0].data(), raw[1].data(), 0, 0};
  const Header header = read_header(payload, raw[0], raw[1], tree);
  Maker(header, tree, payload, scratch).run();
} catch (const std::bad_alloc&) {
  throw Error::out_of_memory();
}

}  // namespace mere::treefilter
