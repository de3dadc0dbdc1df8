#pragma once
// The filter "tree": nodes and values of one of scikit-learn's trees, of which only what cannot be derived from the
// rest is kept. Payload and derivations: docs/filters.md 2.

#include "codec/filter.hpp"

namespace mere::treefilter {

class TreeFilter final : public codec::GroupFilter {
 public:
  std::uint8_t id() const noexcept override { return 128; }
  std::string_view name() const noexcept override { return "tree"; }
  std::size_t most_members() const noexcept override { return 2; }
  // 2 if the arrays are the nodes of a tree and one row of doubles for each.
  std::size_t match(std::span<const codec::RowLayout> layouts,
                    std::span<const std::uint64_t> raw_bytes) const noexcept override;
  // False for nodes of which some child does not follow its parent, or with bytes between fields.
  bool encode(std::span<const std::span<const std::byte>> raw, std::span<const codec::RowLayout> layouts,
              std::vector<std::byte>& out, codec::FilterScratch& scratch) const override;
  void decode(std::span<const std::byte> filtered, std::span<const std::span<std::byte>> raw,
              codec::FilterScratch& scratch) const override;
};

// The filters of this room.
codec::FilterTable tree_filters() noexcept;

}  // namespace mere::treefilter
