#include "cache/storage.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_directory.hpp"
#include "os/file_lock.hpp"

namespace mere::cache {

namespace {

constexpr std::string_view kCopySuffix = ".mere";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::string_view kLockSuffix = ".lock";
constexpr std::string_view kAliasPrefix = "at.";

std::string reason_of(int error) {
  char text[256];
  return strerror_r(error, text, sizeof text);
}

bool starts_with_digest(std::string_view name) {
  return name.size() > kDigestDigits && name[kDigestDigits] == '.' && is_digest(name.substr(0, kDigestDigits));
}

std::int64_t last_use(int directory, const std::string& digest) {
  struct stat facts {};
  if (fstatat(directory, (digest + ".stamp").c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return 0;
  return static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

// A reserved temporary has blocks before it has length.
std::uint64_t room_of(const struct stat& facts) {
  return std::max(static_cast<std::uint64_t>(facts.st_size), static_cast<std::uint64_t>(facts.st_blocks) * 512);
}

}  // namespace

bool is_digest(std::string_view text) noexcept {
  return text.size() == kDigestDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Contents read_contents(int directory, const std::string& path) {
  Contents contents;
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = fd < 0 ? nullptr : fdopendir(fd);
  if (stream == nullptr) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    throw_no_cache("open " + path + ": " + reason_of(error));
  }
  struct Closer {
    DIR* stream;
    ~Closer() { closedir(stream); }
  } const closer{stream};
  while (const dirent* entry = readdir(stream)) {
    std::string name = entry->d_name;
    if (name.starts_with(kAliasPrefix)) {
      contents.aliases.push_back(std::move(name));
      continue;
    }
    if (!starts_with_digest(name)) continue;
    if (name.ends_with(kLockSuffix)) {
      contents.locks.push_back(std::move(name));
      continue;
    }
    struct stat facts {};
    if (fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode)) continue;
    if (name.ends_with(kTemporarySuffix)) {
      contents.bytes += room_of(facts);
      contents.temporaries.push_back(std::move(name));
    } else if (name.size() == kDigestDigits + kCopySuffix.size() && name.ends_with(kCopySuffix)) {
      StoredCopy copy;
      copy.digest = name.substr(0, kDigestDigits);
      copy.bytes = static_cast<std::uint64_t>(facts.st_size);
      copy.used_ns = last_use(directory, copy.digest);
      contents.bytes += room_of(facts);
      contents.copies.push_back(std::move(copy));
    }
  }
  std::sort(contents.copies.begin(), contents.copies.end(),
            [](const StoredCopy& a, const StoredCopy& b) { return a.used_ns < b.used_ns; });
  return contents;
}

std::string read_link(int directory, const std::string& name) {
  char text[256];
  const ssize_t length = readlinkat(directory, name.c_str(), text, sizeof text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

bool write_link(int directory, const std::string& name, const std::string& text) {
  for (int tries = 0; tries < 4; ++tries) {
    if (symlinkat(text.c_str(), directory, name.c_str()) == 0) return true;
    if (errno != EEXIST) return false;
    if (read_link(directory, name) == text) return true;
    unlinkat(directory, name.c_str(), 0);
  }
  return false;
}

os::Descriptor try_lock_file(int directory, const std::string& name, const std::string& path) {
  for (int tries = 0; tries < 16; ++tries) {
    os::Descriptor file(openat(directory, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw_no_cache("open " + path + "/" + name + ": " + reason_of(errno));
    if (!os::try_lock(file.get(), os::LockKind::exclusive, path + "/" + name)) return {};
    struct stat held {
    }, named{};
    if (fstat(file.get(), &held) == 0 && fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
      return file;
    }
  }
  return {};
}

std::uint64_t remove_copy(int directory, const std::string& path, const StoredCopy& copy, InUse in_use) {
  const std::string lock_name = copy.digest + ".lock";
  const os::Descriptor maker = try_lock_file(directory, lock_name, path);
  if (!maker) return 0;
  const std::string name = copy.digest + std::string(kCopySuffix);
  const os::Descriptor file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::uint64_t freed = 0;
  if (in_use == InUse::remove || !file || os::try_lock(file.get(), os::LockKind::exclusive, path + "/" + name)) {
    // The stamp first: without it the copy is not served.
    unlinkat(directory, (copy.digest + ".stamp").c_str(), 0);
    if (unlinkat(directory, name.c_str(), 0) == 0) freed = copy.bytes;
    unlinkat(directory, lock_name.c_str(), 0);
  }
  os::unlock(maker.get());
  return freed;
}

void remove_left_files(int directory, Contents& contents) {
  for (const std::string& name : contents.temporaries) {
    const os::Descriptor left(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat facts {};
    if (!left || fstat(left.get(), &facts) != 0 || !os::try_lock(left.get(), os::LockKind::exclusive, name)) continue;
    if (unlinkat(directory, name.c_str(), 0) == 0) contents.bytes -= std::min(contents.bytes, room_of(facts));
  }
  for (const std::string& name : contents.aliases) {
    const std::string digest = read_link(directory, name);
    const bool kept = std::any_of(contents.copies.begin(), contents.copies.end(),
                                  [&](const StoredCopy& copy) { return copy.digest == digest; });
    if (!kept) unlinkat(directory, name.c_str(), 0);
  }
}

}  // namespace mere::cache
