// AtomicFile. Each step leaves either the old file or the new one under the target's name, and at most a temporary
// that the next AtomicFile for the same target removes.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/descriptor.hpp"
#include "os/sink.hpp"
#include "os/write_signals.hpp"

namespace mere::os {

namespace {

constexpr std::size_t kRandomDigits = 16;
constexpr std::size_t kNameBytes = 255;  // NAME_MAX
constexpr std::string_view kInfix = ".mere-";
// How many names of the directory are looked at for left temporaries: a directory of millions must not slow a dump.
constexpr int kScanLimit = 4096;

// ".NAME.mere-": what all temporaries of a target begin with.
std::string temporary_prefix(const std::string& name) {
  return "." + name.substr(0, kNameBytes - 1 - kInfix.size() - kRandomDigits) + std::string(kInfix);
}

std::string random_digits() {
  unsigned char bytes[kRandomDigits / 2];
  while (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    if (errno != EINTR) throw_errno(errno, "getrandom", "for a temporary name");
  }
  std::string digits;
  for (const unsigned char byte : bytes) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned>(byte));
    digits += pair;
  }
  return digits;
}

bool is_temporary_of(std::string_view name, const std::string& prefix) {
  if (name.size() != prefix.size() + kRandomDigits || !name.starts_with(prefix)) return false;
  return name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

// Removes what a killed writer of the same target left: each writer holds a lock on its temporary for as long as it
// lives. What goes wrong here costs room and nothing else, so it is no error.
void remove_left_temporaries(int directory, const std::string& prefix) noexcept {
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  DIR* names = fdopendir(fd);
  if (names == nullptr) {
    ::close(fd);
    return;
  }
  const dirent* entry;
  for (int seen = 0; seen < kScanLimit && (entry = readdir(names)) != nullptr; ++seen) {
    if (!is_temporary_of(entry->d_name, prefix)) continue;
    const Descriptor left(openat(directory, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat facts {};
    if (!left || fstat(left.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid()) continue;
    if (flock(left.get(), LOCK_EX | LOCK_NB) == 0) unlinkat(directory, entry->d_name, 0);
  }
  closedir(names);
}

}  // namespace

struct AtomicFile::State {
  std::string target;
  std::string name;       // its last part
  std::string temporary;  // empty: none exists
  Descriptor directory;
  Descriptor file;
  bool reserved = false;

  State() = default;
  ~State() {
    if (!temporary.empty()) unlinkat(directory.get(), temporary.c_str(), 0);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void open(const std::filesystem::path& path);
  // False if there is no file of that name yet. Throws Error: not_regular, system_call.
  bool find_old(struct stat& facts) const;
  void create(const std::string& prefix, mode_t mode);
  void copy_rights(const struct stat& old) const;
};

void AtomicFile::State::open(const std::filesystem::path& path) {
  target = path.string();
  name = path.filename().string();
  if (target.empty()) throw Error(Reason::no_file, "open: the name of the file to write is empty");
  if (name.empty() || name == "." || name == "..") {
    throw Error(Reason::not_regular, target + ": names a directory, expected a file to write");
  }
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  directory = Descriptor(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw_errno(errno, "open directory", parent.string() + " of " + target);
  struct stat old {};
  const bool exists = find_old(old);
  const std::string prefix = temporary_prefix(name);
  remove_left_temporaries(directory.get(), prefix);
  // Whoever may not read the old file may not read the new one either, not even while it is written.
  create(prefix, exists ? ((old.st_mode & 0666) | 0600) : 0666);
  if (exists) copy_rights(old);
}

bool AtomicFile::State::find_old(struct stat& facts) const {
  if (fstatat(directory.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    throw_errno(errno, "stat", target);
  }
  if (S_ISREG(facts.st_mode)) return true;
  if (!S_ISLNK(facts.st_mode)) {
    throw Error(Reason::not_regular, target + ": is a directory, device, pipe or socket, expected a file to write");
  }
  // A link is replaced and never followed. But one such as /dev/stdout or current -> v12/ is surely not meant to go.
  char text[64];
  const ssize_t length = readlinkat(directory.get(), name.c_str(), text, sizeof text);
  struct stat behind {};
  const bool leads_somewhere = fstatat(directory.get(), name.c_str(), &behind, 0) == 0;
  if ((length > 0 && std::string_view(text, static_cast<std::size_t>(length)).starts_with("/proc/")) ||
      (leads_somewhere && !S_ISREG(behind.st_mode))) {
    throw Error(Reason::not_regular,
                target + ": is a link to a directory, device, pipe or socket, expected a file to write");
  }
  return false;  // the link's own rights say nothing
}

void AtomicFile::State::create(const std::string& prefix, mode_t mode) {
  for (int tries = 0;; ++tries) {
    std::string fresh = prefix + random_digits();
    file = Descriptor(openat(directory.get(), fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) {
      if ((errno == EEXIST || errno == EINTR) && tries < 16) continue;
      throw_errno(errno, "open", "a temporary file beside " + target);
    }
    temporary.swap(fresh);
    // Between creation and lock another writer may have taken it for a left one. Where locks do not exist, nobody
    // removes anything.
    struct stat facts {};
    const bool lost = flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!lost && fstat(file.get(), &facts) == 0 && facts.st_nlink > 0) return;
    if (tries >= 16) throw Error(Reason::system_call, "flock: the temporary file beside " + target + " is taken away");
    unlinkat(directory.get(), temporary.c_str(), 0);
    temporary.clear();
  }
}

void AtomicFile::State::copy_rights(const struct stat& old) const {
  if (old.st_uid != geteuid()) return;
  mode_t mode = old.st_mode & 0777;
  struct stat fresh {};
  if (fstat(file.get(), &fresh) != 0) throw_errno(errno, "fstat", target);
  // Rights of a group that the new file cannot have must not go to another group.
  if (fresh.st_gid != old.st_gid && fchown(file.get(), static_cast<uid_t>(-1), old.st_gid) != 0) mode &= ~mode_t{070};
  if ((fresh.st_mode & 0777) != mode && fchmod(file.get(), mode) != 0) throw_errno(errno, "fchmod", target);
}

AtomicFile::AtomicFile(std::filesystem::path target) : state_(std::make_unique<State>()) {
  state_->open(target);
}

AtomicFile::~AtomicFile() = default;

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_pieces({&bytes, 1});
}

void AtomicFile::write_pieces(std::span<const std::span<const std::byte>> pieces) {
  write_all(state_->file.get(), pieces, state_->target);
}

void AtomicFile::expect(std::uint64_t bytes) {
  state_->reserved = reserve_room(state_->file.get(), bytes, state_->target) || state_->reserved;
}

int AtomicFile::descriptor() const noexcept {
  return state_->file.get();
}

void AtomicFile::commit(bool durable) {
  State& s = *state_;
  if (s.reserved) {
    // Gives back what was reserved and not written.
    struct stat facts {};
    if (fstat(s.file.get(), &facts) != 0) throw_errno(errno, "fstat", s.target);
    if (ftruncate(s.file.get(), facts.st_size) != 0) throw_errno(errno, "ftruncate", s.target);
  }
  // A failed fsync is final: the kernel may have dropped the pages, and a second call would find nothing to complain
  // of.
  if (durable && fsync(s.file.get()) != 0) throw_errno(errno, "fsync", s.target);
  // close() is where some file systems report a failed write; the second descriptor keeps the lock until the rename.
  const Descriptor lock(fcntl(s.file.get(), F_DUPFD_CLOEXEC, 0));
  if (!lock) throw_errno(errno, "dup", s.target);
  s.file.close(s.target);
  if (renameat(s.directory.get(), s.temporary.c_str(), s.directory.get(), s.name.c_str()) != 0) {
    throw_errno(errno, "rename", s.target);
  }
  s.temporary.clear();
  // From here on the new file is in place; an error means that it may not outlast a power cut. EINVAL: a file system
  // that has no such call for directories.
  if (durable && fsync(s.directory.get()) != 0 && errno != EINVAL) {
    throw_errno(errno, "fsync directory", "of " + s.target + " (the new file is in place)");
  }
}

}  // namespace mere::os
