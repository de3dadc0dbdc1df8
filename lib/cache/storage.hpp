#pragma once
// The files of the cache directory (cache.hpp names them): looking through them, removing, making room.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.hpp"
#include "os/descriptor.hpp"

namespace mere::cache {

inline constexpr std::size_t kDigestDigits = 64;

bool is_digest(std::string_view text) noexcept;

// What the directory holds.
struct Contents {
  std::vector<StoredCopy> copies;        // longest unused first
  std::vector<std::string> temporaries;  // names
  std::vector<std::string> aliases;      // names
  std::vector<std::string> locks;        // names of DIGEST.lock
  std::uint64_t bytes = 0;               // taken by copies and temporaries
};

// Throws Error: no_cache.
Contents read_contents(int directory, const std::string& path);

// Text of a link, or empty.
std::string read_link(int directory, const std::string& name);
// Makes the link, or replaces it if its text differs. False if that cannot be done.
bool write_link(int directory, const std::string& name, const std::string& text);

// Takes the lock named `name` without waiting. Empty if somebody holds it. The lock file is made if absent, and held
// only if the name still leads to it afterwards: lock files may be removed by whoever holds them.
os::Descriptor try_lock_file(int directory, const std::string& name, const std::string& path);

// Whether copies go that somebody has open or mapped: such a map would live on, but give no room back, and the next to
// open the model would make a second copy beside it.
enum class InUse : std::uint8_t { keep, remove };

// Removes a copy and its stamp unless it is being made. Returns the bytes given back.
std::uint64_t remove_copy(int directory, const std::string& path, const StoredCopy& copy, InUse in_use);
// Removes the temporaries of dead writers (the room lock is held) and the aliases of copies that are gone.
void remove_left_files(int directory, Contents& contents);

}  // namespace mere::cache
