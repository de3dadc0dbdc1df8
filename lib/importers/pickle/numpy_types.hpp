#pragma once
// NumPy's element types, shapes and raw bytes, read from what a pickle stream says about them (numpy.dtype's and
// ndarray's __reduce__ and __setstate__, numpy/core/src/multiarray/descriptor.c).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <mere/dtype.hpp>

#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

class NumpyTypes {
 public:
  explicit NumpyTypes(const Values& values) : values_(values) {}

  // True if `value` is a call of numpy.dtype with a text: a type by a class (ml_dtypes.bfloat16) or of a class of its
  // own (StringDType) says nothing about its bytes.
  bool is_dtype(ValueId value) const;
  // True for these, and for records whose elements are of the class numpy.record: the bytes are known, but the type is
  // more than a Dtype says.
  bool is_readable(ValueId value) const;

  // The element type that `value`, for which is_readable(), stands for. `offset` is for the message.
  // Throws Error: bad_record, unknown_type, bad_type, too_deep, too_large.
  Dtype dtype(ValueId value, std::uint64_t offset);

 private:
  struct ReadType {
    Dtype type;
    std::uint64_t fields = 1;  // when every record in it is written out
  };
  ReadType read(ValueId value, std::uint64_t offset, int depth);
  ReadType read_record(std::span<const ValueId> state, std::uint64_t offset, int depth);

  const Values& values_;
  std::unordered_map<ValueId, ReadType> done_;
};

// A tuple of dimensions. Throws Error: bad_record, shape_overflow.
std::vector<std::int64_t> read_shape(const Values& values, ValueId value, std::uint64_t offset);
std::string shape_text(std::span<const std::int64_t> shape);

// Raw bytes as a stream may hold them: bytes, bytearray, or _codecs.encode(text, 'latin1') of protocols 0 to 2.
struct RawBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // null: they lie in the stream, or with the values
};
// Nothing if `value` is none of these. Throws Error: bad_text (a text that Latin-1 does not have).
std::optional<RawBytes> find_raw_bytes(const Values& values, ValueId value);
std::optional<RawBytes> raw_bytes_of_call(const Values& values, const Call& call);
// The same where only bytes can be meant: Python 2 kept them in a str, which is a text if it is ASCII.
std::optional<RawBytes> find_meant_bytes(const Values& values, ValueId value);

// The element type of the mask of an array of `type` (numpy.ma.make_mask_descr): a bool for each value in an element.
Dtype mask_type(const Dtype& type);

}  // namespace mere::importers::pickle
