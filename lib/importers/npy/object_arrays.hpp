#pragma once
// Arrays of objects in .npy files, each of which is a pickle: read by the machine that reads pickles, within its
// limits, and their names are judged as a pickle's are.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "container/npy.hpp"
#include "importers/registry.hpp"

namespace mere::importers::npy {

// An .npy file: alone, or a member of an archive.
struct FileArray {
  std::string name;  // of a member, without .npy
  container::NpyHeader header;
  std::span<const std::byte> file;
  std::shared_ptr<const void> owner;
};

// The one array of a file. Throws Error: what pickle::read throws; bad_record (the pickle holds no array, or one of
// another shape than the header's).
Imported read_object_array(const Source& source, const FileArray& array, const ImportOptions& options);

// A dict of arrays by name, at least one of them of objects; source.owner keeps the bytes of all alive.
Imported read_object_arrays(const Source& source, std::span<const FileArray> arrays, const ImportOptions& options);

}  // namespace mere::importers::npy
