#pragma once
// The safetensors format (huggingface/safetensors, safetensors/src/tensor.rs): 8 bytes with the header's length, a
// header in JSON, then the tensors' bytes one after another in C order.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/dtype.hpp>

namespace mere::container {

struct SafetensorsTensor {
  std::string name;  // UTF-8
  // Types of less than a byte are told as several in one: F4 is other("float4_e2m1fn_x2", 1), F6_E2M3 and F6_E3M2 are
  // other("float6_e2m3fn_x4", 3) and other("float6_e3m2fn_x4", 3); the last dimension counts those.
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;  // of its bytes, in the file
  std::uint64_t bytes = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsTensor> tensors;                     // in the order of their bytes
  std::vector<std::pair<std::string, std::string>> metadata;  // "__metadata__", in the order of the file
  std::uint64_t data_offset = 0;
};

// A length that a header may have, and then '{' and what may follow it.
bool is_safetensors(std::span<const std::byte> bytes);

// Reads the header of a whole file. Tensors lie one after another from data_offset to the end: no holes, nothing shared
// and nothing after them. Throws Error: truncated, too_large (a header of more than 100 MB, as the library has it),
// bad_record, bad_text, duplicate_key, unknown_type, shape_overflow, out_of_bounds, overlap (a hole too),
// trailing_bytes.
SafetensorsHeader read_safetensors_header(std::span<const std::byte> file);

// The word of a type ("F32"); empty if the format has none: then it cannot say this type, or not in this byte order.
std::string_view safetensors_word(const Dtype& dtype) noexcept;

// Everything before the tensors' bytes, a multiple of 8. The tensors' `offset` and `bytes` are not read: they lie one
// after another in the order given. The library itself orders them by type (see safetensors_rank), then by name.
// Throws Error: not_supported (a type that the format does not have), duplicate_key (a name twice, or "__metadata__"),
// bad_text (a name or metadata that is not UTF-8), shape_overflow, too_large (beyond 100 MB).
std::string safetensors_header(std::span<const SafetensorsTensor> tensors,
                               std::span<const std::pair<std::string, std::string>> metadata);

// Where the library puts a tensor of this type: those of a higher rank come first, so that each is aligned.
int safetensors_rank(const Dtype& dtype) noexcept;

}  // namespace mere::container
