#pragma once
// The readers of foreign files. A format is told by its bytes, never by a name, and there is no way from one reader to
// another.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/dump.hpp>
#include <mere/graph.hpp>

#include "container/expanded_file.hpp"
#include "container/foreign_name.hpp"

namespace mere::importers {

// The bytes of a foreign file, mapped or in memory.
struct Source {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive; the graph's arrays hold it. Null: the caller sees to it
  std::string name;                   // for messages
  std::filesystem::path directory;    // of the file; companions are looked for nowhere else
  // May be empty. Called with offsets between which `bytes` will hardly be looked at again: their pages may be let go.
  std::function<void(std::uint64_t begin, std::uint64_t end)> release{};
};

struct ImportOptions {
  // Called once with every type and function that the file names, before its graph is built; throws to refuse the file
  // (trust::Policy::require). Left empty, nothing is refused: names are data all the same, nothing here can call them.
  std::function<void(std::span<const container::ForeignName>)> admit;
  Limits limits;
  std::function<void(const Progress&)> progress;  // of expansion, by compressed bytes; may throw to stop
};

// A file beside the source that its graph was read from too.
struct Companion {
  std::string name;
  container::HeldBytes held;
};

struct Imported {
  Graph graph;
  std::string format;           // "pickle", "joblib", "npy", "npz"
  std::string codec = "none";   // of the file as a whole: "zlib", "gzip", "lz4", "bz2", "xz", "lzma", "zf"
  std::optional<int> protocol;  // of a pickle
  std::vector<container::ForeignName> names;                  // in the order of first use
  std::vector<std::pair<std::string, std::string>> versions;  // library and version, as the container itself says
  std::vector<Companion> companions;                          // by name
  // May be empty. Called when the arrays have been read: throws Error (file_changed, fault) if what the importer opened
  // beside the source is no longer what it was.
  std::function<void()> check_unchanged;
  // May be empty. Told of bytes of arrays that will not be read again: where they lie in a map of the importer's, not
  // of the source, their pages are let go.
  std::function<void(std::span<const std::byte> bytes)> release;
};

struct Importer {
  std::string_view name;
  bool (*matches)(std::span<const std::byte> bytes);
  Imported (*read)(const Source& source, const ImportOptions& options);
};

// All importers, in the order in which they are asked.
std::span<const Importer> importers();

// The reader of these bytes, or null.
const Importer* find_importer(std::span<const std::byte> bytes);

// Where the companions of a file named so would lie; nowhere for a descriptor's name in /proc, which says nothing of
// where its file lies.
std::filesystem::path directory_of(const std::string& name);

// Reads `source` by the first importer that knows its bytes. Messages begin with source.name.
// Throws Error: unknown_format, what the importer throws, out_of_memory.
Imported import_source(const Source& source, const ImportOptions& options = {});

}  // namespace mere::importers
