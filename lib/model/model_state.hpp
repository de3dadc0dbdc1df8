#pragma once
// What the copies of a Model share: one map (or the caller's bytes) and the image over it.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <mere/model.hpp>

#include "format/image.hpp"
#include "os/descriptor.hpp"
#include "os/mapping.hpp"

namespace mere {

struct Model::State {
  std::string name;            // for messages and info
  std::filesystem::path path;  // empty: opened without a name
  OpenOptions options;
  std::optional<os::FileStamp> stamp;  // of the file that was asked for, also if an expanded copy is mapped
  int descriptor = -1;                 // the caller's, of from_descriptor(): only looked at, by stale()
  os::Descriptor mapped;               // of what is in `map`, if options.keep_descriptor
  os::Mapping map;                     // none for bytes
  std::shared_ptr<const void> owner;   // of bytes that are not in `map`
  bool is_expanded = false;            // `map` is a copy in the cache
  std::string source_sha256;           // of the compressed file behind an expanded copy
  std::optional<format::Image> image;  // last: it borrows from the others

  // Throws Error: bad_argument (a Model that was never opened).
  static const State& of(const Model& model);
};

}  // namespace mere
