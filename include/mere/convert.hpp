#pragma once
// Foreign files to .mere, without running them.

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include <mere/array.hpp>
#include <mere/dump.hpp>

namespace mere {

struct ConvertOptions {
  DumpOptions dump{};
  std::vector<std::string> trusted{};  // full names admitted as data beside the shipped lists
  Limits limits{};
};

struct ConvertResult {
  DumpResult dump;
  std::string source_format;  // "joblib", "pickle", "npy", "npz", "mere"
};

// Converts a .joblib, .pkl, .npy, .npz or .mere file, told by its bytes. A .mere keeps its content id.
// Throws Error: forbidden_global (all untrusted names, the offset of the first), unknown_format, corrupt, ...
MERE_API ConvertResult convert(const std::filesystem::path& in, const std::filesystem::path& out,
                               const ConvertOptions& options = {});

// The same to a descriptor that stays the caller's: a file at its position, a pipe or a socket.
MERE_API ConvertResult convert_to_descriptor(const std::filesystem::path& in, int fd,
                                             const ConvertOptions& options = {});

// The graph of a foreign file; arrays lie in its map, which the graph holds.
MERE_API Graph import_file(const std::filesystem::path& in, const ConvertOptions& options = {});

// Writes an array as an .npy file (numpy.load reads it): version 1.0, later ones only where they must be; Fortran order
// stays. Types that NumPy lacks are written as raw bytes. Throws Error: not_supported (arrays of objects; fields that
// overlap or are not in the order of their bytes), system_call, and what reading the array throws.
MERE_API void write_npy(const ArrayView& array, std::ostream& out);

}  // namespace mere
