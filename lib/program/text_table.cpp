#include "program/text_table.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mere::program {

std::int32_t murmur3_32(std::string_view bytes, std::uint32_t seed) noexcept {
  constexpr std::uint32_t kFirst = 0xcc9e2d51, kSecond = 0x1b873593;
  std::uint32_t h = seed;
  const auto scrambled = [](std::uint32_t k) { return std::rotl(k * kFirst, 15) * kSecond; };
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t k;
    std::memcpy(&k, bytes.data() + i, 4);
    h = std::rotl(h ^ scrambled(k), 13) * 5 + 0xe6546b64;
  }
  std::uint32_t tail = 0;
  for (std::size_t k = bytes.size(); k > i; --k) tail = tail << 8 | static_cast<unsigned char>(bytes[k - 1]);
  if (i < bytes.size()) h ^= scrambled(tail);
  h ^= static_cast<std::uint32_t>(bytes.size());
  h = (h ^ h >> 16) * 0x85ebca6b;
  h = (h ^ h >> 13) * 0xc2b2ae35;
  return static_cast<std::int32_t>(h ^ h >> 16);
}

void TextTable::fields(Fields& fields, std::string_view prefix) {
  fields.field(std::string(prefix) + "bytes", bytes);
  fields.field(std::string(prefix) + "ends", ends);
  fields.field(std::string(prefix) + "slots", slots);
}

void TextTable::check(const Operator& op, std::string_view prefix) const {
  const auto fail = [&](const std::string& what) { fail_check(op, std::string(prefix) + what); };
  if (bytes.shape().size() != 1 && !bytes.empty()) fail("bytes have shape " + bytes.shape().to_text());
  if (ends.shape().size() != 1 && !ends.empty()) fail("ends have shape " + ends.shape().to_text());
  if (slots.shape().size() != 1 && !slots.empty()) fail("slots have shape " + slots.shape().to_text());
  if (!ends.empty() && (!std::has_single_bit(slots.size()) || slots.size() < 2 * ends.size())) {
    fail("slots are " + std::to_string(slots.size()) + " for " + std::to_string(ends.size()) + " texts");
  }
}

bool TextTable::equal_at(std::size_t index, std::string_view text) const noexcept {
  const std::int64_t begin = index == 0 ? 0 : ends[index - 1], end = ends[index];
  if (begin < 0 || begin > end || static_cast<std::uint64_t>(end) > bytes.size()) return false;
  const auto size = static_cast<std::size_t>(end - begin);
  return size == text.size() && std::equal(text.begin(), text.end(), bytes.data() + begin,
                                           [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

std::optional<std::size_t> TextTable::find(std::string_view text, std::uint32_t seed, std::size_t first,
                                           std::size_t last) const noexcept {
  if (ends.empty()) return std::nullopt;
  const std::size_t mask = slots.size() - 1;
  std::size_t slot = static_cast<std::uint32_t>(murmur3_32(text, seed)) & mask;
  // At most every slot once: in a file that lies none may be free.
  for (std::size_t probes = 0; probes <= mask; ++probes, slot = (slot + 1) & mask) {
    const std::uint32_t entry = slots[slot];
    if (entry == 0) return std::nullopt;
    const std::size_t index = entry - 1;
    if (index >= first && index < last && index < ends.size() && equal_at(index, text)) return index;
  }
  return std::nullopt;
}

TextTable TextTable::of(std::span<const std::string> texts, std::span<const std::uint32_t> seeds) {
  TextTable table;
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> ends;
  std::vector<std::uint32_t> slots(std::bit_ceil(2 * texts.size()), 0);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    bytes.insert(bytes.end(), texts[i].begin(), texts[i].end());
    ends.push_back(static_cast<std::int64_t>(bytes.size()));
    std::size_t slot = static_cast<std::uint32_t>(murmur3_32(texts[i], seeds.empty() ? 0 : seeds[i]));
    while (slots[slot & (slots.size() - 1)] != 0) ++slot;
    slots[slot & (slots.size() - 1)] = static_cast<std::uint32_t>(i + 1);
  }
  if (texts.empty()) return table;
  table.bytes = Array<std::uint8_t>(std::move(bytes));
  table.ends = Array<std::int64_t>(std::move(ends));
  table.slots = Array<std::uint32_t>(std::move(slots));
  return table;
}

}  // namespace mere::program
