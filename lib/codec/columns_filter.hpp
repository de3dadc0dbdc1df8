#pragma once
// The filter "columns": a block of rows, each column on its own and as few bytes of it as needed. Payload:
// docs/filters.md 1.

#include "codec/filter.hpp"

namespace mere::codec {

inline constexpr std::size_t kMaxColumns = 256;
inline constexpr std::uint64_t kMaxRowBytes = 65536;

// Constants of the payload.
namespace columns {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kColumnBytes = 16;
inline constexpr std::uint8_t kFormRaw = 0, kFormWords = 1;
inline constexpr std::uint8_t kBigEndian = 1, kWhole = 2, kElide = 4, kSamePlaces = 8, kAddRow = 16, kAddPrevious = 32,
                              kInOrder = 64;
inline constexpr std::uint8_t kKnownFlags = 127;

}  // namespace columns

struct CpuCode;

class ColumnsFilter final : public Filter {
 public:
  ColumnsFilter();  // with the best code for this CPU
  explicit ColumnsFilter(const CpuCode& code) : code_(code) {}

  std::uint8_t id() const noexcept override { return 1; }
  std::string_view name() const noexcept override { return "columns"; }
  bool encode(std::span<const std::byte> raw, const RowLayout& layout, const BlockPlace& place,
              std::vector<std::byte>& out, FilterScratch& scratch) const override;
  std::size_t bound(std::size_t raw_bytes) const noexcept override;
  void decode(std::span<const std::byte> filtered, std::span<std::byte> raw, FilterScratch& scratch) const override;

 private:
  const CpuCode& code_;
};

}  // namespace mere::codec
