// Any bytes as filtered ones: every code decodes them as the plain reference does, or all of them refuse. And any bytes
// as rows of any layout: what the filter makes of them comes back. Input: u8 (bit 0: rows, else filtered bytes), raw
// length (u16), then the filtered bytes; or a seed of the layout in place of the length, then the rows.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <vector>

#include "../reference/columns_plain.cpp"
#include "codec/columns_filter.hpp"
#include "codec/cpu_code.hpp"

namespace {

using namespace mere::codec;
using Bytes = std::vector<std::byte>;

std::optional<Bytes> decode(const CpuCode& code, const Bytes& filtered, std::size_t raw_bytes) {
  Bytes raw(raw_bytes);
  FilterScratch scratch;
  try {
    ColumnsFilter(code).decode(filtered, raw, scratch);
  } catch (const mere::Error& e) {
    if (e.reason() != mere::Reason::bad_stream) std::abort();
    return std::nullopt;
  }
  return raw;
}

void check_filtered(const Bytes& filtered, std::size_t raw_bytes) {
  std::optional<Bytes> plain(raw_bytes);
  if (!mere::reference::undo_columns(filtered, *plain)) plain.reset();
  for (std::size_t i = 0; i < cpu_code_count(); ++i) {
    if (decode(cpu_code_at(i), filtered, raw_bytes) != plain) std::abort();
  }
}

void check_rows(const Bytes& rows, std::uint16_t seed) {
  std::mt19937 random(seed);
  RowLayout layout;
  const std::size_t count = 1 + random() % 4;
  for (std::size_t c = 0; c < count; ++c) {
    const auto content = static_cast<Column::Content>(random() % 3);
    const std::uint32_t bytes =
        content == Column::Content::other ? 1 + static_cast<std::uint32_t>(random() % 9) : 1U << random() % 4;
    layout.columns.push_back({static_cast<std::uint32_t>(layout.row_bytes), bytes, content, random() % 2 == 0});
    layout.row_bytes += bytes;
  }
  const std::uint64_t first = random() % 100;
  FilterScratch scratch;
  Bytes filtered, other;
  const bool offered = ColumnsFilter(cpu_code_at(0)).encode(rows, layout, {first}, filtered, scratch);
  for (std::size_t i = 1; i < cpu_code_count(); ++i) {
    if (ColumnsFilter(cpu_code_at(i)).encode(rows, layout, {first}, other, scratch) != offered || other != filtered)
      std::abort();
  }
  if (!offered) return;
  if (filtered.size() > ColumnsFilter().bound(rows.size())) std::abort();
  Bytes plain(rows.size());
  if (!mere::reference::undo_columns(filtered, plain) || plain != rows) std::abort();
  if (decode(cpu_code(), filtered, rows.size()) != rows) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto number = static_cast<std::uint16_t>(data[1] | data[2] << 8);
  const auto rest = std::as_bytes(std::span(data + 3, size - 3));
  const Bytes bytes(rest.begin(), rest.end());
  if ((data[0] & 1U) != 0) {
    check_rows(bytes, number);
  } else {
    check_filtered(bytes, number);
  }
  return 0;
}
