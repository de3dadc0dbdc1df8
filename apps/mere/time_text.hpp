#pragma once
// NumPy's datetimes as text.

#include <cstdint>
#include <string>
#include <string_view>

#include <mere/dtype.hpp>

namespace mere::command {

// "Y", "M", ... "ns": NumPy's letters; "generic" without one.
std::string_view unit_text(TimeUnit unit);

// ISO 8601, as precise as the unit: "2026-11", "2026-11-21T20:46:26.000250". `count` is in steps of `multiple` units
// since 1970; years beyond four digits have a sign. A generic unit gives the bare number.
std::string datetime_text(std::int64_t count, std::uint32_t multiple, TimeUnit unit);

// count x multiple in decimal, which need not fit in 64 bits.
std::string product_text(std::int64_t count, std::uint32_t multiple);

}  // namespace mere::command
