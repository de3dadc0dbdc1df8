#pragma once
// The members of a skops archive beside its schema: arrays, archives of arrays (scipy's), bytes.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "container/expanded_file.hpp"
#include "container/npy.hpp"
#include "container/zip.hpp"
#include "importers/registry.hpp"

namespace mere::importers::skops {

// An array as a member holds it.
struct MemberArray {
  container::NpyHeader header;
  container::HeldBytes data;
};

class MemberFiles {
 public:
  // `entries` are those of `source`; the members that `archives` names are zip archives of .npy files. Sums are
  // checked, and what is deflated is expanded here: limits.expanded_bytes holds for all of it. Throws Error: what the
  // zip container throws; bad_record (a name that is no member).
  MemberFiles(const Source& source, std::span<const container::ZipEntry> entries,
              const std::vector<std::string_view>& archives, const ImportOptions& options);

  // Throws Error: bad_record (no such member), and what read_npy_header throws.
  container::HeldBytes bytes(std::string_view member) const;
  MemberArray array(std::string_view member) const;
  // Name without .npy, and the array; in the order of the archive.
  std::vector<std::pair<std::string, MemberArray>> archive(std::string_view member) const;

 private:
  std::unordered_map<std::string, container::HeldBytes> members_;
  std::unordered_map<std::string, std::vector<std::pair<std::string, container::HeldBytes>>> archives_;
};

}  // namespace mere::importers::skops
