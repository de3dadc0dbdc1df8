#pragma once
// NumPy scalars as numbers.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <mere/array.hpp>

namespace mere::graph {

inline std::optional<std::int64_t> integer_of(const Dtype& type, std::span<const std::byte> bytes) {
  if (bytes.size() != type.itemsize()) return std::nullopt;
  const bool swap = type.byte_order() == ByteOrder::big;
  const bool is_signed = type.type_class() == TypeClass::integer;
  if (type.type_class() == TypeClass::boolean && bytes.size() == 1) return bytes[0] != std::byte{0};
  if (!is_signed && type.type_class() != TypeClass::unsigned_integer) return std::nullopt;
  const std::byte* p = bytes.data();
  switch (bytes.size()) {
    case 1:
      return is_signed ? std::int64_t{detail::load_value<std::int8_t>(p, swap)}
                       : detail::load_value<std::uint8_t>(p, swap);
    case 2:
      return is_signed ? std::int64_t{detail::load_value<std::int16_t>(p, swap)}
                       : detail::load_value<std::uint16_t>(p, swap);
    case 4:
      return is_signed ? std::int64_t{detail::load_value<std::int32_t>(p, swap)}
                       : detail::load_value<std::uint32_t>(p, swap);
    case 8: {
      const auto value = detail::load_value<std::int64_t>(p, swap);
      if (!is_signed && value < 0) return std::nullopt;
      return value;
    }
    default: return std::nullopt;
  }
}

inline std::optional<double> real_of(const Dtype& type, std::span<const std::byte> bytes) {
  if (bytes.size() != type.itemsize()) return std::nullopt;
  const bool swap = type.byte_order() == ByteOrder::big;
  if (type.type_class() == TypeClass::real && bytes.size() == 8) return detail::load_value<double>(bytes.data(), swap);
  if (type.type_class() == TypeClass::real && bytes.size() == 4) return detail::load_value<float>(bytes.data(), swap);
  if (const auto integer = integer_of(type, bytes)) return static_cast<double>(*integer);
  return std::nullopt;
}

}  // namespace mere::graph
