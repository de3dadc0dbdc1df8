#pragma once
// The arrays of a joblib file (joblib 0.10 and later): a NumpyArrayWrapper in the pickle stream, and right after its
// BUILD the array's bytes. Layout as in joblib/numpy_pickle.py, NumpyArrayWrapper.write_array.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "importers/pickle/values.hpp"

namespace mere::importers::joblib {

struct ArrayPayload {
  pickle::ValueId array = pickle::kNoValue;
  std::uint64_t end = 0;                      // the first byte after the payload
  std::optional<std::uint64_t> dropped_call;  // of the nested stream, see pickle::Outcome
};

// Reads the payload that begins at `position` for `wrapper`, a call whose state is set. Arrays of objects are a pickle
// stream of their own, run on the same values and budget.
// Throws Error: bad_record, out_of_bounds, shape_overflow, and what pickle::Machine throws.
ArrayPayload read_array(pickle::Values& values, pickle::ValueId wrapper, std::span<const std::byte> bytes,
                        std::uint64_t position);

// An array of a subclass of ndarray is what pickle makes of it: _reconstruct(subclass, (0,), b'b') with a state whose
// data is the array. `shape` and `dtype` are the values that say so in the stream.
pickle::ValueId as_subclass(pickle::Values& values, pickle::ValueId subclass, pickle::ValueId shape,
                            pickle::ValueId dtype, pickle::ValueId array, bool fortran, std::uint64_t position);

}  // namespace mere::importers::joblib
