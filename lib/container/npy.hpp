#pragma once
// The .npy format, versions 1.0 to 3.0 (numpy/lib/format.py): a header that is read as data, then the elements.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/dtype.hpp>

namespace mere::container {

struct NpyHeader {
  Dtype dtype;
  std::string descr;  // "<f8", as the header spells a type without fields; else empty
  std::vector<std::int64_t> shape;
  bool fortran = false;  // elements in Fortran order
  std::uint64_t data_offset = 0;
  std::uint64_t data_bytes = 0;  // as dtype and shape need
};

bool is_npy(std::span<const std::byte> bytes);

// Reads the header of `bytes`, which is_npy(). The header has to be exactly the dict that NumPy writes: descr,
// fortran_order and shape, each once; nothing in it is evaluated. Element bytes must be all there, and nothing more.
// Throws Error: bad_record, unsupported_version, unknown_type, shape_overflow, truncated, trailing_bytes,
// not_supported (arrays of objects, which .npy keeps as pickles; with `objects` they are let through, and data_bytes is
// all that follows the header).
NpyHeader read_npy_header(std::span<const std::byte> bytes, bool objects = false);

// Magic, version and header, padded so that what follows lies at a multiple of 64; as NumPy writes it for this array.
// Throws Error: not_supported (objects; fields that overlap or are not in the order of their offsets, which the
// format cannot say).
std::string npy_header(const Dtype& dtype, std::span<const std::int64_t> shape, bool fortran);

}  // namespace mere::container
