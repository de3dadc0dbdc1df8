#include "cache/cache.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_directory.hpp"
#include "cache/storage.hpp"
#include "codec/sha256.hpp"
#include "os/file_lock.hpp"
#include "os/write_signals.hpp"

namespace mere::cache {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
// Times of files advance in steps of some milliseconds: a file younger than this could change again without a new
// stamp.
constexpr std::int64_t kSettledNs = 2'000'000'000;

std::string reason_of(int error) {
  char text[256];
  return strerror_r(error, text, sizeof text);
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::string hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(number));
  return text;
}

// Released at once and for all that may have inherited the descriptor over a fork.
class HeldLock {
 public:
  explicit HeldLock(os::Descriptor file) : file_(std::move(file)) {}
  HeldLock(HeldLock&&) noexcept = default;
  HeldLock& operator=(HeldLock&&) = delete;
  ~HeldLock() {
    if (file_) os::unlock(file_.get());
  }

 private:
  os::Descriptor file_;
};

// The opened cache directory.
struct Directory {
  std::string path;
  os::Descriptor file;
  std::uint64_t limit_bytes = 0;
  Clock::time_point wait_until;

  int fd() const { return file.get(); }
  std::string path_of(const std::string& name) const { return path + "/" + name; }
};

Directory open_cache(const CacheOptions& options, bool create) {
  Directory directory;
  const fs::path path = options.directory.empty() ? default_directory() : options.directory;
  directory.path = path.string();
  directory.file = open_directory(path, create);
  if (!directory.file) return directory;
  directory.limit_bytes = options.limit_bytes != 0 ? options.limit_bytes : default_limit(directory.fd());
  directory.wait_until = Clock::now() + options.wait;
  return directory;
}

// Counts what is written and turns a refusal of the system into no_cache: the caller can do without the cache.
class CopySink : public os::Sink {
 public:
  CopySink(int fd, std::string path, std::uint64_t limit) : fd_(fd), path_(std::move(path)), left_(limit) {}
  void write(std::span<const std::byte> bytes) override { write_pieces({&bytes, 1}); }
  void write_pieces(std::span<const std::span<const std::byte>> pieces) override {
    for (const std::span<const std::byte> piece : pieces) {
      if (piece.size() > left_) throw_no_cache(path_ + ": the expansion is longer than was announced");
      left_ -= piece.size();
    }
    try {
      os::write_all(fd_, pieces, path_);
    } catch (const Error& error) {
      throw_no_cache(std::string(error.message()));
    }
  }

 private:
  int fd_;
  std::string path_;
  std::uint64_t left_;
};

// Calls `use` with each part of the range in order. Throws Error: file_changed (it ends early), system_call.
template <class Use>
void read_range(const SourceRange& range, const std::string& name, const Use& use) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(range.length, kReadBytes)));
  for (std::uint64_t done = 0; done < range.length;) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.length - done));
    if (os::read_at(range.fd, buffer.data(), part, range.offset + done, name) != part) {
      throw Error(Reason::file_changed, name + ": became shorter while it was read");
    }
    use(std::span<const std::byte>(buffer.data(), part));
    done += part;
  }
}

std::string digest_of(const SourceRange& range, const std::string& name) {
  codec::Sha256 digest;
  read_range(range, name, [&](std::span<const std::byte> part) { digest.update(part); });
  return codec::Sha256::to_hex(digest.finish());
}

std::string alias_of(const os::FileStamp& stamp, const SourceRange& range) {
  return "at." + hex(stamp.device) + "." + hex(stamp.inode) + "." + hex(stamp.size) + "." +
         hex(static_cast<std::uint64_t>(stamp.mtime_ns)) + "." + hex(static_cast<std::uint64_t>(stamp.ctime_ns)) + "." +
         hex(range.offset) + "." + hex(range.length);
}

std::string stamp_text(const os::FileStamp& stamp) {
  return hex(stamp.inode) + "." + hex(stamp.size) + "." + hex(static_cast<std::uint64_t>(stamp.mtime_ns)) + "." +
         hex(static_cast<std::uint64_t>(stamp.ctime_ns));
}

// True if nobody but this user and root can write the file: what was hashed is then what will be expanded, unless the
// user changes it, and that the stamp tells.
bool is_ours_alone(int fd) {
  struct stat facts {};
  return fstat(fd, &facts) == 0 && (facts.st_uid == 0 || facts.st_uid == geteuid()) && (facts.st_mode & 022) == 0;
}

// A file with no name any more may give its inode number to another.
bool may_alias(int fd, const os::FileStamp& stamp) {
  struct stat facts {};
  return fstat(fd, &facts) == 0 && facts.st_nlink > 0 &&
         now_ns() - std::max(stamp.mtime_ns, stamp.ctime_ns) > kSettledNs;
}

// One call of open_expanded.
class Opening {
 public:
  Opening(const Source& source, const CacheOptions& options, const Expand& expand, const Check& check)
      : source_(source),
        expand_(expand),
        check_(check),
        directory_(open_cache(options, true)),
        stamp_(os::stamp_of(source.range.fd, source.name)) {}

  Expanded run() {
    const std::string alias = alias_of(stamp_, source_.range);
    std::string digest = read_link(directory_.fd(), alias);
    if (is_digest(digest)) {
      if (std::optional<Expanded> found = find_sound(digest)) return std::move(*found);
    }
    digest = digest_of(source_.range, source_.name);
    check_unchanged();
    std::optional<Expanded> copy = find_sound(digest);
    if (!copy) copy = wait_or_make(digest);
    if (may_alias(source_.range.fd, stamp_)) write_link(directory_.fd(), alias, digest);
    return std::move(*copy);
  }

 private:
  void check_unchanged() const {
    if (!(os::stamp_of(source_.range.fd, source_.name) == stamp_)) {
      throw Error(Reason::file_changed, source_.name + ": changed while it was expanded");
    }
  }

  // The copy, if there is one that is ours, whole and unchanged since it was made.
  std::optional<Expanded> find_copy(const std::string& digest) const {
    const std::string name = digest + ".mere";
    Expanded found;
    found.file = os::Descriptor(openat(directory_.fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!found.file) {
      if (errno == EMFILE || errno == ENFILE) os::throw_errno(errno, "open", directory_.path_of(name));
      return std::nullopt;
    }
    found.path = directory_.path_of(name);
    // Somebody who holds it alone is about to remove it.
    if (!os::try_lock(found.file.get(), os::LockKind::shared, found.path)) return std::nullopt;
    struct stat facts {};
    if (fstat(found.file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid() ||
        (facts.st_mode & 07777) != 0400 || facts.st_nlink != 1) {
      return std::nullopt;
    }
    const os::FileStamp stamp = os::stamp_of(found.file.get(), found.path);
    const std::string stamp_name = digest + ".stamp";
    if (read_link(directory_.fd(), stamp_name) != stamp_text(stamp)) return std::nullopt;
    const std::int64_t now = now_ns();
    const timespec times[2] = {{0, UTIME_OMIT}, {static_cast<time_t>(now / 1'000'000'000), now % 1'000'000'000}};
    utimensat(directory_.fd(), stamp_name.c_str(), times, AT_SYMLINK_NOFOLLOW);
    found.digest = digest;
    found.bytes = stamp.size;
    return found;
  }

  // As find_copy, but nothing if the caller's checks say that it is damaged.
  std::optional<Expanded> find_sound(const std::string& digest) const {
    std::optional<Expanded> found = find_copy(digest);
    if (!found || !check_) return found;
    try {
      check_(found->file.get(), found->path);
    } catch (const Error& error) {
      if (error.code() != Errc::corrupt) throw;
      return std::nullopt;
    }
    return found;
  }

  // Waits for `name`. Nothing if `ready` became true meanwhile.
  template <class Ready>
  std::optional<HeldLock> wait_for_lock(const std::string& name, const Ready& ready) const {
    std::chrono::milliseconds pause(1);
    for (;;) {
      if (os::Descriptor file = try_lock_file(directory_.fd(), name, directory_.path)) return HeldLock(std::move(file));
      if (ready()) return std::nullopt;
      if (Clock::now() >= directory_.wait_until) {
        throw_no_cache(directory_.path_of(name) + ": waited too long for another process that holds it");
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::milliseconds(20));
    }
  }

  Expanded wait_or_make(const std::string& digest) const {
    for (;;) {
      std::optional<Expanded> found;
      // A lock that a forked child of a killed expander still holds must not keep us from a finished copy: so we look.
      const std::optional<HeldLock> lock = wait_for_lock(digest + ".lock", [&] {
        found = find_sound(digest);
        return found.has_value();
      });
      if (found) return std::move(*found);
      if (!lock) continue;
      if ((found = find_sound(digest))) return std::move(*found);
      return make(digest);
    }
  }

  // The lock of `digest` is held.
  Expanded make(const std::string& digest) const {
    remove_names(digest);  // one that is damaged, or not ours
    const std::string temporary = digest + "." + random_digits() + ".tmp";
    os::Descriptor file;
    try {
      file = make_room(temporary);
      expand_into(file.get(), digest, temporary);
      check_unchanged();  // else it is the expansion of other bytes than the digest is of
      publish(file, temporary, digest);
    } catch (...) {
      unlinkat(directory_.fd(), temporary.c_str(), 0);
      throw;
    }
    std::optional<Expanded> made = find_copy(digest);
    if (!made) throw_no_cache(directory_.path_of(digest + ".mere") + ": was gone or changed as soon as it was made");
    made->made = true;
    if (check_) {
      try {
        check_(made->file.get(), made->path);
      } catch (...) {
        remove_names(digest);
        throw;
      }
    }
    return std::move(*made);
  }

  void remove_names(const std::string& digest) const {
    unlinkat(directory_.fd(), (digest + ".stamp").c_str(), 0);
    const std::string name = digest + ".mere";
    if (unlinkat(directory_.fd(), name.c_str(), 0) == 0 || errno == ENOENT) return;
    throw_no_cache("unlink " + directory_.path_of(name) + ": " + reason_of(errno));
  }

  static std::string random_digits() {
    std::uint64_t number = 0;
    while (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
      if (errno != EINTR) throw_no_cache("getrandom: " + reason_of(errno));
    }
    return hex(number);
  }

  // An empty file `name`, locked, with room for the copy, after removing what must go to keep the limit.
  os::Descriptor make_room(const std::string& name) const {
    const std::uint64_t needed = source_.expanded_bytes;
    if (needed > directory_.limit_bytes) {
      throw_no_cache("the expanded copy takes " + std::to_string(needed) + " bytes, more than the cache may (" +
                     std::to_string(directory_.limit_bytes) + "; MERE_CACHE_LIMIT)");
    }
    // Temporaries come to be and are cleared away under this lock only, so that none is taken for a left one.
    const std::optional<HeldLock> lock = wait_for_lock("room.lock", [] { return false; });
    Contents contents = read_contents(directory_.fd(), directory_.path);
    remove_left_files(directory_.fd(), contents);
    std::size_t next = 0;  // of contents.copies: the longest unused that is still there
    const auto evict = [&] {
      if (next == contents.copies.size()) return false;
      const StoredCopy& copy = contents.copies[next++];
      contents.bytes -= std::min(contents.bytes, remove_copy(directory_.fd(), directory_.path, copy, InUse::keep));
      return true;
    };
    while (contents.bytes > directory_.limit_bytes - needed) {
      if (!evict()) {
        throw_no_cache(directory_.path + ": all " + std::to_string(contents.bytes) +
                       " bytes in it are in use, and the cache may have " + std::to_string(directory_.limit_bytes) +
                       " (MERE_CACHE_LIMIT)");
      }
    }
    os::Descriptor file(
        openat(directory_.fd(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw_no_cache("open " + directory_.path_of(name) + ": " + reason_of(errno));
    os::try_lock(file.get(), os::LockKind::exclusive, directory_.path_of(name));
    for (;;) {
      try {
        os::reserve_room(file.get(), needed, directory_.path_of(name));
        return file;
      } catch (const Error& error) {
        // The disk is full, by others' files too: give up copies of ours as long as there are any.
        if (!evict()) throw_no_cache(std::string(error.message()));
      }
    }
  }

  void expand_into(int fd, const std::string& digest, const std::string& temporary) const {
    CopySink sink(fd, directory_.path_of(temporary), source_.expanded_bytes);
    if (is_ours_alone(source_.range.fd)) {
      expand_(source_.range, sink);
      return;
    }
    const os::Descriptor copy = private_copy(digest);
    expand_({copy.get(), 0, source_.range.length}, sink);
  }

  // The source's bytes in a file without a name, their digest checked.
  os::Descriptor private_copy(const std::string& digest) const {
    os::Descriptor copy(openat(directory_.fd(), ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600));
    if (!copy) copy = os::anonymous_file("mere-source");
    CopySink sink(copy.get(), directory_.path, source_.range.length);
    codec::Sha256 again;
    read_range(source_.range, source_.name, [&](std::span<const std::byte> part) {
      again.update(part);
      sink.write(part);
    });
    if (codec::Sha256::to_hex(again.finish()) != digest) {
      throw Error(Reason::file_changed, source_.name + ": changed while it was expanded");
    }
    return copy;
  }

  // Makes the written file the copy of `digest`.
  void publish(const os::Descriptor& file, const std::string& temporary, const std::string& digest) const {
    const std::string path = directory_.path_of(temporary);
    const auto must = [&](int result, const char* call) {
      if (result != 0) throw_no_cache(std::string(call) + " " + path + ": " + reason_of(errno));
    };
    struct stat facts {};
    must(fstat(file.get(), &facts), "fstat");
    must(ftruncate(file.get(), facts.st_size), "ftruncate");  // gives back what was reserved and not written
    must(fchmod(file.get(), 0400), "fchmod");
    must(fdatasync(file.get()), "fdatasync");
    must(renameat(directory_.fd(), temporary.c_str(), directory_.fd(), (digest + ".mere").c_str()), "rename");
    os::unlock(file.get());  // the lock kept it from being taken for a left temporary
    // Only now: renaming changed the times.
    const os::FileStamp stamp = os::stamp_of(file.get(), path);
    if (!write_link(directory_.fd(), digest + ".stamp", stamp_text(stamp))) {
      const int error = errno;
      remove_names(digest);
      throw_no_cache("symlink " + directory_.path_of(digest + ".stamp") + ": " + reason_of(error));
    }
  }

  const Source& source_;
  const Expand& expand_;
  const Check& check_;
  Directory directory_;
  os::FileStamp stamp_;  // of the source, before anything was read
};

}  // namespace

Expanded open_expanded(const Source& source, const CacheOptions& options, const Expand& expand, const Check& check) {
  try {
    return Opening(source, options, expand, check).run();
  } catch (const Error& error) {
    const bool cache_failed = error.reason() == Reason::no_cache || error.reason() == Reason::unsafe_directory;
    if (cache_failed && !source.name.empty()) throw error.with_context(source.name);
    throw;
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  }
}

std::vector<StoredCopy> list(const CacheOptions& options) {
  const Directory directory = open_cache(options, false);
  if (!directory.file) return {};
  return read_contents(directory.fd(), directory.path).copies;
}

std::uint64_t clear(const CacheOptions& options, std::string_view digest) {
  const Directory directory = open_cache(options, false);
  if (!directory.file) return 0;
  const os::Descriptor room = try_lock_file(directory.fd(), "room.lock", directory.path);
  Contents contents = read_contents(directory.fd(), directory.path);
  std::uint64_t freed = 0;
  for (const StoredCopy& copy : contents.copies) {
    if (digest.empty() || copy.digest == digest)
      freed += remove_copy(directory.fd(), directory.path, copy, InUse::remove);
  }
  // While somebody makes room, a fresh temporary might be mistaken for a left one.
  if (!room) return freed;
  contents = read_contents(directory.fd(), directory.path);
  const std::uint64_t kept = contents.bytes;
  remove_left_files(directory.fd(), contents);
  freed += kept - contents.bytes;
  if (digest.empty()) {
    for (const std::string& name : contents.locks) {
      const os::Descriptor lock = try_lock_file(directory.fd(), name, directory.path);
      if (!lock) continue;
      unlinkat(directory.fd(), name.c_str(), 0);
      os::unlock(lock.get());
    }
  }
  os::unlock(room.get());
  return freed;
}

}  // namespace mere::cache
