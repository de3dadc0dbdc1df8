#pragma once
// What joblib before 0.10 wrote when it compressed: "ZF", the length of the bytes in hexadecimal digits, one zlib
// stream (joblib/numpy_pickle_compat.py, read_zfile).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "container/stream_decoder.hpp"

namespace mere::importers::joblib {

bool is_zf(std::span<const std::byte> bytes);

// The length that the header of `bytes`, which is_zf(), claims. Throws Error: truncated, bad_record.
std::uint64_t zf_length(std::span<const std::byte> bytes);

// As container::decode_stream; a length other than the claimed one is an error, found as soon as it is passed.
// Throws Error: what decode_stream throws; truncated, bad_record, bad_stream (the length is not the claimed one).
std::uint64_t decode_zf(std::span<const std::byte> bytes, const container::StreamOptions& options,
                        const std::function<void(std::span<const std::byte>)>& take);

}  // namespace mere::importers::joblib
