#pragma once
// Writing a .mere file: to a path (atomically), a descriptor, a stream or memory, in one pass.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mere/graph.hpp>
#include <mere/model.hpp>

namespace mere {

// The numbers are those of the file. lz4hc is a way of writing lz4.
enum class Codec : std::uint8_t { none = 0, lz4 = 1, zlib = 2, zstd = 3, lz4hc = 16, smallest = 17 };
enum class Durability : std::uint8_t { full, none };
MERE_API std::string_view to_text(Codec value) noexcept;
MERE_API std::string_view to_text(Durability value) noexcept;
MERE_API std::optional<Codec> find_codec(std::string_view word) noexcept;
MERE_API std::optional<Durability> find_durability(std::string_view word) noexcept;
MERE_API bool has_codec(Codec codec) noexcept;  // in this build

struct Progress {
  std::uint64_t done_bytes = 0, total_bytes = 0;  // total 0: not known
};

struct DumpOptions {
  Codec codec = Codec::none;
  int level = 0;        // 0: the codec's own default
  bool filters = true;  // for codecs other than none: try the array filters
  // Which codec an array gets, instead of `codec`: called once an array, by its path-free facts.
  std::function<std::optional<Codec>(const Dtype& type, std::uint64_t nbytes)> codec_for{};
  std::uint64_t alignment = 4096;  // of arrays of 16 KiB and more: a power of two, 4096 to 1 GiB
  Durability durability = Durability::full;
  unsigned threads = 0;  // 0: as many as there are processors, at most 4. The bytes do not depend on it
  std::map<std::string, std::string> metadata{};    // added to the graph's metadata root
  std::function<void(const Progress&)> progress{};  // called from the calling thread; may throw to stop
};

struct DumpResult {
  ContentId content_id;
  std::uint64_t file_bytes = 0;
};

// To a path: a temporary file in the same directory, fsync, rename, fsync of the directory (Durability::none: no
// fsyncs). An existing file stays whole until the rename; nothing is left behind on failure. A symbolic link at
// `path` is replaced, not followed. Throws Error: system_call, not_regular, ...
MERE_API DumpResult dump(const Graph& graph, const std::filesystem::path& path, const DumpOptions& options = {});
MERE_API DumpResult dump(const Graph& graph, std::ostream& out, const DumpOptions& options = {});
// To a descriptor that stays the caller's: a file at its position, a pipe or a socket.
MERE_API DumpResult dump_descriptor(const Graph& graph, int fd, const DumpOptions& options = {});
MERE_API std::vector<std::byte> dump_bytes(const Graph& graph, const DumpOptions& options = {});

// A graph over an open model, to dump again or to change: arrays stay where they are, held by the graph.
MERE_API Graph to_graph(const Model& model);

}  // namespace mere
