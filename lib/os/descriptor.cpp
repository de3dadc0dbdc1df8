#include "os/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace mere::os {

namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "neither file nor directory";
}

// Files of these systems call themselves regular, but are made up by the kernel while they are read: their size is no
// size, and most cannot be mapped.
bool is_kernel_made(int fd) {
  struct statfs system {};
  if (fstatfs(fd, &system) != 0) return false;
  switch (static_cast<unsigned long>(system.f_type)) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case BPF_FS_MAGIC: return true;
    default: return false;
  }
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileStamp stamp_from(const struct stat& facts) {
  FileStamp stamp;
  stamp.device = facts.st_dev;
  stamp.inode = facts.st_ino;
  stamp.size = static_cast<std::uint64_t>(facts.st_size);
  stamp.mtime_ns = nanoseconds(facts.st_mtim);
  stamp.ctime_ns = nanoseconds(facts.st_ctim);
  return stamp;
}

// The parts of a path that came from a file.
std::vector<std::string> path_parts(const std::string& relative) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= relative.size();) {
    const std::size_t end = std::min(relative.find('/', begin), relative.size());
    parts.push_back(relative.substr(begin, end - begin));
    const std::string& part = parts.back();
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos) {
      throw Error(Reason::bad_record, "'" + relative + "' is no plain path below a directory");
    }
    begin = end + 1;
  }
  return parts;
}

// As openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, part by part. -1 and errno.
int open_part_by_part(int directory, const std::vector<std::string>& parts) {
  Descriptor above;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    above = Descriptor(
        ::openat(above ? above.get() : directory, parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!above) return -1;
  }
  return ::openat(above ? above.get() : directory, parts.back().c_str(),
                  O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
}

int open_resolved(int directory, const std::string& relative, const std::vector<std::string>& parts) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < 100; ++tries) {
    const long fd = ::syscall(SYS_openat2, directory, relative.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    // EAGAIN: something was renamed meanwhile, and the kernel could not tell whether it leads out.
    if (errno == EINTR || errno == EAGAIN) continue;
    // Before Linux 5.6, or forbidden by a sandbox that does not know the call.
    if (errno == ENOSYS || errno == EPERM) return open_part_by_part(directory, parts);
    return -1;
  }
  return -1;
}

}  // namespace

void throw_errno(int error, const char* call, const std::string& path) {
  std::string message = std::string(call) + " " + path + ": ";
  char text[256];
  message += strerror_r(error, text, sizeof text);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH: throw Error(Reason::no_file, message);
    case EMFILE: throw Error(Reason::too_many_files, message + " (RLIMIT_NOFILE, ulimit -n)");
    case ENFILE: throw Error(Reason::too_many_files, message + " (fs.file-max)");
    case ENOMEM: throw Error(Reason::out_of_memory, message);
    case EFBIG:
      throw Error(Reason::system_call, message + " (RLIMIT_FSIZE, ulimit -f, or the file system's own limit)");
    default: throw Error(Reason::system_call, message);
  }
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::close(const std::string& path) {
  const int fd = std::exchange(fd_, -1);
  // Linux has closed the descriptor also when it says EINTR.
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) throw_errno(errno, "close", path);
}

Descriptor open_regular(const std::filesystem::path& path) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    const int error = errno;
    struct stat facts {};
    // Sockets and absent devices cannot be opened at all, and what error says so depends on the kind.
    if (error != ENOENT && ::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
      throw Error(Reason::not_regular, path.string() + ": is " + kind_of(facts.st_mode) + ", expected a regular file");
    }
    throw_errno(error, "open", path.string());
  }
  Descriptor file(fd);
  struct stat facts {};
  if (fstat(fd, &facts) != 0) throw_errno(errno, "fstat", path.string());
  if (!S_ISREG(facts.st_mode)) {
    throw Error(Reason::not_regular, path.string() + ": is " + kind_of(facts.st_mode) + ", expected a regular file");
  }
  // Only files without blocks are suspected, so that opening a model costs no further call.
  if (facts.st_blocks == 0 && is_kernel_made(fd)) {
    throw Error(Reason::not_regular,
                path.string() + ": is made up by the kernel (/proc, /sys), expected a regular file");
  }
  return file;
}

Descriptor open_beneath(const std::filesystem::path& directory, const std::string& relative) {
  const std::vector<std::string> parts = path_parts(relative);
  const std::string name = (directory / relative).string();
  const Descriptor above(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!above) throw_errno(errno, "open", directory.string());
  Descriptor file(open_resolved(above.get(), relative, parts));
  if (!file) {
    if (errno == ELOOP || errno == EXDEV) {
      throw Error(Reason::not_regular, name + ": is or goes through a symbolic link, which is not followed here");
    }
    if (errno == ENXIO) throw Error(Reason::not_regular, name + ": is a socket or device, expected a regular file");
    throw_errno(errno, "open", name);
  }
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) throw_errno(errno, "fstat", name);
  if (!S_ISREG(facts.st_mode)) {
    throw Error(Reason::not_regular, name + ": is " + kind_of(facts.st_mode) + ", expected a regular file");
  }
  // A hard link is a way out of the directory that no check of names sees.
  if (facts.st_nlink != 1) {
    throw Error(Reason::not_regular,
                name + ": has " + std::to_string(facts.st_nlink) + " names (hard links), expected one");
  }
  return file;
}

FileStamp stamp_of(int fd, const std::string& name) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) throw_errno(errno, "fstat", name);
  if (!S_ISREG(facts.st_mode)) {
    throw Error(Reason::not_regular, name + ": is " + kind_of(facts.st_mode) + ", expected a regular file");
  }
  return stamp_from(facts);
}

bool find_stamp(const std::filesystem::path& path, FileStamp& stamp) noexcept {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  stamp = stamp_from(facts);
  return true;
}

Descriptor anonymous_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd >= 0) return Descriptor(fd);
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) throw_errno(errno, "memfd_create", name);
  // Where the call is forbidden (some sandboxes).
  return temporary_file();
}

std::string temporary_directory() {
  const char* directory = secure_getenv("TMPDIR");
  return directory == nullptr || *directory == '\0' ? "/tmp" : directory;
}

Descriptor temporary_file() {
  const std::string directory = temporary_directory();
  const int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) return Descriptor(file);
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) throw_errno(errno, "open O_TMPFILE", directory);
  // A file system without such files (NFS, some overlays): a name that lives for a moment.
  std::string name = directory + "/.mere-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) throw_errno(errno, "mkostemp", name);
  Descriptor result(named);
  if (::unlink(name.c_str()) != 0) throw_errno(errno, "unlink", name);
  return result;
}

std::size_t read_at(int fd, void* out, std::size_t size, std::uint64_t offset, const std::string& name) {
  std::size_t done = 0;
  while (done < size) {
    const std::size_t part = std::min<std::size_t>(size - done, SSIZE_MAX);
    const ssize_t n = ::pread(fd, static_cast<char*>(out) + done, part, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      throw_errno(errno, "pread", name);
    }
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::size_t read_some(int fd, void* out, std::size_t size, const std::string& name) {
  for (;;) {
    const ssize_t n = ::read(fd, out, std::min<std::size_t>(size, SSIZE_MAX));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) throw_errno(errno, "read", name);
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, -1) < 0 && errno != EINTR) throw_errno(errno, "poll", name);
  }
}

}  // namespace mere::os
