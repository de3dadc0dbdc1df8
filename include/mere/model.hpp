#pragma once
// Opening a .mere file: one map, shared by every process that opens it.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/node.hpp>

namespace mere {

// XXH3-128 over what the model holds, whatever its codecs and alignment (docs/format.md 9). A name, not a proof.
struct ContentId {
  std::uint64_t low = 0, high = 0;
  MERE_API std::string to_text() const;  // 32 hexadecimal digits, high part first
  MERE_API static std::optional<ContentId> parse(std::string_view hex);
  friend bool operator==(const ContentId&, const ContentId&) = default;
};

// What is checked when a file is opened, beyond header, footer and directory (always).
enum class Verify : std::uint8_t { none, manifest, all };
// What becomes of a file with compressed arrays.
//   shared     expanded once per user and host, and everyone maps that (docs/design.md)
//   in_memory  expanded into private memory of this process
//   lazy       mapped as it is; raw arrays are views, compressed ones are read by copy()
enum class Expand : std::uint8_t { shared, in_memory, lazy };
// Each enum's words, the same in C++, on the command line and in Python.
MERE_API std::string_view to_text(Verify value) noexcept;
MERE_API std::string_view to_text(Expand value) noexcept;
MERE_API std::optional<Verify> find_verify(std::string_view word) noexcept;
MERE_API std::optional<Expand> find_expand(std::string_view word) noexcept;

// What a file may make us do. Every number can be raised.
struct Limits {
  std::uint64_t expanded_bytes = std::uint64_t{1} << 40;  // of a compressed file, all arrays together
  std::uint64_t memory_bytes = std::uint64_t{1} << 36;    // Expand::in_memory, and streams that are spooled
  std::uint32_t depth = 1000;                             // of records while loading
  // Of foreign files: what is compressed may expand to so many times its size (beyond 64 MiB; 0: to any), and a decoder
  // of xz or lzma may ask for so much memory.
  std::uint64_t expand_ratio = 1000;
  std::uint64_t decoder_bytes = std::uint64_t{80} << 20;
};

struct OpenOptions {
  Verify verify = Verify::none;
  Expand expand = Expand::shared;
  bool copy_on_write = false;             // private writable pages, shared until written
  bool populate = false;                  // read all pages in at once
  bool huge_pages = false;                // ask for huge pages; does nothing where the system has none
  bool keep_descriptor = false;           // for Model::descriptor()
  std::optional<ContentId> content_id{};  // Error(content_differs) unless the file has it
  Limits limits{};
  unsigned threads = 0;  // for verify and expand: 0 = as many as there are processors, at most 4
};

struct ModelInfo {
  std::string name;                    // path, or what the bytes were called
  std::uint32_t major = 0, minor = 0;  // format version
  std::uint64_t file_bytes = 0;
  std::uint64_t alignment = 0;
  ContentId content_id;
  std::optional<ContentId> program_id;
  std::uint64_t nodes = 0, arrays = 0;    // of the model
  std::uint64_t array_bytes = 0;          // sum of nbytes of the model's arrays
  std::uint64_t buffers = 0, blocks = 0;  // of the file
  std::uint64_t stored_bytes = 0;         // of all blocks, as stored
  std::uint64_t raw_bytes = 0;            // of all blocks, expanded
  std::uint64_t manifest_bytes = 0;
  std::vector<std::string> codecs, filters;  // words of those used: none, lz4, zlib, ...
  bool has_program = false, has_metadata = false;
};

// One block of the file as `mere ls --map` draws it, or one section of the manifest.
struct SegmentInfo {
  std::string what;  // "segment", "arena", or the section's name
  std::uint64_t offset = 0, stored_bytes = 0, raw_bytes = 0;
  std::string codec;  // "none", "lz4", ... with filters: "columns+zlib"
};

class Predictor;  // <mere/predictor.hpp>

// A cheap shared handle on one immutable mapping. Copies share it; safe from any thread; stays usable over fork.
class MERE_API Model {
 public:
  Model() = default;
  // Opens a regular file, without following what cannot be mapped. Throws Error: not_found, not_regular, corrupt, ...
  explicit Model(const std::filesystem::path& path, const OpenOptions& options = {});

  // From a descriptor that stays the caller's: `length` bytes at `offset`, or up to the end.
  static Model from_descriptor(int fd, std::uint64_t offset = 0, std::optional<std::uint64_t> length = {},
                               const OpenOptions& options = {});
  // Over bytes that stay the caller's for as long as any handle lives, or are held by `owner`.
  static Model from_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr,
                          const OpenOptions& options = {}, std::string name = "bytes");
  // Reads a stream to its end into an anonymous file and maps that.
  static Model from_stream(std::istream& in, const OpenOptions& options = {});
  static Model from_pipe(int fd, const OpenOptions& options = {});

  explicit operator bool() const { return state_ != nullptr; }

  // Nodes borrow: keep the model while you use them.
  Node root() const&;
  Node root() && = delete;
  Node at(std::string_view path) const&;
  Node at(std::string_view path) && = delete;
  std::optional<Node> find_at(std::string_view path) const&;
  std::optional<Node> find_at(std::string_view path) && = delete;
  std::optional<Node> program() const&;   // root of the program, if the file has one
  std::optional<Node> metadata() const&;  // a dict
  std::optional<Node> program() && = delete;
  std::optional<Node> metadata() && = delete;

  // Predicts from the map, and holds it: Predictor(*this).
  Predictor predictor() const;

  ModelInfo info() const;
  ContentId content_id() const;
  std::string name() const;
  std::span<const std::byte> bytes() const&;  // the whole file as mapped
  std::vector<SegmentInfo> segments() const;
  // One flag a page of the map: is it in memory.
  std::vector<bool> resident_pages() const;

  // SHA-256 of the file's bytes, as sha256sum prints it: read in full.
  std::string sha256() const;
  // Checks everything (docs/format.md 10). Throws Error: corrupt, io. `threads` as in OpenOptions.
  void verify(unsigned threads = 0,
              const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {}) const;

  // True if the name now leads to another file, or the mapped one changed in size or time. One fstat, one stat.
  // A model without a name is stale only if its descriptor's file changed.
  bool stale() const;
  // A new Model by the same name and options; this one lives on. Throws as the constructor.
  Model reopen() const;
  // Of the file that is mapped, which is the expanded copy where there is one; stays the model's. -1: of bytes, of
  // private memory, or OpenOptions::keep_descriptor was not asked for.
  int descriptor() const;
  // True if a page could not be read since it was opened (guard_faults()): wrong numbers may have been seen.
  bool faulted() const;
  // True if the arrays of this model lie in an expanded copy that other processes share.
  bool expanded() const;

  struct State;
  const std::shared_ptr<const State>& state() const { return state_; }
  explicit Model(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const State> state_;
};

MERE_API Model open(const std::filesystem::path& path, const OpenOptions& options = {});

// Installs a handler for SIGBUS: a fault inside a map of ours puts a zero page there, marks the model, and the call
// in progress ends in Error(fault). Other faults go on to the handler that was there. Once a process; never by itself.
MERE_API void guard_faults();

// Expanded copies of compressed files (docs/design.md, cache).
struct CacheEntry {
  std::string digest;            // SHA-256 of the compressed file
  std::uint64_t bytes = 0;       // of the expanded copy
  std::int64_t used_unix_s = 0;  // last time it was opened
};
MERE_API std::filesystem::path cache_directory();
MERE_API std::vector<CacheEntry> cache_list();
// Removes all entries, or those of one digest; maps of them live on. Returns what was freed.
MERE_API std::uint64_t cache_clear(std::string_view digest = {});

}  // namespace mere
