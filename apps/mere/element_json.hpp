#pragma once
// One element of an array, or a NumPy scalar, as JSON.

#include <cstddef>
#include <span>

#include <mere/array.hpp>
#include <mere/dtype.hpp>

#include "json_writer.hpp"

namespace mere::command {

// Writes the `dtype.itemsize()` bytes of `element`:
//   numbers and bool    numbers, true and false; a complex one {"@complex": [real, imaginary]}
//   bytes, raw, other   {"@bytes": base64}, bytes (S) without the zeros that pad them
//   unicode             a string
//   datetime            an ISO 8601 string, or "NaT"; timedelta {"@timedelta": [count, unit]}, "NaT"
//   record              an object of its fields; subarray: nested arrays
// Throws Error: shape_overflow, bad_type (bytes and type contradict each other), too_deep.
void write_element(JsonWriter& json, const Dtype& dtype, std::span<const std::byte> element);

// All elements of an array as nested JSON arrays, in C order; a 0-d array is its element. `first` is the element at
// index 0...0, strides in bytes.
void write_elements(JsonWriter& json, const Dtype& dtype, const std::byte* first, const Dims& shape,
                    const Dims& strides);

// Elements in C order up to `limit`, as "0.5, 1.0, 3.25".
std::string elements_text(const Dtype& dtype, const std::byte* first, const Dims& shape, const Dims& strides,
                          std::uint64_t limit);

}  // namespace mere::command
