#pragma once
// The directory of expanded copies: where it is, and opening it so that nobody else can have a hand in it.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "os/descriptor.hpp"

namespace mere::cache {

// MERE_CACHE_DIR, else $XDG_CACHE_HOME/mere, else $HOME/.cache/mere.
// Throws Error: no_cache (none of them is set to an absolute path).
std::filesystem::path default_directory();

// MERE_CACHE_LIMIT (bytes; K, M, G, T stand for powers of 1024), else a quarter of the file system that `directory` is
// on. Throws Error: bad_argument (not such a number), no_cache.
std::uint64_t default_limit(int directory);

// Opens the directory; makes it and its missing parents, 0700, if `create`. It and each of its parents, links resolved,
// must belong to this user or root and not be writable by anybody else (parents may be if sticky, as /tmp is); its own
// name must not be a link; it must lie on a local file system. Every check is of the descriptor that the next step
// uses. Throws Error: unsafe_directory, no_cache. Without `create`, an absent directory gives an empty descriptor.
os::Descriptor open_directory(const std::filesystem::path& directory, bool create);

// Error(no_cache): `why`, and what the caller can do instead.
[[noreturn]] void throw_no_cache(const std::string& why);

}  // namespace mere::cache
