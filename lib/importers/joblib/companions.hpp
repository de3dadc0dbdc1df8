#pragma once
// The arrays that joblib before 0.10 wrote beside the pickle: X_01.npy, or X_01.npy.z when it compressed. Layout as in
// joblib/numpy_pickle_compat.py, NDArrayWrapper and ZNDArrayWrapper.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "container/companion_files.hpp"
#include "container/stream_decoder.hpp"
#include "importers/joblib/array_payload.hpp"

namespace mere::importers::joblib {

// The companion files of one pickle, and what may come out of them.
class Companions {
 public:
  // `expanding`: limits of the .npy.z files, all together.
  Companions(std::filesystem::path directory, container::StreamOptions expanding)
      : files_(std::move(directory)), expanding_(std::move(expanding)) {}

  // What the graph's arrays lie in must outlive it: see owners().
  std::span<const std::byte> open(const std::string& name);
  // Exactly `length` bytes out of a ZF file.
  std::span<const std::byte> open_expanded(const std::string& name, std::uint64_t length);

  // What is mapped of it, by address.
  const std::map<const std::byte*, container::HeldBytes>& held() const { return held_; }
  // What keeps alive all that was handed out.
  const std::vector<std::shared_ptr<const void>>& owners() const { return owners_; }
  const container::CompanionFiles& files() const { return files_; }

 private:
  void keep(const container::HeldBytes& held);

  container::CompanionFiles files_;
  container::StreamOptions expanding_;
  std::map<const std::byte*, container::HeldBytes> held_;
  std::vector<std::shared_ptr<const void>> owners_;
};

// Reads the array that `wrapper`, a call whose state is set, names: NDArrayWrapper (arrays of objects are a pickle of
// their own in the .npy, run on the same values and budget) or ZNDArrayWrapper. `position` is for messages and is the
// end of the payload, which is not in the stream.
// Throws Error: bad_record, no_file, not_regular, trailing_bytes, truncated, ...; what pickle::Machine throws.
ArrayPayload read_companion_array(pickle::Values& values, pickle::ValueId wrapper, std::uint64_t position);

}  // namespace mere::importers::joblib
