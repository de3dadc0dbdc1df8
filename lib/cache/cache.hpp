#pragma once
// Compressed models and still shared: each compressed file is expanded once per user and host, by one process, into a
// file of this directory that everybody maps. Names in it, DIGEST being the SHA-256 of the compressed bytes:
//   DIGEST.mere         an expanded copy: read-only, complete since it has this name
//   DIGEST.stamp        a link whose text is inode, size and times of that copy when it was made; a copy that does not
//                       match is not served. Its own time is that of the last use
//   DIGEST.lock         locked by the process that expands
//   DIGEST.RANDOM.tmp   a copy in the making, locked by its writer; what a killed one left goes with the next expansion
//   at.STAMP            a link whose text is the DIGEST of the file with that stamp: spares reading it again
//   room.lock           locked while room is made
// Nobody opens through these links; they are small texts that come and go in one step.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "os/descriptor.hpp"
#include "os/sink.hpp"

namespace mere::cache {

struct CacheOptions {
  std::filesystem::path directory;                            // empty: default_directory()
  std::uint64_t limit_bytes = 0;                              // of all copies together; 0: default_limit()
  std::chrono::milliseconds wait = std::chrono::minutes(30);  // for another process that expands the same file
};

// A range of a file that holds one compressed .mere: mostly all of it.
struct SourceRange {
  int fd = -1;
  std::uint64_t offset = 0, length = 0;
};

struct Source {
  SourceRange range;                 // stays the caller's
  std::string name;                  // for messages
  std::uint64_t expanded_bytes = 0;  // of the copy, or more: room is made for so many, and no more are taken
};

// Writes the expansion of `range` into `out`, checking all it reads. The range may be a private copy of the source's,
// with another descriptor and offset: where somebody else could change the file while it is read, it is copied first,
// so that the copy's name is that of the very bytes that were expanded.
using Expand = std::function<void(const SourceRange& range, os::Sink& out)>;

// The checks of an open on a copy about to be served. An Error from it has the copy removed and made again, once.
using Check = std::function<void(int fd, const std::string& path)>;

struct Expanded {
  os::Descriptor file;  // the copy, for reading, with a shared lock on it: as long as it is open, or mapped by any
                        // process that this descriptor or its map came to, it is not evicted
  std::string path;     // where it was: for messages, not for opening
  std::string digest;   // SHA-256 of the compressed bytes, 64 hexadecimal digits
  std::uint64_t bytes = 0;
  bool made = false;  // by this call
};

// The shared copy of `source`, made first if there is none. Safe against any other thread or process, killed or not.
// Throws Error: no_cache (nowhere to put it; the message names the alternatives), unsafe_directory, file_changed (the
// source, meanwhile), what `expand` throws, what `check` throws about a fresh copy.
Expanded open_expanded(const Source& source, const CacheOptions& options, const Expand& expand, const Check& check);

struct StoredCopy {
  std::string digest;
  std::uint64_t bytes = 0;
  std::int64_t used_ns = 0;  // last time it was opened, since 1970
};

// The copies, longest unused first; none if there is no directory. Throws Error: unsafe_directory, no_cache.
std::vector<StoredCopy> list(const CacheOptions& options = {});
// Removes all copies, or one, but those being made at this moment; maps of them live on. Returns the bytes given back
// (of what is still mapped, when it no longer is). Throws Error: unsafe_directory, no_cache.
std::uint64_t clear(const CacheOptions& options = {}, std::string_view digest = {});

}  // namespace mere::cache
