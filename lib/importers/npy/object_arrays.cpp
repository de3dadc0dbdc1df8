#include "importers/npy/object_arrays.hpp"

#include <vector>

#include "importers/pickle/machine.hpp"
#include "importers/pickle/numpy_types.hpp"
#include "importers/pickle/pickle.hpp"

namespace mere::importers::npy {

namespace {

using pickle::Outcome;
using pickle::ValueId;
using pickle::ValueKind;
using pickle::Values;

[[noreturn]] void fail(Reason reason, std::uint64_t offset, const std::string& what) {
  throw Error(reason, "byte " + std::to_string(offset) + " of an .npy file: " + what);
}

// The array that the pickle after the header holds.
Outcome read_pickle(Values& values, const FileArray& array) {
  pickle::Machine machine(array.file, array.header.data_offset, values, true);
  const Outcome outcome = machine.run();
  if (outcome.end != array.file.size()) {
    fail(Reason::trailing_bytes, outcome.end,
         std::to_string(array.file.size() - outcome.end) + " bytes follow the end of the pickle");
  }
  if (!values.is_call(outcome.root) || values.call_of(outcome.root).known != pickle::Known::numpy_reconstruct) {
    fail(Reason::bad_record, array.header.data_offset, "the pickle holds no array");
  }
  // numpy.load takes the shape of the pickle, whatever the header says.
  const ValueId state = values.call_of(outcome.root).state;
  if (state == pickle::kNoValue || values.kind(state) != ValueKind::tuple || values.members(state).size() != 5 ||
      pickle::read_shape(values, values.members(state)[1], array.header.data_offset) != array.header.shape) {
    fail(Reason::bad_record, array.header.data_offset, "the pickle holds an array of another shape than the header's");
  }
  return outcome;
}

}  // namespace

Imported read_object_array(const Source& source, const FileArray& array, const ImportOptions& options) {
  Imported result = pickle::read_values(source, options, [&](Values& values) { return read_pickle(values, array); });
  result.protocol.reset();
  return result;
}

Imported read_object_arrays(const Source& source, std::span<const FileArray> arrays, const ImportOptions& options) {
  const auto run = [&](Values& values) {
    Outcome all;
    std::vector<ValueId> entries;
    for (const FileArray& array : arrays) {
      try {
        entries.push_back(values.text(values.own(array.name)));
        if (array.header.dtype.has_objects()) {
          const Outcome outcome = read_pickle(values, array);
          entries.push_back(outcome.root);
          if (outcome.dropped_call) all.dropped_call = outcome.dropped_call;
        } else {
          entries.push_back(
              values.array({.dtype = array.header.dtype,
                            .shape = array.header.shape,
                            .fortran = array.header.fortran,
                            .bytes = array.file.subspan(array.header.data_offset, array.header.data_bytes)}));
        }
      } catch (const Error& error) {
        throw error.with_context("member '" + array.name + ".npy'");
      }
    }
    all.root = values.dict();
    values.append(all.root, entries);
    return all;
  };
  Imported result = pickle::read_values(source, options, run);
  result.protocol.reset();
  return result;
}

}  // namespace mere::importers::npy
