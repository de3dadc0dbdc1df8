#include "importers/pickle/values.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mere::importers::pickle {

namespace {

constexpr std::int64_t kLeastSmall = -5;
constexpr std::int64_t kGreatestSmall = 256;

}  // namespace

Values::Values(Budget& budget) : budget_(budget) {
  make(ValueKind::none, 0, 0);
  make(ValueKind::boolean, 0, 0);
  make(ValueKind::boolean, 0, 1);
  small_integers_ = static_cast<ValueId>(records_.size());
  for (std::int64_t i = kLeastSmall; i <= kGreatestSmall; ++i)
    make(ValueKind::integer, 0, static_cast<std::uint64_t>(i));
}

void Values::expect(std::uint64_t stream_bytes) {
  // Address space alone, until it is used: an opcode makes a value at most. Beyond this the table grows as it will.
  constexpr std::uint64_t kMost = std::uint64_t{1} << 22;
  records_.reserve(records_.size() + static_cast<std::size_t>(std::min(stream_bytes, kMost)));
}

ValueId Values::make(ValueKind kind, std::uint32_t count, std::uint64_t bits) {
  Budget::spend(budget_.values, 1, "values", 0);
  const auto id = static_cast<ValueId>(records_.size());
  Record& record = records_.emplace_back(Record{.kind = kind, .words = {count, 0, 0}});
  record.set_bits(bits);
  return id;
}

ValueId Values::integer(std::int64_t value) {
  // Most integers of a model are small; one record each would be most of the memory.
  if (value >= kLeastSmall && value <= kGreatestSmall) {
    return small_integers_ + static_cast<ValueId>(value - kLeastSmall);
  }
  return make(ValueKind::integer, 0, static_cast<std::uint64_t>(value));
}

ValueId Values::borrowed(ValueKind kind, std::span<const std::byte> value) {
  const ValueId id =
      make(kind, static_cast<std::uint32_t>(value.size()), reinterpret_cast<std::uintptr_t>(value.data()));
  records_[id].length_high = static_cast<std::uint16_t>(value.size() >> 32);
  return id;
}

ValueId Values::big_integer(std::span<const std::byte> twos_complement) {
  const auto sign_of = [](std::byte top) {
    return (top & std::byte{0x80}) != std::byte{0} ? std::byte{0xff} : std::byte{0};
  };
  // Bytes that only repeat the sign are dropped, so that equal numbers are equal bytes.
  std::size_t length = twos_complement.size();
  while (length > 1 && twos_complement[length - 1] == sign_of(twos_complement[length - 2]) &&
         (twos_complement[length - 1] == std::byte{0} || twos_complement[length - 1] == std::byte{0xff})) {
    --length;
  }
  if (length > 8) return borrowed(ValueKind::big_integer, twos_complement.first(length));
  std::uint64_t value = length > 0 && sign_of(twos_complement[length - 1]) != std::byte{0} ? ~std::uint64_t{0} : 0;
  std::memcpy(&value, twos_complement.data(), length);
  return integer(static_cast<std::int64_t>(value));
}

ValueId Values::real(double value) {
  return make(ValueKind::real, 0, std::bit_cast<std::uint64_t>(value));
}

double Values::real_of(ValueId id) const {
  return std::bit_cast<double>(records_[id].bits());
}

std::string_view Values::own(std::string text) {
  Budget::spend(budget_.owned_bytes, text.size(), "decoded bytes", 0);
  if (!owned_) owned_ = std::make_shared<std::deque<std::string>>();
  return owned_->emplace_back(std::move(text));
}

std::span<const std::byte> Values::bytes_of(ValueId id) const {
  const Record& record = records_[id];
  const std::uint64_t length = record.words[0] | (std::uint64_t{record.length_high} << 32);
  return {reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(record.bits())),
          static_cast<std::size_t>(length)};
}

std::string_view Values::text_of(ValueId id) const {
  const auto bytes = bytes_of(id);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ValueId Values::tuple(std::span<const ValueId> members) {
  Budget::spend(budget_.members, members.size(), "members", 0);
  const std::size_t first = fixed_members_.size();
  fixed_members_.insert(fixed_members_.end(), members.begin(), members.end());
  return make(ValueKind::tuple, static_cast<std::uint32_t>(members.size()), first);
}

ValueId Values::frozenset(std::span<const ValueId> members) {
  const ValueId id = tuple(members);
  records_[id].kind = ValueKind::frozenset;
  return id;
}

void Values::append(ValueId container, std::span<const ValueId> members) {
  if (members.empty()) return;
  Budget::spend(budget_.members, members.size(), "members", 0);
  Record& record = records_[container];
  if (record.inline_members != kGrown) {
    if (members.size() <= static_cast<std::size_t>(kMostInline - record.inline_members)) {
      std::copy(members.begin(), members.end(), record.words + record.inline_members);
      record.inline_members = static_cast<std::uint8_t>(record.inline_members + members.size());
      return;
    }
    growing_.emplace_back(record.words, record.words + record.inline_members);
    record.inline_members = kGrown;
    record.set_bits(growing_.size() - 1);
  }
  std::vector<ValueId>& all = growing_[record.bits()];
  all.insert(all.end(), members.begin(), members.end());
}

std::span<const ValueId> Values::members(ValueId id) const {
  const Record& record = records_[id];
  if (record.kind == ValueKind::tuple || record.kind == ValueKind::frozenset) {
    return std::span(fixed_members_).subspan(record.bits(), record.words[0]);
  }
  if (record.inline_members != kGrown) return {record.words, record.inline_members};
  return growing_[record.bits()];
}

ValueId Values::global(std::string_view module, std::string_view qualname, std::uint64_t offset) {
  const auto key = std::pair(module, qualname);
  const auto found = global_ids_.find(key);
  if (found != global_ids_.end()) {
    ++globals_[records_[found->second].words[0]].name.uses;
    return found->second;
  }
  const ValueId id = make(ValueKind::global, static_cast<std::uint32_t>(globals_.size()), 0);
  globals_.push_back({{std::string(module), std::string(qualname), offset, 1}, find_known(module, qualname), id});
  global_ids_.emplace(std::pair(std::string(module), std::string(qualname)), id);
  return id;
}

ValueId Values::call(const Call& call) {
  const ValueId id = make(ValueKind::call, static_cast<std::uint32_t>(calls_.size()), 0);
  calls_.push_back(call);
  if (kind(call.callable) == ValueKind::global) calls_.back().known = global_of(call.callable).known;
  return id;
}

ValueId Values::array(RawArray array) {
  const ValueId id = make(ValueKind::array, static_cast<std::uint32_t>(arrays_.size()), 0);
  arrays_.push_back(std::move(array));
  return id;
}

}  // namespace mere::importers::pickle
